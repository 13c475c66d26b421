"""Many shards as one source: patterns, numbering, order."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tars import write_shards, write_tar

from vljepa.data.shards import ShardSet, shard_paths
from vljepa.data.video import read_clip
from vljepa.errors import UserError


def names(pattern: str) -> list[str]:
    return [path.name for path in shard_paths(pattern)]


def test_patterns(tmp_path: Path) -> None:
    for name in ["00008.tar", "00009.tar", "00010.tar", "cc.tar", "notes.txt"]:
        (tmp_path / name).touch()
    assert names(f"{tmp_path}/00008.tar") == ["00008.tar"]
    assert names(f"{tmp_path}/{{00008..00010}}.tar") == ["00008.tar", "00009.tar", "00010.tar"]
    assert names(f"{tmp_path}/0000{{8..9}}.tar") == ["00008.tar", "00009.tar"]
    assert names(f"{tmp_path}/{{cc,000{{09..10}}}}.tar") == ["cc.tar", "00009.tar", "00010.tar"]
    assert names(f"{tmp_path}/0*.tar") == ["00008.tar", "00009.tar", "00010.tar"]
    assert names(str(tmp_path)) == ["00008.tar", "00009.tar", "00010.tar", "cc.tar"]
    assert names(f"{tmp_path}/{{cc,cc}}.tar") == ["cc.tar"]
    with pytest.raises(UserError, match=r"00011\.tar: names no tar shard"):
        shard_paths(f"{tmp_path}/{{00010..00012}}.tar")
    with pytest.raises(UserError, match="runs backwards"):
        shard_paths(f"{tmp_path}/{{2..1}}.tar")


def test_samples_are_numbered_through(tmp_path: Path) -> None:
    write_shards(tmp_path, [2, 0, 3])
    shards = ShardSet(f"{tmp_path}/{{00000..00002}}.tar", tmp_path / "index")
    assert len(shards) == 5
    for i in (4, 0, 2, 1, 3):
        assert shards[i].targets == (f"grey {i}",)
        assert (read_clip(shards[i].clip, 1, size=16) == i).all()
    with pytest.raises(IndexError):
        shards[5]
    with pytest.raises(IndexError):
        shards[-1]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=st.lists(st.integers(0, 5), min_size=1, max_size=7), window=st.integers(1, 4), seed=st.integers(0, 99))
def test_order_has_each_sample_once_and_few_shards_at_a_time(
    tmp_path: Path, counts: list[int], window: int, seed: int
) -> None:
    for old in tmp_path.glob("*.tar"):
        old.unlink()
    write_shards(tmp_path, counts)
    if not sum(counts):
        with pytest.raises(UserError, match="no sample"):
            ShardSet(str(tmp_path), tmp_path / "index", window=window)
        return
    shards = ShardSet(str(tmp_path), tmp_path / "index", window=window)
    order = shards.order(np.random.default_rng(seed))
    assert sorted(order.tolist()) == list(range(sum(counts)))
    np.testing.assert_array_equal(order, shards.order(np.random.default_rng(seed)))
    shard_of = np.repeat(np.arange(len(counts)), counts)[order].tolist()
    # Once a window's samples are over, its shards never come again.
    left = {shard: count for shard, count in enumerate(counts) if count}
    opened: set[int] = set()
    for shard in shard_of:
        opened.add(shard)
        left[shard] -= 1
        assert len(opened) <= window
        if not left[shard] and all(not left[s] for s in opened):
            opened = set()


def test_order_mixes_shards_within_a_window_and_differs_by_seed(tmp_path: Path) -> None:
    write_shards(tmp_path, [6] * 8)
    shards = ShardSet(str(tmp_path), tmp_path / "index", window=4)
    orders = [shards.order(np.random.default_rng(seed)) for seed in (0, 1)]
    assert orders[0].tolist() != orders[1].tolist()
    for window in (orders[0] // 6).reshape(2, 24).tolist():
        assert len(set(window)) == 4
        # Shuffled together, not one shard after the other.
        assert sum(a != b for a, b in pairwise(window)) > 8


def test_bad_shards_do_not_stop_the_others(tmp_path: Path) -> None:
    write_shards(tmp_path, [2, 2])
    (tmp_path / "00002.tar").write_bytes(b"no tar")
    write_tar(tmp_path / "00003.tar", [("1.txt", b"alone"), ("2.txt", b"alone")])
    seen: list[tuple[int, int]] = []
    shards = ShardSet(str(tmp_path), tmp_path / "index", progress=lambda done, total: seen.append((done, total)))
    assert len(shards) == 4
    assert shards.left_out.counts == {"broken shard": 1, "no medium": 2}
    assert len(shards.left_out) == 3
    assert shards.left_out.lines()[0] == "2 left out: no medium; the first:"
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with pytest.raises(UserError, match=r"00002\.tar: is no whole"):
        ShardSet(str(tmp_path / "00002.tar"), tmp_path / "index")
