"""The threshold of an online policy from a wanted rate of decoding, on sample streams."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.stream import LEAST_THRESHOLD, StreamPolicy, events
from vljepa.tasks.unit import Embeddings

Stream = tuple[Sequence[float] | np.ndarray, Embeddings]
"""Times (T,) in seconds and embeddings (T, E)."""
_HALVINGS = 16
_TOLERANCE = 0.1
"""Share of the wanted rate by which the nearest may miss it."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A policy for a rate."""

    policy: StreamPolicy
    rate_hz: float
    """Decodings a second that the policy comes to on the sample streams."""


def calibrate(streams: Sequence[Stream], rate_hz: float, policy: StreamPolicy | None = None) -> Calibration:
    """Find the threshold at which streams are decoded as often as wanted.

    Args:
        streams: minutes of what is to be watched.
        rate_hz: decodings a second, over all streams.
        policy: its other settings; default ``StreamPolicy()``. A budget is set aside.

    Raises:
        UserError: no stream, or no threshold comes within a tenth of the rate.
    """
    if not any(len(times) for times, _ in streams) or rate_hz <= 0:
        raise UserError("calibrate: give at least one stream with an instant, and a rate above zero")
    base = replace(policy or StreamPolicy(), budget_hz=None)
    tried: list[Calibration] = []

    def rate_at(threshold: float) -> float:
        there = replace(base, threshold=threshold)
        tried.append(Calibration(policy=there, rate_hz=rate(streams, there)))
        return tried[-1].rate_hz

    low, high = math.log(LEAST_THRESHOLD), 0.0
    most, least = rate_at(math.exp(low)), rate_at(math.exp(high))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rate_at(math.exp(middle)) > rate_hz else (low, middle)
    best = min(tried, key=lambda one: abs(one.rate_hz - rate_hz))
    if abs(best.rate_hz - rate_hz) > _TOLERANCE * rate_hz:
        raise UserError(
            f"calibrate: no threshold decodes these streams at {rate_hz:g} Hz; they come to {least:.3g} to {most:.3g} "
            "Hz. Ask for a rate between, or change the policy's intervals, settle or release"
        )
    return best


def rate(streams: Sequence[Stream], policy: StreamPolicy) -> float:
    """Decodings a second that a policy comes to on streams; their texts do not matter."""

    def silent(_: np.ndarray) -> tuple[str, float]:
        return "", 0.0

    count = sum(1 for times, rows in streams for _ in events(zip(map(float, times), rows, strict=True), silent, policy))
    seconds = sum(float(times[-1]) - float(times[0]) for times, _ in streams if len(times))
    return count / max(seconds, 1e-9)
