"""WorldPrediction-WM: the same items out of two forms, by what the user says of each."""

from typing import Any

import pytest

from vljepa.errors import UserError

NAMES = ["a_000", "b_001", "c_002", "d_003"]
UIDS = [f"segment|COIN|{name}" for name in NAMES]


@pytest.fixture
def media(film: Any, put: Any) -> None:
    for name in NAMES:
        film(f"source/COIN/{name}.mp4", 5)
    for name in ("before", "after"):
        put(f"source/pictures/{name}.jpg")


def expected(**times: float) -> list[dict[str, object]]:
    root = "../../media/worldprediction/"
    return [
        {
            "id": "x",
            "initial": f"{root}pictures/before.jpg",
            "final": f"{root}pictures/after.jpg",
            "candidates": [{"media": f"{root}COIN/{name}.mp4", **times} for name in NAMES],
            "answer": 2,
        }
    ]


def test_a_list_of_objects(media: None, run: Any, put: Any, benchmark: Any, items: Any) -> None:
    record = {
        "uid": "x",
        "states": [{"image": "pictures/before.jpg"}, {"image": "pictures/after.jpg"}],
        "actions": [{"segment_uid": uid, "t": [1.0, 9.0 if uid == UIDS[0] else 2.0]} for uid in UIDS],
        "label": 2,
    }
    bad = [
        record | {"uid": "few", "actions": []},
        record | {"uid": "answer", "label": 4},
        record | {"uid": "gone", "states": [{"image": "nowhere.jpg"}] * 2},
        {"uid": "nothing"},
        "no record",
    ]
    put("source/wm.json", {"items": [record, *bad]})
    fields = {
        "records": "items", "id": "uid", "initial": "states.0.image", "final": "states.1.image",
        "candidates": "actions", "media": "segment_uid", "start": "t.0", "end": "t.1", "answer": "label",
    }  # fmt: skip
    (written,) = run("worldprediction", options={"fields": str(put("fields.json", fields))})
    found = items("worldprediction")
    assert found[0]["candidates"][0].pop("end") == 5.0
    found[0]["candidates"][0]["end"] = 2.0
    assert found == expected(start=1.0, end=2.0)
    read = benchmark("worldprediction")
    assert (read.task, read.items[0].answer, len(read.items[0].candidates)) == ("world_model", 2, 4)
    assert written.left_out.counts == {
        "actions: is no list of at least two candidates": 1,
        "answer: is not the place of a candidate": 1,
        "media: is missing": 1,
        "actions: is missing": 2,
    }
    assert written.missing.read_text() == "nowhere.jpg\n"


def test_names_by_id(media: None, run: Any, put: Any, items: Any) -> None:
    put("source/wm.json", {"x": {"first": "before", "last": "after", "clips": UIDS, "right": UIDS[2]}})
    fields = {"initial": "first", "final": "last", "candidates": "clips", "answer": "right"}
    run("worldprediction", options={"fields": str(put("fields.json", fields))})
    assert items("worldprediction") == expected()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (["initial"], "is not an object of texts"),
        ({"first": "x"}, "first: is none of records, id,"),
        ({"initial": "x"}, "final: is missing; say where it is"),
        (
            {"initial": "x", "final": "x", "candidates": "x", "answer": "x", "records": "y"},
            "y: is missing; check `records`",
        ),
    ],
)
def test_fields_that_do_not_fit(media: None, run: Any, put: Any, fields: object, problem: str) -> None:
    put("source/wm.json", {"x": {}})
    with pytest.raises(UserError, match=problem):
        run("worldprediction", options={"fields": str(put("fields.json", fields))})


def test_without_fields(media: None, run: Any, put: Any) -> None:
    put("source/wm.json", {"x": {}})
    with pytest.raises(UserError, match=r"^worldprediction: needs --options fields=FIELDS.json"):
        run("worldprediction")
