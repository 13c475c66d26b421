"""How far figures would move on other items of the same kind."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Int

Figures = Callable[[Int[np.ndarray, " rows"]], Mapping[str, float]]
"""Rows of the items, repeated ones among them, to figures by name; what these items do not show may be left out."""


def bootstrap(
    figures: Figures, count: int, *, level: float = 0.95, num_resamples: int = 1000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap interval of every figure, by resampling items with replacement.

    Args:
        count: items there are.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {}
    for _ in range(num_resamples):
        for name, value in figures(rng.integers(0, count, count)).items():
            found.setdefault(name, []).append(value)
    ends = [(1 - level) / 2, (1 + level) / 2]
    return {
        name: (float(low), float(high)) for name, (low, high) in ((n, np.quantile(v, ends)) for n, v in found.items())
    }


def bootstrap_interval(
    values: np.ndarray, *, level: float = 0.95, num_resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean.

    Args:
        values: (n,), one outcome an item.
    """
    values = np.asarray(values, dtype=np.float64)
    mean = bootstrap(
        lambda rows: {"mean": float(values[rows].mean())},
        len(values),
        level=level,
        num_resamples=num_resamples,
        seed=seed,
    )
    return mean["mean"]
