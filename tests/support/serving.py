"""What the tests of the server share."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

POLICY = {"threshold": 0.5, "min_interval": 0.5, "max_interval": 1.0}
"""An untrained model sees no changes: an event a second it is."""


def wait_for(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The condition's value, once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.05)
    return value


def unit(values: Any) -> np.ndarray:
    """As an array, checked to be of length one."""
    row = np.asarray(values, np.float32)
    assert abs(float(np.linalg.norm(row)) - 1) < 1e-3
    return row
