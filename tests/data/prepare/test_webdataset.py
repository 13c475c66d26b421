"""Tar shards: samples out of members, and DataComp's choice by uid."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vljepa.errors import UserError

UIDS = ["139e4a9b22a614771f06c700a8ebe150", "6e356964a967af455c8016b75d691203"]  # the example in DataComp's README


def shard(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def about(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def subset(path: Path, uids: list[str]) -> Path:
    np.save(path, np.array([(int(uid[:16], 16), int(uid[16:], 16)) for uid in uids], np.dtype("u8,u8")))
    return path


def test_samples_of_shards(run: Any, lines: Any, tmp_path: Path) -> None:
    first = {
        "000000000.jpg": b"one",
        "000000000.json": about(caption="a cat", uid=UIDS[0]),
        "000000000.txt": b"a cat\n",
        "000000001.webp": b"two",
        "000000001.json": about(caption="a dog"),
        "000000002.json": about(caption="no picture"),
        "000000003.png": b"no caption",
        "000000004.png": b"broken",
        "000000004.json": b"[",
        "000000006.png": b"failed",
        "000000006.json": about(caption="a bird", status="failed_to_download"),
        "000000007.png": b"latin",
        "000000007.txt": b"caf\xe9",
        "000000008.png": b"one of two",
        "000000008.jpg": b"two of two",
        "000000008.txt": b"which?",
        "000000009.png": b"blank text",
        "000000009.txt": b"\xef\xbb\xbf \n",
        "000000009.json": about(caption="a tree"),
        "../../../000000005.jpg": b"climbs",
        "../../../000000005.txt": b"a climber",
        "a/b.jpg": b"in a folder",
        "a/b.txt": b"a hill",
        "a_b.jpg": b"as if in a folder",
        "a_b.txt": b"a lake",
    }
    shard(tmp_path / "shards" / "00000.tar", first)
    shard(tmp_path / "shards" / "00001.tar", {"000000000.mp4": b"video", "000000000.txt": b"a dance"})
    whole = shard(tmp_path / "shards" / "00002.tar", {"0.jpg": b"x" * 20_000, "0.txt": b"torn"}).read_bytes()
    (tmp_path / "shards" / "00002.tar").write_bytes(whole[:15_000])
    report = run("datacomp", "shards")
    folder = "../media/datacomp"
    assert lines("datacomp") == [
        {"id": "00000/000000000", "media": f"{folder}/00000/000000000.jpg", "target": "a cat"},
        {"id": "00000/000000001", "media": f"{folder}/00000/000000001.webp", "target": "a dog"},
        {"id": "00000/000000009", "media": f"{folder}/00000/000000009.png", "target": "a tree"},
        {"id": "00000/000000005", "media": f"{folder}/00000/000000005.jpg", "target": "a climber"},
        {"id": "00000/a_b", "media": f"{folder}/00000/a_b.jpg", "target": "a hill"},
        {"id": "00001/000000000", "media": f"{folder}/00001/000000000.mp4", "target": "a dance"},
    ]
    assert (tmp_path / "media/datacomp/00000/000000000.jpg").read_bytes() == b"one"
    assert (tmp_path / "media/datacomp/00000/a_b.jpg").read_bytes() == b"in a folder"
    assert report.left_out.counts == {
        "no medium": 1,
        "no caption": 1,
        "broken .json": 1,
        "download failed": 1,
        "caption is not UTF-8": 1,
        "several media": 1,
        "key used again": 1,
        "broken shard": 1,
    }


def test_a_subset_by_uid(run: Any, lines: Any, tmp_path: Path) -> None:
    near = UIDS[0][:-1] + "1"  # the same upper half
    members: dict[str, bytes] = {}
    for i, uid in enumerate([UIDS[0], near, UIDS[1], "no number", None]):
        members |= {f"{i}.jpg": b"x", f"{i}.json": about(caption=f"text {i}", uid=uid)}
    shard(tmp_path / "0.tar", members)
    report = run("datacomp", "0.tar", uids=subset(tmp_path / "chosen.npy", UIDS))
    assert [line["target"] for line in lines("datacomp")] == ["text 0", "text 2"]
    assert report.left_out.counts == {"uid: is not among the chosen ones": 1, "uid: is no hexadecimal number": 2}
    assert sorted(path.name for path in (tmp_path / "media/datacomp/0").iterdir()) == ["0.jpg", "2.jpg"]


def test_a_subset_that_is_none(run: Any, tmp_path: Path) -> None:
    shard(tmp_path / "0.tar", {"0.jpg": b"x", "0.json": about(caption="a cat", uid=UIDS[0])})
    with pytest.raises(UserError, match="is not sorted"):
        run("datacomp", "0.tar", uids=subset(tmp_path / "chosen.npy", UIDS[::-1]))
    np.save(tmp_path / "floats.npy", np.zeros(3))
    with pytest.raises(UserError, match="holds float64, not pairs"):
        run("datacomp", "0.tar", uids=tmp_path / "floats.npy")
    (tmp_path / "text.npy").write_text("uids")
    with pytest.raises(UserError, match="is no npy file"):
        run("datacomp", "0.tar", uids=tmp_path / "text.npy")
    with pytest.raises(UserError, match=r"none\.npy: cannot be opened"):
        run("datacomp", "0.tar", uids=tmp_path / "none.npy")


def test_shards_of_yfcc100m(run: Any, lines: Any, tmp_path: Path) -> None:
    shard(tmp_path / "0.tar", {"0.jpg": b"x", "0.txt": b"a hill"})
    run("yfcc100m", "0.tar")
    assert lines("yfcc100m") == [{"id": "0/0", "media": "../media/yfcc100m/0/0.jpg", "target": "a hill"}]
    with pytest.raises(UserError, match="leave out --media"):
        run("yfcc100m", "0.tar", media=tmp_path)
