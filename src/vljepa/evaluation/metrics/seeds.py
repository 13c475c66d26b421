"""How far a figure would move with other seeds."""

import math
from collections.abc import Sequence

import numpy as np

_STUDENT = (math.inf, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""97.5 % quantiles of Student's t, by degrees of freedom."""


def over_seeds(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of one value a seed, and the ends of its 95 % interval by Student's t; of one seed they are infinite."""
    count, mean = len(values), float(np.mean(values))
    if count == 1:
        return mean, -math.inf, math.inf
    # Ten seeds are more than anybody runs; beyond them the normal's 1.96 is near enough.
    t = _STUDENT[count - 1] if count <= len(_STUDENT) else 1.96
    half = t * float(np.std(values, ddof=1)) / math.sqrt(count)
    return mean, mean - half, mean + half
