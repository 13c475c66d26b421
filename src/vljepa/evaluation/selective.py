"""Selective decoding measured: CIDEr-D against the rate of decoding (paper, section 4.6, figure 4).

Every annotation is matched with the output decoded nearest in time; the score is CIDEr-D over all pairs. Streams are
smoothed by average pooling first, as in section 2: what is decoded by a moving average, what Ward clusters by one that
keeps edges. Ward segments are compared with uniform ones, decoding the embedding at the midpoint (exact) or the
segment's mean (pooled). The online policy, which knows nothing of what comes later and smooths for itself, gives a
curve of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vljepa.evaluation.metrics.cider import cider
from vljepa.evaluation.result import CurvePoint
from vljepa.tasks.segment import steady, uniform_segments, ward_segments
from vljepa.tasks.stream import StreamPolicy, events
from vljepa.tasks.unit import unit_rows
from vljepa.tasks.ward import WardChain
from vljepa.types import Segment

RATES_HZ = (2.0, 1.4, 1.0, 0.7, 0.6, 0.5, 0.42, 0.35, 0.3, 0.25, 0.17, 0.1, 0.05, 0.02, 0.01)
REFERENCE_HZ = 1.0
"""Rate of uniform decoding whose quality is to be reached with fewer decodings."""
METHODS = ("ward pooled", "ward exact", "uniform pooled", "uniform exact")
ONLINE = "online"
"""The policy that decodes while a stream runs; one point for each of its thresholds."""
ONLINE_THRESHOLDS = (0.005, 0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
SMOOTHING = StreamPolicy.smoothing
"""Width of the moving average over what is decoded, seconds: as online."""
STEADY = 1.5
"""Width of the pooling before Ward's clustering, seconds; chosen with ``nano`` on validation streams."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedStream:
    """A stream ready for the sweep."""

    times: np.ndarray
    """(T,) seconds."""
    embeddings: np.ndarray
    """(T, E) unit rows."""
    annotations: tuple[tuple[float, str], ...]

    @property
    def duration(self) -> float:
        step = float(np.median(np.diff(self.times))) if len(self.times) > 1 else 1.0
        return float(self.times[-1] - self.times[0]) + step

    def smoothed(self, width: float) -> "EmbeddedStream":
        """Each embedding as the mean of those within half of ``width`` seconds."""
        first = np.searchsorted(self.times, self.times - width / 2)
        end = np.searchsorted(self.times, self.times + width / 2, side="right")
        sums = np.concatenate([np.zeros((1, self.embeddings.shape[1])), self.embeddings.cumsum(axis=0, dtype=float)])
        return replace(self, embeddings=unit_rows((sums[end] - sums[first]) / (end - first)[:, None]))


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """CIDEr-D of every method at every rate, or threshold, stream by stream."""

    scores: dict[str, np.ndarray]
    """Method to summed CIDEr-D, (rates, streams)."""
    decodings: dict[str, np.ndarray]
    """Method to how often was decoded, (rates, streams)."""
    num_annotations: np.ndarray
    """(streams,)"""
    durations: np.ndarray
    """(streams,) seconds."""

    @property
    def curve(self) -> list[CurvePoint]:
        """Every method's points over all streams."""
        return [
            CurvePoint(method=method, rate_hz=float(rate), cider=float(score))
            for method in self.scores
            for rate, score in zip(*self.points(method), strict=True)
        ]

    def points(self, method: str, streams: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Decodings a second and mean CIDEr-D, (rates,) each, over all streams or a resample of them."""
        chosen = np.arange(len(self.durations)) if streams is None else streams
        rates = self.decodings[method][:, chosen].sum(axis=1) / self.durations[chosen].sum()
        return rates, self.scores[method][:, chosen].sum(axis=1) / self.num_annotations[chosen].sum()

    def at_reference(self) -> dict[str, float]:
        """CIDEr-D at 1 Hz of every method that is asked for a rate."""
        return {method: float(self.points(method)[1][RATES_HZ.index(REFERENCE_HZ)]) for method in METHODS}

    def saving(self, selective: str, uniform: str, streams: np.ndarray | None = None) -> float:
        """How many times fewer decodings ``selective`` needs for the score of ``uniform`` at 1 Hz.

        The lowest rate is interpolated linearly in log rate. 0 where no rate of the sweep reaches that score, or where
        the score is 0 and there is nothing to reach.

        Args:
            streams: indices of a resample of streams; default all, once each.
        """
        base, aims = (part[RATES_HZ.index(REFERENCE_HZ)] for part in self.points(uniform, streams))
        rates, reached = self.points(selective, streams)
        order = np.argsort(rates, kind="stable")
        rates, reached = rates[order], reached[order]
        enough = np.flatnonzero(reached >= aims)
        if aims <= 0 or not len(enough):
            return 0.0
        at = int(enough[0])
        if at == 0:
            return float(base / rates[0])
        share = (aims - reached[at - 1]) / (reached[at] - reached[at - 1])
        return float(base / (rates[at - 1] * (rates[at] / rates[at - 1]) ** share))


def sweep(streams: Sequence[EmbeddedStream], decode: Callable[[np.ndarray], list[str]]) -> Sweep:
    """Decode streams at every rate by every method and score what is said.

    Args:
        decode: unit embeddings (n, E) to n texts.
    """
    references = [[text] for stream in streams for _, text in stream.annotations]
    counts = np.array([len(stream.annotations) for stream in streams])
    scores: dict[str, list[np.ndarray]] = {}
    decodings: dict[str, list[list[int]]] = {}
    memory: dict[bytes, str] = {}

    def add(method: str, rows: list[np.ndarray], cuts: list[int]) -> None:
        """A point, from what stands nearest to each annotation and how often each stream is decoded."""
        found = cider(_decoded(np.concatenate(rows), decode, memory), references)
        parts = np.split(found, np.cumsum(counts)[:-1])
        scores.setdefault(method, []).append(np.array([part.sum() for part in parts]))
        decodings.setdefault(method, []).append(cuts)

    smooth = [stream.smoothed(SMOOTHING) for stream in streams]
    instants = [stream.times.tolist() for stream in streams]
    chains = [WardChain(steady(s.embeddings, times, STEADY)) for s, times in zip(streams, instants, strict=True)]
    for rate in RATES_HZ:
        asked = [max(1, round(rate * stream.duration)) for stream in streams]
        cut = {
            "ward": [ward_segments(*one) for one in zip(chains, instants, asked, strict=True)],
            "uniform": [uniform_segments(*one) for one in zip(instants, asked, strict=True)],
        }
        for method in METHODS:
            how, what = method.split()
            rows = [_nearest(*one, pooled=what == "pooled") for one in zip(smooth, cut[how], strict=True)]
            add(method, rows, [len(segments) for segments in cut[how]])
    for threshold in ONLINE_THRESHOLDS:
        online = [_online(stream, threshold) for stream in streams]
        add(ONLINE, [rows for rows, _ in online], [count for _, count in online])
    return Sweep(
        scores={method: np.array(found) for method, found in scores.items()},
        decodings={method: np.array(found) for method, found in decodings.items()},
        num_annotations=counts,
        durations=np.array([stream.duration for stream in streams]),
    )


def _online(stream: EmbeddedStream, threshold: float) -> tuple[np.ndarray, int]:
    """Embeddings (annotations, E) of the segments nearest to each annotation, and how many segments there are."""
    rows: list[np.ndarray] = []

    def keep(row: np.ndarray) -> tuple[str, float]:
        rows.append(row)
        return "", 0.0

    timed = zip(stream.times.tolist(), stream.embeddings, strict=True)
    found = list(events(timed, keep, StreamPolicy(threshold=threshold)))
    middles = np.array([(event.start + event.end) / 2 for event in found])
    return np.stack([rows[int(np.abs(middles - time).argmin())] for time, _ in stream.annotations]), len(found)


def _nearest(stream: EmbeddedStream, segments: list[Segment], *, pooled: bool) -> np.ndarray:
    """Embeddings (annotations, E) of the segments nearest to each annotation: no others are scored."""
    midpoints = np.array([one.midpoint for one in segments])
    chosen = [int(np.abs(midpoints - time).argmin()) for time, _ in stream.annotations]
    return _embeddings(stream, [segments[i] for i in chosen], pooled=pooled)


def _embeddings(stream: EmbeddedStream, segments: list[Segment], *, pooled: bool) -> np.ndarray:
    rows = []
    for one in segments:
        inside = (stream.times >= one.start) & (stream.times < one.end)
        if pooled and inside.any():
            rows.append(stream.embeddings[inside].mean(axis=0))
        else:
            rows.append(stream.embeddings[np.abs(stream.times - one.midpoint).argmin()])
    return unit_rows(np.stack(rows))


def _decoded(rows: np.ndarray, decode: Callable[[np.ndarray], list[str]], memory: dict[bytes, str]) -> list[str]:
    keys = [row.tobytes() for row in rows]
    new = {key: row for key, row in zip(keys, rows, strict=True) if key not in memory}
    if new:
        memory.update(zip(new, decode(np.stack(list(new.values()))), strict=True))
    return [memory[key] for key in keys]
