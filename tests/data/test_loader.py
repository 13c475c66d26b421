"""The loader: a pure function of seed and step, without repetition, in the proportions asked."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from media import grey
from PIL import Image

from vljepa.data.feature_files import Reader
from vljepa.data.features import FeatureCache
from vljepa.data.loader import Loader, prefetch
from vljepa.errors import UserError
from vljepa.types import Batch, Clip, Sample

Source = tuple[list[Sample], FeatureCache, float]


def source(folder: Path, name: str, count: int, *, num_frames: int, weight: float = 1.0) -> Source:
    """Samples whose query is their name and number, and whose features hold that number."""
    samples = []
    for i in range(count):
        Image.fromarray(grey([i])[0]).save(path := folder / f"{name}{i}.png")
        targets = tuple(f"{name}{i} {letter}" for letter in "abcd")
        samples.append(Sample(id=f"{i}", clip=Clip(media=(str(path),)), query=f"{name}{i}", targets=targets))
    cache = FeatureCache.build(
        folder / "cache",
        [s.clip for s in samples],
        num_frames,
        lambda frames: frames.float()[:, :, 0, :1, :1],
        "a",
        size=8,
    )
    return samples, cache, weight


def same(a: Batch, b: Batch) -> bool:
    return a.queries == b.queries and a.targets == b.targets and torch.equal(a.visual_tokens, b.visual_tokens)


def test_features_query_and_target_belong_together(tmp_path: Path) -> None:
    loader = Loader([source(tmp_path, "x", 20, num_frames=2)], 8, 0)
    batch = loader.batch(3)
    assert batch.visual_tokens.shape == (8, 2, 1, 1)
    assert batch.visual_tokens.dtype == torch.float16
    for value, query, target in zip(batch.visual_tokens[:, 0, 0, 0], batch.queries, batch.targets, strict=True):
        assert query == f"x{int(value)}"
        assert target.split()[0] == query


def test_pure_function_of_seed_and_step(tmp_path: Path) -> None:
    sources = [source(tmp_path, "x", 20, num_frames=1), source(tmp_path, "y", 30, num_frames=2)]
    straight = Loader(sources, 8, 0)
    batches = [straight.batch(step) for step in range(12)]
    resumed = Loader(sources, 8, 0)
    assert all(same(resumed.batch(step), batches[step]) for step in (9, 3, 11))
    assert all(same(a, b) for a, b in zip(prefetch(resumed, 4, 12), batches[4:], strict=True))
    assert not same(Loader(sources, 8, 1).batch(0), batches[0])


@pytest.mark.parametrize("world_size", [2, 4])
def test_ranks_take_slices_of_the_one_batch(tmp_path: Path, world_size: int) -> None:
    sources = [source(tmp_path, "x", 20, num_frames=1), source(tmp_path, "y", 30, num_frames=2)]
    ranks = [Loader(sources, 8, 0, rank, world_size) for rank in range(world_size)]
    whole = Loader(sources, 8, 0)
    for step in range(6):
        slices = [rank.batch(step) for rank in ranks]
        together = Batch(
            visual_tokens=torch.cat([part.visual_tokens for part in slices]),
            queries=[query for part in slices for query in part.queries],
            targets=[target for part in slices for target in part.targets],
        )
        assert same(together, whole.batch(step))
        assert all(same(*pair) for pair in zip(slices, together.split(8 // world_size), strict=True))
    with pytest.raises(UserError, match="a batch of 8 does not divide among 3 processes"):
        Loader(sources, 8, 0, 0, 3)


def test_no_repetition_within_an_epoch_and_targets_vary(tmp_path: Path) -> None:
    loader = Loader([source(tmp_path, "x", 20, num_frames=1)], 8, 0)
    drawn = [q for step in range(5) for q in loader.batch(step).queries]  # 40 draws: two epochs
    assert len(set(drawn[:20])) == len(set(drawn[20:])) == 20
    assert drawn[:20] != drawn[20:]
    targets = {t for step in range(5) for t in loader.batch(step).targets}
    assert len(targets) > 25


def test_shares_follow_weights_and_a_batch_has_one_source(tmp_path: Path) -> None:
    sources = [
        source(tmp_path, "x", 9, num_frames=2, weight=3.0),
        source(tmp_path, "y", 9, num_frames=2, weight=1.0),
        source(tmp_path, "z", 9, num_frames=1, weight=4.0),
    ]
    loader = Loader(sources, 4, 0)
    counts: Counter[str] = Counter()
    for step in range(2000):
        (name,) = {query[0] for query in loader.batch(step).queries}
        counts[name] += 1
    shares = np.array([counts[name] for name in "xyz"]) / 2000
    np.testing.assert_allclose(shares, [3 / 8, 1 / 8, 4 / 8], atol=0.04)


def test_samples_without_features_are_left_out_and_counted(tmp_path: Path) -> None:
    samples, cache, weight = source(tmp_path, "x", 5, num_frames=1)
    lost = Sample(id="lost", clip=Clip(media=("/none.png",)), query="lost", targets=("lost",))
    loader = Loader([([*samples, lost], cache, weight)], 4, 0)
    assert loader.num_left_out == 1
    assert "lost" not in {q for step in range(10) for q in loader.batch(step).queries}
    with pytest.raises(UserError, match="source 0: none of its 1 samples"):
        Loader([([lost], cache, weight)], 4, 0)
    with pytest.raises(UserError, match="weight must be positive"):
        Loader([(samples, cache, 0.0)], 4, 0)


def test_prefetch_raises_the_loaders_error_and_can_be_left_early(tmp_path: Path) -> None:
    loader = Loader([source(tmp_path, "x", 5, num_frames=1)], 4, 0)
    batches = prefetch(loader, 0, 1000)
    next(batches)
    batches.close()
    next((loader.sources[0][1].folder).glob("shard-*.npy")).unlink()
    fresh = Loader([(loader.sources[0][0], loader.sources[0][1], 1.0)], 4, 0)
    cache = fresh.sources[0][1]
    cache._reader = Reader(cache.folder)
    with pytest.raises(FileNotFoundError):
        next(prefetch(fresh, 0, 5))
