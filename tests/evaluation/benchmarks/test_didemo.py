"""DiDeMo: sentences gathered by video in the order of the file, names of videos as they are met on disk."""

from typing import Any

import pytest

from vljepa.errors import UserError

MOVED, DOTTED = "26292851@N04_4253489686_265c3c8051.mov", "10052357@N03_7585070382_5762149bfc."
RENAMED, GONE = "1@N0_2_3.3g2", "9@N0_9_9.avi"


def said(video: Any, description: Any, number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "num_segments": 6,
        "description": description,
        "dl_link": "https://www.flickr.com/video_download.gne?id=1",
        "times": [[4, 4], [4, 4], [0, 0], [4, 4]],
        "video": video,
        "annotation_id": number,
        **more,
    }


SAID = [
    said(MOVED, "someone kicks the bug towards some rocks.", 7),
    said(DOTTED, " a dog\nruns\n", num_segments=5),
    said("not@N0_in_list.mp4", "nobody asks"),
    said(MOVED, "first frame", 2),
    said(RENAMED, "x"),
    said(GONE, "y"),
]
LIST = f"{DOTTED}\n{MOVED}\r\n\n{RENAMED}\n{GONE}\n"


def test_paragraphs(run: Any, put: Any, film: Any, benchmark: Any, items: Any) -> None:
    put("source/data/test_data.json", SAID)
    put("source/lists/test_list.txt", LIST)
    film(f"source/videos/{DOTTED}.mp4", 27)
    put(f"source/videos/{MOVED}.mp4")
    put("source/videos/1@N0_2_3.mp4")
    put("source/videos/not@N0_in_list.mp4")
    (written,) = run("didemo")
    # In the order of the file, which is not that of time or of annotations.
    assert [item.texts for item in benchmark("didemo").items] == [
        ("a dog runs",),
        ("someone kicks the bug towards some rocks. first frame",),
        ("x",),
    ]
    # What the annotators saw: 25 s of the first, 30 s of the others.
    assert [(item["id"], item["start"], item["end"]) for item in items("didemo")] == [
        (DOTTED, 0, 25),
        (MOVED, 0, 30),
        (RENAMED, 0, 30),
    ]
    assert written.missing and written.missing.read_text() == f"{GONE}\n"
    assert written.left_out.counts == {"media: is missing": 1} and len(written.repaired) == 0


def test_a_video_that_ends_before(run: Any, put: Any, film: Any, items: Any) -> None:
    put("source/test_data.json", SAID)
    put("source/test_list.txt", MOVED)
    film(f"source/{MOVED}.mp4", 28)
    (written,) = run("didemo")
    assert items("didemo")[0]["end"] == 28
    assert written.repaired.counts == {"end: lies past the end of the video, cut to it": 1}


def test_bad_records(run: Any, put: Any, items: Any, tmp_path: Any) -> None:
    put(
        "source/test_data.json",
        [
            *SAID,
            said(None, "whose?"),
            said("a.mp4", 5),
            said("b.mp4", " "),
            said("c.mp4", "c", num_segments="six"),
            "d",
        ],
    )
    put("source/test_list.txt", f"{MOVED}\na.mp4\nb.mp4\nc.mp4\nunsaid.mp4\n{MOVED}\n")
    for name in ("a", "b", "c", "unsaid", MOVED):
        put(f"source/{name}.mp4")
    (written,) = run("didemo")
    data, listed = tmp_path / "source" / "test_data.json", tmp_path / "source" / "test_list.txt"
    assert len(items("didemo")) == 1
    assert written.left_out.examples == {
        "record: is no object": [f"{data}: record 10"],
        "video: is missing": [f"{data}: record 6"],
        "description: one is no text": [f"{listed}:2: number 0: 5"],
        "description: there is none": [f"{listed}:3"],
        "num_segments: is no number": [f"{listed}:4: 'six'"],
        "video: has no description": [f"{listed}:5: unsaid.mp4"],
        "id: is taken by an earlier item": [f"{listed}:6: {MOVED}"],
    }


def test_the_list_is_asked_for(run: Any, put: Any) -> None:
    put("source/test_data.json", SAID)
    with pytest.raises(UserError, match=r"source: holds no test_list.txt; check SOURCE"):
        run("didemo")
