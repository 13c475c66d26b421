"""Ego4D: clips by EgoClip's rule, calculated by hand, and sentences in plain words."""

from typing import Any

import pytest

from vljepa.data.prepare.ego4d import plain
from vljepa.errors import UserError


def sentence(time: object, text: object) -> dict[str, object]:
    return {"timestamp_sec": time, "timestamp_frame": 0, "narration_text": text, "annotation_uid": "x"}


RECORD = {
    "status": "complete",
    # Times 0.5, 3.44 and 10.3: beta = (10.3 - 0.5) / 2 = 4.9, so clips are 1 s long.
    "narration_pass_1": {
        "narrations": [
            sentence(3.44, "#C C picks a bag"),
            sentence(0.5, "#O man X waves at C"),
            sentence(10.3, "#C C looks at #unsure"),
            sentence("soon", "#C C waits"),
            sentence(5.0e999, "#C C waits"),
        ],
        "summaries": [],
    },
    "narration_pass_2": {"narrations": [sentence(0.25, "#C C sits")]},
}


@pytest.mark.parametrize("below_videos", [False, True])
def test_clips_and_words(run: Any, lines: Any, put: Any, tmp_path: Any, below_videos: bool) -> None:
    put("full_scale/uid-1.mp4")
    records = {"uid-1": RECORD, "uid-2": RECORD, "uid-3": {"status": "redacted"}}
    put("narration.json", {"videos": records} if below_videos else records)
    report = run("ego4d", "narration.json", media=tmp_path / "full_scale")
    media = "../full_scale/uid-1.mp4"
    assert lines("ego4d") == [
        {"id": "uid-1/1/0", "media": media, "start": 2.94, "end": 3.94, "target": "The camera wearer picks a bag"},
        {"id": "uid-1/1/1", "media": media, "start": 0.0, "end": 1.0, "target": "Man X waves at the camera wearer"},
        {"id": "uid-1/2/0", "media": media, "start": 0.0, "end": 0.75, "target": "The camera wearer sits"},
    ]
    assert report.left_out.counts == {
        "narration_text: is marked #unsure": 1,
        "timestamp_sec: is no time from 0 on": 2,
        "media: is missing": 1,
        "narration_pass_1, narration_pass_2: neither is there": 1,
    }


def test_sentences_at_one_moment_have_no_length(run: Any, put: Any) -> None:
    put("uid.mp4")
    sentences = [sentence(2, "#C C a"), sentence(2, "#C C b"), sentence(2, None)]
    put("narration.json", {"uid": {"narration_pass_1": {"narrations": sentences}}})
    with pytest.raises(UserError, match=r"2 x end: is not what.*not after start.*1 x narration_text: is no text"):
        run("ego4d", "narration.json")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#C C opens the Cola", "The camera wearer opens the Cola"),
        ("#c C walks", "The camera wearer walks"),
        ("#O The woman A gives C a cup.", "The woman A gives the camera wearer a cup."),
        ("#C", ""),
    ],
)
def test_plain(text: str, words: str) -> None:
    assert plain(text) == words


def test_a_file_that_is_none(run: Any, put: Any) -> None:
    put("narration.json", [])
    with pytest.raises(UserError, match="holds list, not one JSON object"):
        run("ego4d", "narration.json")
