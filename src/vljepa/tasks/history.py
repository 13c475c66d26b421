"""The last embeddings of a stream in bounded memory: their spread at once, their mean over any stretch."""

from collections import deque
from dataclasses import dataclass

import numpy as np

_GRAINS = 32
"""Stretches of time that a window is told apart in."""
_REFRESH = 4096
"""Pushes after which the running sum is made afresh, so that rounding cannot add up."""


@dataclass(slots=True)
class _Grain:
    """Instants so close together that their sum will do."""

    first: float
    total: np.ndarray
    count: int = 1


class History:
    """Unit embeddings of a stream since an instant that moves on, and the spread of those in the window.

    Instants less than 1/32 of the window apart share one sum. So what is kept depends on the seconds it spans and not
    on the rate of the stream, even where its clock stands almost still.

    Args:
        window: stretch of the past over which the variance is taken, seconds.
    """

    def __init__(self, window: float) -> None:
        self._span = window
        self._kept: deque[_Grain] = deque()
        self._window: deque[_Grain] = deque()
        self._total = np.zeros(0)
        self._count = 0
        self._pushes = 0

    def push(self, time: float, row: np.ndarray) -> None:
        """Take the unit embedding (E,) of an instant later than all before."""
        wide = row.astype(np.float64)
        newest = self._kept[-1] if self._kept else None
        if newest is not None and time < newest.first + self._span / _GRAINS:
            newest.total += wide
            newest.count += 1
        else:
            grain = _Grain(time, wide.copy())
            self._kept.append(grain)
            self._window.append(grain)
        self._total = wide if self._count == 0 else self._total + wide
        self._count += 1
        while self._window[0].first < time - self._span:
            old = self._window.popleft()
            self._total = self._total - old.total
            self._count -= old.count
        self._pushes += 1
        if self._pushes % _REFRESH == 0:
            self._total = np.sum([grain.total for grain in self._window], axis=0)

    def variance(self) -> float:
        """Mean squared distance of the window's unit embeddings from their mean: 0 for equal, 1 for opposed ones."""
        mean = self._total / self._count
        return max(0.0, 1.0 - float(mean @ mean))

    def middle(self) -> float:
        """Middle of the window, seconds, as far as it is filled."""
        return (self._window[0].first + self._window[-1].first) / 2

    def mean(self, start: float, end: float, middle: float, width: float) -> np.ndarray:
        """Mean embedding (E,) of the instants in [start, end) within half of ``width`` of ``middle``.

        Where there is none, the nearest stands for it.
        """
        inside = [grain for grain in self._kept if start <= grain.first < end]
        inside = inside or list(self._kept)
        near = [grain for grain in inside if abs(grain.first - middle) <= width / 2]
        near = near or [min(inside, key=lambda grain: abs(grain.first - middle))]
        total: np.ndarray = np.sum([grain.total for grain in near], axis=0)
        return total / sum(grain.count for grain in near)

    def forget(self, before: float) -> None:
        """Drop what lies before an instant; the window keeps its own."""
        while self._kept and self._kept[0].first < before:
            self._kept.popleft()
