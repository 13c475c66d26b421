"""ActivityNet Captions: paragraphs in the order of the file, ids that no stripping of letters survives."""

import json
from typing import Any

import pytest

from vljepa.errors import UserError


def told(*sentences: Any) -> dict[str, Any]:
    return {"duration": 55.15, "timestamps": [[13.79, 54.32]] * len(sentences), "sentences": list(sentences)}


VAL_1 = {
    "v_uqiMw7tQ1Cc": told("A weight lifting tutorial is given.", "  The coach helps\nthe guy.", " Se\u00f1or."),
    # YouTube's own part begins with v, an underline and a dash.
    "v_v_abcdefghi": told("One."),
    "v__v-defghijk": told("Two."),
    "v_-nowhere-xx": told("Three."),
}


def test_paragraphs(run: Any, put: Any, benchmark: Any, items: Any) -> None:
    put("source/captions/val_1.json", json.dumps(VAL_1))
    for name in ("v_uqiMw7tQ1Cc.mp4", "v_abcdefghi.webm", "x/_v-defghijk.mkv", "abcdefghi.mp4"):
        put(f"source/videos/{name}")
    (written,) = run("activitynet")
    found = benchmark("activitynet")
    # Sentences are neither put in order of time nor left with their blanks.
    assert found.items[0].texts == ("A weight lifting tutorial is given. The coach helps the guy. Señor.",)
    assert [(item["id"], item["media"].rpartition("/")[2]) for item in items("activitynet")] == [
        ("v_uqiMw7tQ1Cc", "v_uqiMw7tQ1Cc.mp4"),
        ("v_v_abcdefghi", "v_abcdefghi.webm"),
        ("v__v-defghijk", "_v-defghijk.mkv"),
    ]
    # The whole video, whatever the times say.
    assert found.items[0].clip.start is None and found.items[0].clip.end is None
    assert (found.official_items, found.info["paper"]) == (4_917, 0.624)
    assert written.missing and written.missing.read_text() == "-nowhere-xx\n"


def test_bad_records(run: Any, put: Any, items: Any, tmp_path: Any) -> None:
    bad = {
        "v_a": told("", "One.", " "),
        "v_b": told(" "),
        "v_c": told("One.", 2),
        "v_d": {"duration": 1},
        "v_e": "One.",
    }
    put("source/val.json", json.dumps(bad))
    for name in "abcde":
        put(f"source/v_{name}.mp4")
    (written,) = run("activitynet", source="source/val.json")
    path = tmp_path / "source" / "val.json"
    assert [item["texts"] for item in items("activitynet")] == [["One."]]
    assert written.repaired.examples == {
        "sentences: one is empty, dropped": [
            f"{path}: v_a: number 0",
            f"{path}: v_a: number 2",
            f"{path}: v_b: number 0",
        ]
    }
    assert written.left_out.examples == {
        "record: is no object": [f"{path}: v_e"],
        "sentences: there is none": [f"{path}: v_b"],
        "sentences: one is no text": [f"{path}: v_c: number 1: 2"],
        "sentences: is missing": [f"{path}: v_d"],
    }


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", r"val_1.json: is empty \(0 bytes\)"),
        (json.dumps(VAL_1)[:-30].encode(), r"val_1.json:1: column \d+: is not whole JSON"),
        (b'["v_uqiMw7tQ1Cc"]', r"val_1.json: holds list, not an object of records"),
    ],
)
def test_broken_files(run: Any, put: Any, contents: bytes, message: str) -> None:
    put("source/val_1.json", contents)
    with pytest.raises(UserError, match=message):
        run("activitynet")
