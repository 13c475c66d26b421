"""Kinetics-400: names of clips and folders as they are met, and lists that others saved again."""

from typing import Any

import pytest

ROWS = """label,youtube_id,time_start,time_end,split,is_cc
abseiling,-3B32lodo2M,59,69,val,0
"air drumming",--nQbRBEz2s,104.0,114.0,val,0
air drumming,_a,1,11,val,0
zumba,nowhere,0,10,val,0
"""


def files(put: Any, rows: str | bytes) -> None:
    put("source/val.csv", rows)
    put("videos/abseiling/-3B32lodo2M_000059_000069.mp4")
    put("videos/air_drumming/--nQbRBEz2s_000104_000114.MKV")
    put("videos/_a_000001_000011.mp4")


def test_clips_are_found(run: Any, put: Any, benchmark: Any, items: Any, tmp_path: Any) -> None:
    files(put, ROWS)
    (written,) = run("kinetics400", media=tmp_path / "videos")
    media = "../../media/kinetics400/"
    assert items("kinetics400") == [
        {
            "id": "-3B32lodo2M_000059_000069",
            "media": f"{media}abseiling/-3B32lodo2M_000059_000069.mp4",
            "label": "abseiling",
        },
        {
            "id": "--nQbRBEz2s_000104_000114",
            "media": f"{media}air_drumming/--nQbRBEz2s_000104_000114.MKV",
            "label": "air drumming",
        },
        {"id": "_a_000001_000011", "media": f"{media}_a_000001_000011.mp4", "label": "air drumming"},
    ]
    # A class without a video is a candidate like the others.
    assert benchmark("kinetics400").classes == ["abseiling", "air drumming", "zumba"]
    assert written.repaired.examples == {"classes: one has no item, it stays a candidate": ["zumba"]}
    assert written.missing and written.missing.read_text() == "nowhere_000000_000010\n"


@pytest.mark.parametrize(
    "rows",
    [
        ROWS.replace(",", ";").encode(),
        ROWS.replace(",", "\t").encode(),
        b"\xef\xbb\xbf" + ROWS.replace("\n", "\r\n").encode(),
        ROWS.encode("utf-16"),
    ],
)
def test_saved_again(run: Any, put: Any, items: Any, tmp_path: Any, rows: bytes) -> None:
    files(put, rows)
    (written,) = run("kinetics400", media=tmp_path / "videos")
    assert [item["label"] for item in items("kinetics400")] == ["abseiling", "air drumming", "air drumming"]
    assert len(written.repaired) == 2 and written.left_out.counts == {"media: is missing": 1}


def test_bad_rows(run: Any, put: Any, items: Any, tmp_path: Any) -> None:
    files(put, ROWS + "abseiling,x,soon,10,val,0\n,y,0,10,val,0\nabseiling,z\nabseiling,-3B32lodo2M,59,69,val,0\n")
    (written,) = run("kinetics400", media=tmp_path / "videos")
    path = tmp_path / "source" / "val.csv"
    assert written.left_out.examples == {
        "media: is missing": [f"{path}:5: no file is called nowhere_000000_000010"],
        "time_start: is no number": [f"{path}:6: 'soon'"],
        "label: is empty": [f"{path}:7"],
        "row: has not as many cells as columns": [f"{path}:8: 2, not 6"],
        "id: is taken by an earlier item": [f"{path}:9: -3B32lodo2M_000059_000069"],
    }
    assert len(items("kinetics400")) == 3
