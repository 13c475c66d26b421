"""YouCook2: clips of whole videos, from the list and from the official file."""

from typing import Any

import pytest

from vljepa.errors import UserError
from vljepa.evaluation.benchmarks.youcook2 import IN_HOWTO100M

ROWS = """end,start,task,text,video_id
6,4,226,pick the ends off the verdalago,xHr8X2Wpmno
3,1,226, chop  the leaves,xHr8X2Wpmno
3,1,226,and wash them,xHr8X2Wpmno
20,10,405,heat some oil in a pan,-dh_uGahzYo
5,0,405,heat some oil in a pan,nowhere
"""


def annotated(*clips: tuple[Any, Any], subset: str = "validation", task: str = "226") -> dict[str, Any]:
    annotations = [{"segment": segment, "id": i, "sentence": text} for i, (segment, text) in enumerate(clips)]
    return {"duration": 241.62, "subset": subset, "recipe_type": task, "annotations": annotations, "video_url": "u"}


OFFICIAL = {
    "xHr8X2Wpmno": annotated(
        ([4, 6], "pick the ends off the verdalago"), ([1, 3], " chop  the leaves"), ([1, 3], "and wash them")
    ),
    "GLd3aX16zBg": annotated(([1, 2], "of training"), subset="training"),
    "1vJp-jaIaeE": annotated(([1, 2], "of HowTo100M")),
    "-dh_uGahzYo": annotated(([10, 20], "heat some oil in a pan"), task="405"),
    "nowhere": annotated(([0, 5], "heat some oil in a pan")),
}


def videos(put: Any, film: Any) -> None:
    film("videos/validation/226/xHr8X2Wpmno.mp4", 8)
    film("videos/validation/405/-dh_uGahzYo.mkv", 16)
    put("videos/training/113/GLd3aX16zBg.mp4")
    put("videos/validation/101/1vJp-jaIaeE.mp4")


@pytest.mark.parametrize("official", [False, True])
def test_clips(run: Any, put: Any, film: Any, benchmark: Any, items: Any, tmp_path: Any, official: bool) -> None:
    if official:
        put("source/youcookii_annotations_trainval.json", {"database": OFFICIAL})
    else:
        put("source/validation_youcook.csv", ROWS)
    videos(put, film)
    (written,) = run("youcook2", media=tmp_path / "videos")
    assert [(item.id, item.clip.start, item.clip.end, item.texts) for item in benchmark("youcook2").items] == [
        ("xHr8X2Wpmno_4_6", 4, 6, ("pick the ends off the verdalago",)),
        ("xHr8X2Wpmno_1_3", 1, 3, ("chop the leaves",)),
        ("xHr8X2Wpmno_1_3_1", 1, 3, ("and wash them",)),
        ("-dh_uGahzYo_10_20", 10, 16, ("heat some oil in a pan",)),
    ]
    assert items("youcook2")[0]["media"] == "../../media/youcook2/validation/226/xHr8X2Wpmno.mp4"
    assert written.repaired.counts == {"end: lies past the end of the video, cut to it": 1}
    assert written.missing and written.missing.read_text() == "nowhere\n"
    assert written.official == 3_350


def test_both_forms_leave_the_same_out(run: Any, put: Any, film: Any, tmp_path: Any) -> None:
    assert len(IN_HOWTO100M) == 457 - 436
    videos(put, film)
    put(
        "source/a.csv",
        ROWS + "9,9,226,x,xHr8X2Wpmno\n20,15,226,x,xHr8X2Wpmno\n9,-2,226,x,xHr8X2Wpmno\n6,4,226,,xHr8X2Wpmno\n",
    )
    bad = annotated(([9, 9], "x"), ([15, 20], "x"), ([-2, 9], "x"), ([4, 6], ""), ([4], "x"), ("4", "x"))
    put("source/b.json", {"database": {"xHr8X2Wpmno": bad, "x": {"subset": "validation", "annotations": {}}}})
    (listed,) = run("youcook2", source="source/a.csv", media=tmp_path / "videos")
    with pytest.raises(UserError, match="no item found") as refused:
        run("youcook2", source="source/b.json", media=tmp_path / "videos")
    for reason in (
        "end: is not after start",
        "start: lies past the end of the video",
        "start: is before the beginning of the video",
        "text: is empty",
    ):
        assert listed.left_out.counts[reason] == 1
        assert f"1 x {reason}" in str(refused.value)
    assert "2 x start: is missing: " in str(refused.value)
    assert f"1 x annotations: is no list: {tmp_path / 'source' / 'b.json'}: x" in str(refused.value)


def test_a_row_that_stands_twice(run: Any, put: Any, film: Any, items: Any, tmp_path: Any) -> None:
    put("source/validation_youcook.csv", ROWS + "3,1,226,and wash them,xHr8X2Wpmno\n")
    videos(put, film)
    (written,) = run("youcook2", media=tmp_path / "videos")
    assert len(items("youcook2")) == 4
    assert written.left_out.counts["id: is taken by an earlier item"] == 1
