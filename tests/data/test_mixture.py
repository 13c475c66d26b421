"""What each step draws: a pure function of seed and step, in the proportions asked."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tars import write_shards

from vljepa.data.mixture import ManifestSamples, Mixture, Source
from vljepa.data.shards import ShardSet
from vljepa.errors import UserError
from vljepa.types import Clip, Sample


def source(name: str, count: int, weight: float = 1.0) -> Source:
    samples = ManifestSamples(
        Sample(id=str(i), clip=Clip(media=(f"{name}{i}",)), query=name, targets=tuple(f"{name}{i}{t}" for t in "abcd"))
        for i in range(count)
    )
    return Source(name=name, samples=samples, weight=weight, num_frames=1)


def drawn(mixture: Mixture, step: int) -> list[tuple[str, str]]:
    """(medium, target) of a step's batch."""
    number, first = mixture.batch(step)
    pairs = [mixture.sample(number, first + place) for place in range(mixture.batch_size)]
    return [(sample.clip.media[0], target) for sample, target in pairs]


def test_pure_function_of_seed_and_step() -> None:
    sources = [source("x", 20), source("y", 30)]
    straight = [drawn(mixture, step) for mixture in [Mixture(sources, 8, 0)] for step in range(12)]
    resumed = Mixture(sources, 8, 0)
    assert all(drawn(resumed, step) == straight[step] for step in (9, 3, 11))
    assert drawn(Mixture(sources, 8, 1), 0) != straight[0]


def test_no_repetition_within_an_epoch_and_targets_vary() -> None:
    mixture = Mixture([source("x", 20)], 8, 0)
    pairs = [pair for step in range(5) for pair in drawn(mixture, step)]
    media = [medium for medium, _ in pairs]
    assert len(set(media[:20])) == len(set(media[20:])) == 20
    assert media[:20] != media[20:]
    assert all(target.startswith(medium) for medium, target in pairs)
    assert len(set(pairs)) > 25


def test_shares_follow_weights_and_a_batch_has_one_source() -> None:
    mixture = Mixture([source("x", 9, 3.0), source("y", 9, 1.0)], 4, 0)
    counts = Counter(mixture.batch(step)[0] for step in range(2000))
    assert counts[0] / 2000 == pytest.approx(0.75, abs=0.04)
    assert len({medium[0] for medium, _ in drawn(mixture, 5)}) == 1


def test_shards_are_read_in_windows(tmp_path: Path) -> None:
    write_shards(tmp_path, [4] * 4)
    shards = ShardSet(str(tmp_path), tmp_path / "index", window=2)
    mixture = Mixture([Source(name="web", samples=shards, weight=1.0, num_frames=1)], 8, 0)
    for epoch in range(2):
        halves = [{medium for medium, _ in drawn(mixture, 2 * epoch + half)} for half in range(2)]
        assert len(halves[0]) == len(halves[1]) == 2 and not halves[0] & halves[1]
    first = [mixture.sample(0, place)[1] for place in range(16)]
    assert sorted(first) == sorted(f"grey {i}" for i in range(16))
    assert first != [mixture.sample(0, 16 + place)[1] for place in range(16)]


def test_what_cannot_be_drawn_from_is_refused() -> None:
    with pytest.raises(UserError, match="x: weight must be positive, found nan"):
        Mixture([source("x", 3, np.nan)], 4, 0)
    with pytest.raises(UserError, match="x: holds no samples"):
        Mixture([source("x", 0)], 4, 0)
    with pytest.raises(UserError, match="no sources"):
        Mixture([], 4, 0)
