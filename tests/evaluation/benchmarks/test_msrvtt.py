"""MSR-VTT 1k-A: lists as they were published and as others saved them again."""

from typing import Any

import pytest

from vljepa.errors import UserError

ROWS = """key,vid_key,video_id,sentence
ret0,msr9770,video9770,a person is connecting something to system
ret1,msr9771,video9771,a little girl does gymnastics
ret2,msr7020,video7020,a little girl does gymnastics
ret3,msr7021,video7021,nobody filmed this
"""


def videos(put: Any) -> None:
    for name in ("video9770.mp4", "video9771.webm", "more/video7020.MP4", "video77.mp4"):
        put(f"source/videos/all/{name}")


def test_one_sentence_a_video(run: Any, put: Any, benchmark: Any, items: Any) -> None:
    put("source/MSRVTT_JSFUSION_test.csv", ROWS)
    videos(put)
    (written,) = run("msrvtt")
    found = benchmark("msrvtt_1ka")
    assert (found.task, found.query) == ("retrieval", "Describe this video in one sentence.")
    assert [item.texts for item in found.items] == [
        ("a person is connecting something to system",),
        ("a little girl does gymnastics",),
        ("a little girl does gymnastics",),
    ]
    assert items("msrvtt_1ka")[0] == {
        "id": "video9770",
        "media": "../../media/msrvtt/videos/all/video9770.mp4",
        "texts": ["a person is connecting something to system"],
    }
    assert (found.info["items"], found.official_items, found.info["paper"]) == (3, 1_000, 0.462)
    assert written.missing and written.missing.read_text() == "video7021\n"


@pytest.mark.parametrize(
    ("rows", "repaired"),
    [
        (ROWS.replace(",", ";").encode(), 1),
        (b"\xef\xbb\xbf" + ROWS.replace("\n", "\r\n").encode(), 1),
        (ROWS.replace("girl", "fille à la mode").encode("latin-1"), 2),
        (ROWS.replace("a little girl does gymnastics", '" a little  girl, gymnastics "').encode(), 0),
    ],
)
def test_saved_again(run: Any, put: Any, items: Any, rows: bytes, repaired: int) -> None:
    put("source/msrvtt_test.csv", rows)
    videos(put)
    (written,) = run("msrvtt")
    assert len(items("msrvtt_1ka")) == 3 and len(written.repaired) == repaired
    if not repaired:
        assert items("msrvtt_1ka")[1]["texts"] == ["a little girl, gymnastics"]


def test_bad_rows(run: Any, put: Any, items: Any, tmp_path: Any) -> None:
    put("source/MSRVTT_JSFUSION_test.csv", ROWS + "ret4,m,video77,\nret5,m\nret6,m,video9770,again\n")
    videos(put)
    (written,) = run("msrvtt")
    path = tmp_path / "source" / "MSRVTT_JSFUSION_test.csv"
    assert written.left_out.examples == {
        "media: is missing": [f"{path}:5: no file is called video7021"],
        "sentence: is empty": [f"{path}:6"],
        "row: has not as many cells as columns": [f"{path}:7: 2, not 4"],
        "id: is taken by an earlier item": [f"{path}:8: video9770"],
    }


def test_the_full_split_is_another(run: Any, put: Any) -> None:
    put("source/MSRVTT_JSFUSION_test.csv", ROWS)
    videos(put)
    with pytest.raises(UserError, match=r"^msrvtt_1ka: 3 items found, the official split has 1,000; give --partial"):
        run("msrvtt", partial=False)
    put("source/MSRVTT_JSFUSION_test.csv", "video_id,caption\nvideo1,x\n")
    with pytest.raises(UserError, match=r"_test.csv:1: sentence: there is no such column among 'video_id, caption'"):
        run("msrvtt")
