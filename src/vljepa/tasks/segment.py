"""Offline selective decoding: cut an embedding stream into segments of one meaning (paper, section 4.6).

Agglomerative clustering under Ward's distance in which only neighbours in time may merge (``ward.py``); each segment is
decoded once, at its midpoint. ``uniform_segments`` is the baseline of equal stride.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.unit import Embeddings, unit_rows
from vljepa.tasks.ward import WardChain
from vljepa.types import Segment


def segment(embeddings: Embeddings, times: Sequence[float], num_segments: int) -> list[Segment]:
    """Cut a stream where its meaning changes.

    For several numbers of segments of one stream, make a ``WardChain`` and call ``ward_segments`` for each.

    Args:
        embeddings: (T, E), in order of time.
        times: T instants, seconds, increasing.
        num_segments: how many; more than T gives T.

    Raises:
        UserError: an empty stream, a number of segments below one, or times that do not increase.
    """
    _checked_times(times, len(embeddings), num_segments)
    return ward_segments(WardChain(embeddings), times, num_segments)


def ward_segments(chain: WardChain, times: Sequence[float], num_segments: int) -> list[Segment]:
    """As ``segment``, of embeddings that are clustered already.

    Raises:
        UserError: as ``segment``.
    """
    instants = _checked_times(times, len(chain.merged) + 1, num_segments)
    starts = chain.starts(num_segments)
    # A cut lies halfway between the instants on its two sides; the outer edges reach half a step beyond.
    half = float(np.median(np.diff(instants))) / 2 if len(instants) > 1 else 0.5
    edges = [
        max(0.0, instants[0] - half),
        *((instants[i - 1] + instants[i]) / 2 for i in starts[1:]),
        instants[-1] + half,
    ]
    return _from_edges(edges)


def steady(embeddings: Embeddings, times: Sequence[float], width: float) -> np.ndarray:
    """Average pooling that keeps edges: every instant gets the mean of the calmest stretch that holds it.

    A window that lies across a shift sees two things at once, and its embedding may be unlike both; Ward's clustering
    then spends a segment on it. So of all stretches of ``width`` that hold the instant the one of least variance counts
    (the filter of Kuwahara et al., 1976).

    Args:
        embeddings: (T, E), in order of time.
        times: T instants, seconds, increasing.
        width: of the stretches, seconds.

    Returns:
        (T, E) unit rows, to be cut by ``segment``.

    Raises:
        UserError: an empty stream, or times that do not increase.
    """
    rows = unit_rows(embeddings)
    instants = _checked_times(times, len(rows), 1)
    count = len(rows)
    # A stretch begins at every instant; of those that reach the stream's end the first alone is whole.
    ends = np.searchsorted(instants, instants + width - 1e-9)
    last = int(np.searchsorted(ends, count))
    sums = np.concatenate([np.zeros((1, rows.shape[1])), rows.cumsum(axis=0, dtype=np.float64)])
    means = (sums[ends] - sums[:-1]) / (ends - np.arange(count))[:, None]
    variance = np.where(np.arange(count) <= last, 1.0 - (means * means).sum(axis=1), np.inf)
    best = np.arange(count)
    for back in range(1, int((ends - np.arange(count)).max())):
        begin = np.arange(count) - back
        holds = (begin >= 0) & (ends[begin] > np.arange(count))
        better = holds & (variance[begin] < variance[best])
        best[better] = begin[better]
    return unit_rows(means[best])


def uniform_segments(times: Sequence[float], num_segments: int) -> list[Segment]:
    """Cut a stream into equal spans, whatever it shows: the baseline.

    Raises:
        UserError: an empty stream, a number of segments below one, or times that do not increase.
    """
    instants = _checked_times(times, len(times), num_segments)
    half = float(np.median(np.diff(instants))) / 2 if len(instants) > 1 else 0.5
    edges = np.linspace(max(0.0, instants[0] - half), instants[-1] + half, num_segments + 1)
    return _from_edges([float(edge) for edge in edges])


def _from_edges(edges: list[float]) -> list[Segment]:
    return [Segment(start=float(a), end=float(b), midpoint=float(a + b) / 2) for a, b in itertools.pairwise(edges)]


def _checked_times(times: Sequence[float], num_embeddings: int, num_segments: int) -> np.ndarray:
    instants = np.asarray(times, dtype=np.float64)
    if len(instants) == 0 or len(instants) != num_embeddings or num_segments < 1:
        raise UserError(
            f"segments: {num_embeddings} embeddings, {len(instants)} times, {num_segments} segments; "
            "give as many times as embeddings and at least one of each"
        )
    if np.any(np.diff(instants) <= 0):
        raise UserError("segments: the times must increase")
    return instants
