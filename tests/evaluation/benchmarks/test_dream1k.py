"""Dream-1k: Tarsier's lines and the metadata of the hub."""

import json
from typing import Any

import pytest


def line(number: Any, reference: Any, **more: Any) -> dict[str, Any]:
    asked = [
        {"type": "video", "video": {"video_file": "<placeholder>"}},
        {"type": "text", "text": "Describe the video in detail."},
    ]
    told = [{"reference": reference, "text": "", "type": "text", "video": None}]
    return {
        "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": told}],
        "dataset": "DREAM/movie_animation",
        "task": "video/caption",
        "idx": number,
        "extra_info": {"duration": 5.09, "events": ["A character emerges."], "n_events": 1},
        "vid": number,
        **more,
    }


def lines(*values: Any) -> str:
    return "".join(f"{json.dumps(value)}\n" for value in values)


def test_tarsier(run: Any, put: Any, benchmark: Any, items: Any, tmp_path: Any) -> None:
    bad = [line(3, None), line(4, "x", messages=[]), line(5, "x", messages=None), line(6, " "), line(None, "x")]
    put(
        "source/DREAM-1k.jsonl",
        lines(line(1, "A character emerges,\nthen kneels."), line(2, "Señor."), *bad) + '{"messages": [{"ro\n',
    )
    for number in range(1, 7):
        put(f"source/videos/{number}.mp4")
    (written,) = run("dream1k")
    path = tmp_path / "source" / "DREAM-1k.jsonl"
    assert [(item.id, item.texts) for item in benchmark("dream1k").items] == [
        ("1", ("A character emerges, then kneels.",)),
        ("2", ("Señor.",)),
    ]
    assert items("dream1k")[0]["media"] == "../../media/dream1k/videos/1.mp4"
    assert written.official == 1_000
    assert written.left_out.counts.pop("line: is not whole JSON") == 1
    assert {reason: written.left_out.examples[reason] for reason in written.left_out.counts} == {
        "reference: is missing": [f"{path}:3"],
        "messages: hold no answer": [f"{path}:4"],
        "messages: is missing": [f"{path}:5"],
        "reference: is empty": [f"{path}:6"],
        "vid: is missing": [f"{path}:7"],
    }


@pytest.mark.parametrize("as_lines", [False, True])
def test_the_hub(run: Any, put: Any, benchmark: Any, as_lines: bool) -> None:
    rows = [
        {"idx": "0", "video_file": "video/1.mp4", "source": "movie", "description": "One.", "events": "[]"},
        {"idx": "1", "video_file": "2.mp4", "source": "movie", "description": "Two.", "events": "[]"},
    ]
    put("source/json/metadata.json", lines(*rows) if as_lines else json.dumps(rows, indent=1))
    put("source/video/1.mp4")
    put("source/video/2.mp4")
    run("dream1k")
    assert [(item.id, item.texts) for item in benchmark("dream1k").items] == [("1", ("One.",)), ("2", ("Two.",))]
