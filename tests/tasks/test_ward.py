"""The chain's clustering against scikit-learn's, at every number of segments."""

import numpy as np
import pytest
import torch
from scipy.sparse import diags
from sklearn.cluster import AgglomerativeClustering

from vljepa.errors import UserError
from vljepa.tasks.unit import unit_rows
from vljepa.tasks.ward import WardChain


def sklearn_starts(rows: np.ndarray, num_segments: int) -> list[int]:
    chain = diags([1.0, 1.0], [-1, 1], shape=(len(rows), len(rows)), format="csr")
    cluster = AgglomerativeClustering(n_clusters=num_segments, linkage="ward", connectivity=chain)
    labels = cluster.fit_predict(unit_rows(rows))
    return [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist()]


def noise(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((120, 16))


def stretches(rng: np.random.Generator) -> np.ndarray:
    """Constant meanings of uneven length, with noise."""
    rows = np.repeat(rng.standard_normal((12, 16)), rng.integers(1, 20, 12), axis=0)
    return rows + rng.normal(0, 0.1, rows.shape)


def drift(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((120, 16)).cumsum(axis=0)


def palette(rng: np.random.Generator) -> np.ndarray:
    """A few rows again and again: most distances are equal to others, many to zero."""
    return rng.standard_normal((4, 16))[rng.integers(0, 4, 120)]


def corners(rng: np.random.Generator) -> np.ndarray:
    return np.eye(3)[rng.integers(0, 3, 120)]


def still(rng: np.random.Generator) -> np.ndarray:
    return np.tile(rng.standard_normal(16), (60, 1))


def alternating(rng: np.random.Generator) -> np.ndarray:
    return np.tile(rng.standard_normal((2, 16)), (40, 1))


@pytest.mark.parametrize("make", [noise, stretches, drift])
@pytest.mark.parametrize("seed", [0, 1])
def test_segments_are_those_of_scikit_learn(make, seed) -> None:
    rows = make(np.random.default_rng(seed)).astype(np.float32)
    chain = WardChain(rows)
    for num_segments in {2, 3, 4, 5, 7, 10, 15, 20, 30, 45, len(rows) // 2, len(rows) - 1}:
        assert chain.starts(num_segments) == sklearn_starts(rows, num_segments), num_segments


def joining(rows: np.ndarray, starts: list[int]) -> np.ndarray:
    """What it costs to join each segment with the next: the rise of the sum of squares, by Ward's formula."""
    parts = np.split(unit_rows(rows).astype(np.float64), starts[1:])
    sizes, means = np.array([len(part) for part in parts]), np.array([part.mean(axis=0) for part in parts])
    shares = sizes[:-1] * sizes[1:] / (sizes[:-1] + sizes[1:])
    return shares * ((means[:-1] - means[1:]) ** 2).sum(axis=1)


@pytest.mark.parametrize("make", [palette, corners, still, alternating])
@pytest.mark.parametrize("seed", [0, 1])
def test_of_joins_that_cost_the_same_any_is_taken(make, seed) -> None:
    # The last bit chooses among them, and it differs from one processor to the next, in scikit-learn too.
    rows = make(np.random.default_rng(seed)).astype(np.float32)
    chain = WardChain(rows)
    for num_segments in range(len(rows), 1, -1):
        starts, fewer = chain.starts(num_segments), chain.starts(num_segments - 1)
        (gone,) = set(starts) - set(fewer)
        costs = joining(rows, starts)
        assert costs[starts.index(gone) - 1] <= costs.min() * (1 + 1e-4) + 1e-6, num_segments


def test_a_larger_number_of_segments_keeps_every_cut() -> None:
    chain = WardChain(noise(np.random.default_rng(2)))
    for num_segments in range(1, 120):
        assert set(chain.starts(num_segments)) < set(chain.starts(num_segments + 1))
    assert chain.starts(1) == [0] and chain.starts(500) == list(range(120))


def test_input_of_any_kind_gives_the_same_and_is_left_alone(tmp_path) -> None:
    rows = noise(np.random.default_rng(3)).astype(np.float32)
    kept = rows.copy()
    np.save(tmp_path / "rows.npy", rows)
    merged = WardChain(rows).merged
    np.testing.assert_array_equal(merged, WardChain(torch.from_numpy(rows)).merged)
    np.testing.assert_array_equal(merged, WardChain(np.load(tmp_path / "rows.npy", mmap_mode="r")).merged)
    np.testing.assert_array_equal(rows, kept)


def test_blocks_do_not_show() -> None:
    rows = np.random.default_rng(4).standard_normal((2500, 4)).astype(np.float32)
    chain = WardChain(rows)
    assert chain.starts(700) == sklearn_starts(rows, 700)


def test_streams_without_rows_or_with_bad_ones_are_refused() -> None:
    rows = np.ones((5, 3))
    rows[3, 1] = np.nan
    with pytest.raises(UserError, match="embedding 3 is not finite"):
        WardChain(rows)
    with pytest.raises(UserError, match="no embeddings"):
        WardChain(np.empty((0, 3)))
    assert WardChain(np.ones((1, 3))).starts(4) == [0]
