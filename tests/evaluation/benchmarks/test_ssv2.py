"""Something-Something v2: the class is the template, not the field that is called label."""

from typing import Any

import pytest

from vljepa.errors import UserError

LABELS = {"Holding something next to something": "0", "Turning something upside down": "1"}


def video(number: object, template: str, label: str = "holding potato") -> dict[str, object]:
    return {"id": number, "label": label, "template": template, "placeholders": ["potato"]}


@pytest.mark.parametrize("prefix", ["something-something-v2-", ""])
def test_templates_are_classes(run: Any, put: Any, benchmark: Any, items: Any, prefix: str) -> None:
    put(f"source/{prefix}labels.json", LABELS)
    records = [
        video("78687", "Holding [something] next to [something]"),
        # A number where the official files have a text, and a template that became no class.
        video(12, "Turning [something] upside down"),
        video("13", "Eating [something]"),
        video("14", "Turning [something] upside down"),
    ]
    put(f"source/{prefix}validation.json", records)
    for number in (78687, 12, 13):
        put(f"source/20bn/{number}.webm")
    (written,) = run("ssv2")
    found = benchmark("ssv2")
    assert (found.task, found.query) == ("classification", "What is the action shown?")
    assert found.classes == ["Holding something next to something", "Turning something upside down"]
    media = "../../media/ssv2/20bn/"
    assert items("ssv2") == [
        {"id": "78687", "media": f"{media}78687.webm", "label": "Holding something next to something"},
        {"id": "12", "media": f"{media}12.webm", "label": "Turning something upside down"},
    ]
    assert written.left_out.counts == {"template: is not among the classes": 1, "media: is missing": 1}
    assert written.missing and written.missing.read_text() == "14\n"
    assert (found.info["items"], found.official_items, found.info["paper"]) == (2, 24_777, 0.732)


def test_the_whole_split_is_asked_for(run: Any, put: Any, tmp_path: Any) -> None:
    put("source/labels.json", LABELS)
    put("source/validation.json", [video("1", "Turning [something] upside down")])
    put("source/1.webm")
    with pytest.raises(UserError, match=r"^ssv2: 1 items found, the official split has 24,777; give --partial"):
        run("ssv2", partial=False)
    assert [path.name for path in (tmp_path / "out" / "test").iterdir()] == []


def test_labels_that_are_none(run: Any, put: Any) -> None:
    put("source/labels.json", ["Holding something"])
    put("source/validation.json", [])
    with pytest.raises(UserError, match=r"labels.json: holds list, not an object of templates"):
        run("ssv2")
