"""Ward's clustering of a sequence in which only neighbours may merge (paper, section 4.6).

scikit-learn's ``AgglomerativeClustering`` with a chain for its connectivity gives the same clusters. This form needs
half a float32 input's memory beside it, not four times as much, and made once it yields every number of segments.
"""

from heapq import heapify, heappop, heappush

import numpy as np
from torch import Tensor

from vljepa.errors import UserError
from vljepa.tasks.unit import Embeddings, unit_rows

_BLOCK = 256
"""Rows that are made unit and compared together: more would only take more memory."""
_STORED = 4
"""Rows of a segment from which on its sum is kept; those of fewer are added up whenever they are asked for."""


class WardChain:
    """All merges of an embedding sequence, from one segment a row to one segment in all.

    The cheapest pair of neighbours merges first, by the increase in summed squared distance from the segments' means.
    Among pairs that cost the same, those come first that scikit-learn takes first.

    Args:
        embeddings: (T, E), any float type, in order; a memory map is read and never held. Rows count as unit vectors.

    Raises:
        UserError: there is no row, or one with a value that is not finite.
    """

    merged: np.ndarray
    """(T - 1,) int64: the row before which a cut falls, in the order in which the cuts vanish."""

    def __init__(self, embeddings: Embeddings) -> None:
        rows = _Rows(embeddings)
        count = len(rows.lengths)
        # Segments bear numbers as scikit-learn gives them: rows come first, then merges in their order. A segment is
        # found by its number or by either end, and lives while its number stands at its first row.
        first = np.arange(2 * count - 1)
        number_at, end_of, start_of = np.arange(count), np.arange(1, count + 1), np.arange(count)
        queue = [(cost, row + 1, row) for row, cost in enumerate(rows.costs)]
        heapify(queue)
        self.merged = np.empty(count - 1, dtype=np.int64)
        for step in range(count - 1):
            while True:
                _, newer, older = heappop(queue)
                left, right = sorted((int(first[newer]), int(first[older])))
                # A pair is stale once either of the two has merged with another.
                if {int(number_at[left]), int(number_at[right])} == {newer, older}:
                    break
            end, number = int(end_of[right]), count + step
            rows.merge(left, right)
            self.merged[step] = right
            first[number], number_at[left], number_at[right] = left, number, -1
            end_of[left], start_of[end - 1] = end, left
            if left > 0:
                before = int(start_of[left - 1])
                heappush(queue, (rows.cost(left, before), number, int(number_at[before])))
            if end < count:
                heappush(queue, (rows.cost(left, end), number, int(number_at[end])))

    def starts(self, num_segments: int) -> list[int]:
        """First row of each of ``num_segments`` segments, at most T."""
        return [0, *np.sort(self.merged[max(0, len(self.merged) + 1 - num_segments) :]).tolist()]


class _Rows:
    """Sums of the unit rows of segments, each named by its first row.

    Float64 sums of float32 rows are exact in practice, so that equal segments are equal and ties are ties. Segments of
    ``_STORED`` rows or more start as many rows apart at least, so that one place for that many rows will do: half the
    memory of a float32 input.
    """

    def __init__(self, embeddings: Embeddings) -> None:
        if isinstance(embeddings, Tensor):
            embeddings = embeddings.detach().float().cpu().numpy()
        count = len(embeddings)
        if count == 0:
            raise UserError("segments: there are no embeddings; give at least one")
        self._rows = embeddings
        self.lengths = np.empty((count, 1), dtype=np.float32)
        self.costs: list[float] = []
        """Of joining each row with the next."""
        for at in range(0, count, _BLOCK):
            block = np.asarray(embeddings[at : at + _BLOCK + 1], dtype=np.float32)
            lengths = np.linalg.norm(block, axis=1, keepdims=True)
            if not np.isfinite(lengths).all():
                bad = at + int(np.flatnonzero(~np.isfinite(lengths))[0])
                raise UserError(f"segments: embedding {bad} is not finite; leave it out or compute it again")
            self.lengths[at : at + len(block)] = np.maximum(lengths, np.finfo(np.float32).tiny)
            gaps = np.diff(unit_rows(block).astype(np.float64), axis=0)
            self.costs += (0.5 * (gaps * gaps).sum(axis=1)).tolist()
        self._sums = np.empty((count // _STORED, embeddings.shape[1]))
        self._size = np.ones(count, dtype=np.int64)

    def merge(self, left: int, right: int) -> None:
        """Join the segments that start at ``left`` and ``right``, neighbours."""
        size = self._size[left] + self._size[right]
        if size >= _STORED:
            self._sums[left // _STORED] = self._sum(left) + self._sum(right)
        self._size[left] = size

    def cost(self, one: int, other: int) -> float:
        """Ward's distance of the segments that start at ``one`` and ``other``."""
        size, other_size = int(self._size[one]), int(self._size[other])
        gap = self._sum(one) / size - self._sum(other) / other_size
        return size * other_size / (size + other_size) * float(gap @ gap)

    def _sum(self, start: int) -> np.ndarray:
        size = self._size[start]
        if size >= _STORED:
            return self._sums[start // _STORED]
        rows = np.asarray(self._rows[start : start + size], dtype=np.float32) / self.lengths[start : start + size]
        total = rows[0].astype(np.float64)
        for row in rows[1:]:
            total += row
        return total
