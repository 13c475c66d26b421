"""PVD-Bench: a file a video, of which some have no caption by people and one may be broken."""

import json
from typing import Any

import pytest

from vljepa.errors import UserError


def test_captions_of_people(run: Any, put: Any, benchmark: Any, items: Any, tmp_path: Any) -> None:
    fields = {"model_caption": "A machine's guess.", "category": "Hand Actions", "video_duration_in_s": 12.3}
    put("source/shard-0/158873272.json", {**fields, "human_caption": "A hand\nturns a wheel. "})
    put("source/shard-0/0028388633.json", {**fields, "human_caption": "Snow falls."})
    put("source/shard-1/161608120.json", {**fields, "human_caption": None})
    put("source/shard-1/161608121.json", fields)
    put("source/shard-1/2.json", {**fields, "human_caption": " "})
    put("source/shard-1/3.json", json.dumps(fields)[:-9])
    put("source/shard-1/4.json", [fields])
    put("source/shard-1/5.json", {**fields, "human_caption": "Nobody has the film."})
    for name in ("shard-0/158873272", "shard-0/0028388633", "shard-1/161608120", "shard-1/2"):
        put(f"source/{name}.mp4")
    (written,) = run("pvd_bench")
    folder = tmp_path / "source" / "shard-1"
    # Keys stay texts, with their noughts.
    assert [(item.id, item.texts) for item in benchmark("pvd_bench").items] == [
        ("0028388633", ("Snow falls.",)),
        ("158873272", ("A hand turns a wheel.",)),
    ]
    assert items("pvd_bench")[1]["media"] == "../../media/pvd_bench/shard-0/158873272.mp4"
    assert written.official == 15_000
    assert written.missing and written.missing.read_text() == "5\n"
    assert written.left_out.counts == {
        "human_caption: is empty": 1,
        "file: cannot be read": 1,
        "file: holds no object": 1,
        "media: is missing": 1,
    }
    (broken,) = written.left_out.examples["file: cannot be read"]
    assert broken.startswith(f"{folder / '3.json'}: ") and "is not whole JSON" in broken
    assert written.left_out.examples["file: holds no object"] == [f"{folder / '4.json'}: list"]


def test_shards_that_are_packed(run: Any, put: Any) -> None:
    put("source/test/000000.tar", b"tar")
    with pytest.raises(UserError, match=r"SOURCE holds no <key>.json; unpack the shards of the test split into it"):
        run("pvd_bench")
