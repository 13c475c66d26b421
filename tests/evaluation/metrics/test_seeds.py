import math

import numpy as np
import pytest
from scipy import stats

from vljepa.evaluation.metrics.seeds import over_seeds


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_interval_is_students(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    low, high = stats.t.interval(0.95, count - 1, loc=values.mean(), scale=stats.sem(values))
    assert over_seeds(list(values)) == pytest.approx((values.mean(), low, high), rel=1e-3)


def test_one_seed_says_nothing_of_others() -> None:
    assert over_seeds([3.0]) == (3.0, -math.inf, math.inf)
