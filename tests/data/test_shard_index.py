"""The index of a shard against tarfile's own reading, and every way a sample or a shard can be spoilt."""

import gzip
import json
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media import grey, write_video
from tars import png, trio, write_shards, write_tar

from vljepa.data.shard_index import ShardIndex
from vljepa.data.video import read_clip
from vljepa.errors import UserError


def only(index: ShardIndex) -> tuple[str, str]:
    """The one reason for which a sample was left out, and its message."""
    ((reason, count),) = index.left_out.counts.items()
    assert count == 1
    (message,) = index.left_out.examples[reason]
    assert "\n" not in message
    return reason, message


def keys(index: ShardIndex) -> list[str]:
    return [sample.id.split("/", 1)[1] for sample in index.samples()]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_offsets_are_those_of_tarfile(tmp_path: Path, format: int) -> None:
    names = ["000000001", "a/b/000000002", "x" * 90, *([] if format == tarfile.USTAR_FORMAT else ["d" * 200, "né"])]
    members = [part for i, name in enumerate(names) for part in trio(name, 10 * i, f"caption {i}")]
    shard = write_tar(tmp_path / "0.tar", members, format)
    index = ShardIndex.open(shard, tmp_path)
    assert (index.num_samples, len(index.left_out)) == (len(names), 0)
    with tarfile.open(shard) as tar:
        for i, (sample, name) in enumerate(zip(index.samples(), names, strict=True)):
            assert (sample.id, sample.query, sample.targets) == (f"0.tar/{name}", "", (f"caption {i}",))
            member = sample.clip.member
            assert member is not None and member.name == f"{name}.png"
            file = tar.extractfile(member.name)
            assert file is not None
            assert shard.read_bytes()[member.offset : member.offset + member.size] == file.read()
            assert (read_clip(sample.clip, 2, size=16) == 10 * i).all()


def test_video_member_has_the_frames_of_the_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", grey([10 * i for i in range(20)]))
    shard = write_tar(tmp_path / "0.tar", [("7.txt", b"it brightens"), ("7.mp4", path.read_bytes())])
    (sample,) = ShardIndex.open(shard, tmp_path).samples()
    levels = read_clip(sample.clip, 4, size=32).mean(axis=(1, 2, 3)).tolist()
    assert levels == pytest.approx([20, 70, 120, 170], abs=3)


def test_what_is_no_part_of_a_sample_is_passed_over(tmp_path: Path) -> None:
    members = [("README", b"x"), ("._1.png", b"x"), ("1.seg.png", png(9)), ("1.cls", b"3"), ("./1.PNG", png(5))]
    shard = write_tar(tmp_path / "0.tar", [*members, ("1.txt", b"one")])
    index = ShardIndex.open(shard, tmp_path)
    assert keys(index) == ["1"] and len(index.left_out) == 0
    assert (read_clip(index.samples()[0].clip, 1, size=16) == 5).all()


def test_caption_comes_from_json_if_there_is_no_text(tmp_path: Path) -> None:
    members = [("1.png", png(0)), ("1.json", b'{"caption": " of json "}'), ("2.png", png(0)), ("2.txt", b"of text\n")]
    index = ShardIndex.open(write_tar(tmp_path / "0.tar", [*members, ("2.json", b'{"caption": "x"}')]), tmp_path)
    assert [sample.targets for sample in index.samples()] == [("of json",), ("of text",)]


@pytest.mark.parametrize(
    ("members", "reason", "message"),
    [
        ([("1.png", b"p")], "no caption", "add one"),
        ([("1.png", b"p"), ("1.txt", b" \n")], "no caption", "add one"),
        ([("1.png", b"p"), ("1.json", b'{"caption": null}')], "no caption", "add one"),
        ([("1.txt", b"t")], "no medium", "found none"),
        ([("1.png", b"p"), ("1.mp4", b"v"), ("1.txt", b"t")], "several media", "found 1.png, 1.mp4"),
        ([("1.png", b"p"), ("1.txt", b"caf\xe9")], "caption is not UTF-8", "byte 3"),
        ([("1.png", b"p"), ("1.json", b'{"caption": "\\ud800"}')], "caption is not UTF-8", "half a character"),
        ([("1.png", b"p"), ("1.txt", b"t"), ("1.json", b"{")], "broken .json", "no JSON"),
        ([("1.png", b"p"), ("1.txt", b"t"), ("1.json", b"[]")], "broken .json", "no object"),
        (
            [("1.png", b"p"), ("1.txt", b"t"), ("1.json", b'{"status": "failed_to_resize"}')],
            "download failed",
            "status 'failed_to_resize'",
        ),
    ],
)
def test_spoilt_samples_are_left_out_and_counted(
    tmp_path: Path, members: list[tuple[str, bytes]], reason: str, message: str
) -> None:
    shard = write_tar(tmp_path / "0.tar", [*members, *trio("2", 0, "good")])
    index = ShardIndex.open(shard, tmp_path)
    assert keys(index) == ["2"]
    found, example = only(index)
    assert found == reason
    assert example.startswith(f"{shard}/1: ") and message in example


def test_repeated_key_keeps_its_first_members(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "0.tar", [*trio("1", 10, "first"), *trio("1", 20, "second")])
    index = ShardIndex.open(shard, tmp_path)
    (sample,) = index.samples()
    assert sample.targets == ("first",) and (read_clip(sample.clip, 1, size=16) == 10).all()
    assert only(index)[0] == "key used again"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1))
def test_cut_short_anywhere_keeps_what_is_whole(tmp_path: Path, share: float) -> None:
    (shard,) = write_shards(tmp_path, [4])
    with tarfile.open(shard) as tar:
        ends = [info.offset_data + info.size for info in tar]
    content = shard.read_bytes()
    cut = int(share * ends[-1])
    shard.write_bytes(content[:cut])
    index = ShardIndex.open(shard, tmp_path)
    whole = [i for i in range(4) if ends[3 * i + 1] <= cut]  # picture and caption
    assert [sample.targets for sample in index.samples()] == [(f"grey {i}",) for i in whole]
    for i, sample in zip(whole, index.samples(), strict=True):
        assert (read_clip(sample.clip, 1, size=16) == i).all()
    # Cut at the end of a member's last block, the rest looks like a tar of fewer members.
    clean = {-(-end // 512) * 512 for end in ends}
    assert cut in clean or index.left_out.counts["broken shard"] == 1


def test_damage_in_the_middle_is_not_taken_for_the_end(tmp_path: Path) -> None:
    (shard,) = write_shards(tmp_path, [3])
    with tarfile.open(shard) as tar:
        at = tar.getmember("000000001.png").offset
    content = bytearray(shard.read_bytes())
    content[at : at + 512] = b"#" * 512
    shard.write_bytes(content)
    index = ShardIndex.open(shard, tmp_path)
    assert keys(index) == ["000000000"]
    assert only(index) == ("broken shard", f"{shard}: damaged at byte {at}; fetch it again")


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, gzip.compress(b"a" * 2000)])
def test_what_is_no_tar_is_counted(tmp_path: Path, content: bytes) -> None:
    shard = tmp_path / "0.tar"
    shard.write_bytes(content)
    index = ShardIndex.open(shard, tmp_path)
    assert index.num_samples == 0
    assert "is no whole, uncompressed tar" in only(index)[1]


def test_missing_shard(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.tar: cannot be opened \(No such file"):
        ShardIndex.open(tmp_path / "none.tar", tmp_path)


def test_index_is_kept_and_made_anew_when_the_shard_changes(tmp_path: Path) -> None:
    (shard,) = write_shards(tmp_path, [2])
    first = ShardIndex.open(shard, tmp_path)
    written = first.path.stat().st_mtime_ns
    # Samples are read from the index alone.
    content = shard.read_bytes()
    shard.write_bytes(bytes(len(content)))
    os.utime(shard, ns=(0, json.loads(first.path.read_text().splitlines()[0])["mtime_ns"]))
    assert keys(ShardIndex.open(shard, tmp_path)) == keys(first)
    assert first.path.stat().st_mtime_ns == written
    write_tar(shard, trio("9", 0, "new"))
    assert keys(ShardIndex.open(shard, tmp_path)) == ["9"]


def test_shards_of_one_name_in_two_folders_have_two_indexes(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        write_tar(tmp_path / name / "0.tar", trio(name, 0, name))
    opened = [ShardIndex.open(tmp_path / name / "0.tar", tmp_path) for name in "ab"]
    assert [keys(index) for index in opened] == [["a"], ["b"]]
