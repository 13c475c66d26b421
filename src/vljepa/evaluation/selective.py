"""Selective decoding measured: CIDEr-D against the rate of decoding (paper, section 4.6, figure 4).

Every annotation is matched with the output decoded nearest in time; the score is CIDEr-D over all pairs. Ward segments
are compared with uniform ones, decoding the embedding at the midpoint (exact) or the segment's mean (pooled). The
online policy, which knows nothing of what comes later, gives further points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vljepa.evaluation.metrics.cider import cider
from vljepa.evaluation.result import CurvePoint
from vljepa.tasks.segment import uniform_segments, ward_segments
from vljepa.tasks.stream import StreamPolicy, events
from vljepa.tasks.unit import unit_rows
from vljepa.tasks.ward import WardChain
from vljepa.types import Segment

RATES_HZ = (2.0, 1.0, 0.7, 0.5, 0.35, 0.25, 0.17, 0.1, 0.05, 0.02, 0.01)
REFERENCE_HZ = 1.0
"""Rate of uniform decoding whose quality is to be reached with fewer decodings."""
METHODS = ("ward pooled", "ward exact", "uniform pooled", "uniform exact")
ONLINE = "online"
"""The policy that decodes while a stream runs, pooled; one point for each of its thresholds."""
ONLINE_THRESHOLDS = (0.01, 0.02, 0.035, 0.05, 0.08, 0.12, 0.2, 0.3)


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


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """CIDEr-D of every method at every rate."""

    curve: list[CurvePoint]
    per_stream: dict[str, np.ndarray]
    """Method to summed CIDEr-D of each stream at each rate, (rates, streams)."""
    rates: dict[str, np.ndarray]
    """Method to realised rates, hertz, (rates,)."""
    num_annotations: np.ndarray
    """(streams,)"""

    def at_reference(self) -> dict[str, float]:
        """CIDEr-D of every method at 1 Hz."""
        row, notes = RATES_HZ.index(REFERENCE_HZ), self.num_annotations.sum()
        return {method: float(scores[row].sum() / notes) for method, scores in self.per_stream.items()}

    def saving(self, selective: str, uniform: str, streams: np.ndarray | None = None) -> float:
        """How many times fewer decodings ``selective`` needs for the score of ``uniform`` at 1 Hz.

        The lowest rate is interpolated linearly in log rate. 0 where no rate of the sweep reaches that score, or where
        the score is 0 and there is nothing to reach.

        Args:
            streams: indices of a resample of streams; default all, once each.
        """
        chosen = np.arange(len(self.num_annotations)) if streams is None else streams
        notes = self.num_annotations[chosen].sum()
        scores = {m: self.per_stream[m][:, chosen].sum(axis=1) / notes for m in (selective, uniform)}
        aim = scores[uniform][RATES_HZ.index(REFERENCE_HZ)]
        if aim <= 0:
            return 0.0
        log_rates, reached = np.log(self.rates[selective]), scores[selective]
        base = float(self.rates[uniform][RATES_HZ.index(REFERENCE_HZ)])
        for i in range(len(reached) - 1, -1, -1):  # from the lowest rate up
            if reached[i] >= aim:
                if i + 1 == len(reached):
                    return base / float(np.exp(log_rates[i]))
                share = (aim - reached[i + 1]) / (reached[i] - reached[i + 1])
                return base / float(np.exp(log_rates[i + 1] + share * (log_rates[i] - log_rates[i + 1])))
        return 0.0


def sweep(streams: Sequence[EmbeddedStream], decode: Callable[[np.ndarray], list[str]]) -> Sweep:
    """Decode streams at every rate by every method and score what is said.

    Args:
        decode: unit embeddings (n, E) to n texts.
    """
    references = [[text] for stream in streams for _, text in stream.annotations]
    counts = np.array([len(stream.annotations) for stream in streams])
    total = sum(stream.duration for stream in streams)
    curve: list[CurvePoint] = []
    per_stream: dict[str, list[np.ndarray]] = {m: [] for m in METHODS}
    rates: dict[str, list[float]] = {m: [] for m in METHODS}
    memory: dict[bytes, str] = {}
    chains = [WardChain(stream.embeddings) for stream in streams]
    instants = [stream.times.tolist() for stream in streams]

    def said_by(cuts: list[list[Segment]], *, pooled: bool) -> tuple[list[str], float]:
        """What stands nearest to each annotation, and decodings a second."""
        rows = [_nearest(*one, pooled=pooled) for one in zip(streams, cuts, strict=True)]
        return _decoded(np.concatenate(rows), decode, memory), sum(map(len, cuts)) / total

    for rate in RATES_HZ:
        counts_now = [max(1, round(rate * stream.duration)) for stream in streams]
        cut = {
            "ward": [ward_segments(*one) for one in zip(chains, instants, counts_now, strict=True)],
            "uniform": [uniform_segments(*one) for one in zip(instants, counts_now, strict=True)],
        }
        for method in METHODS:
            how, what = method.split()
            said, realised = said_by(cut[how], pooled=what == "pooled")
            scores = cider(said, references)
            parts = np.split(scores, np.cumsum(counts)[:-1])
            per_stream[method].append(np.array([part.sum() for part in parts]))
            rates[method].append(realised)
            curve.append(CurvePoint(method=method, rate_hz=realised, cider=float(scores.mean())))
    for threshold in ONLINE_THRESHOLDS:
        said, realised = said_by([_cut_online(stream, threshold) for stream in streams], pooled=True)
        curve.append(CurvePoint(method=ONLINE, rate_hz=realised, cider=float(cider(said, references).mean())))
    return Sweep(
        curve=curve,
        per_stream={m: np.array(v) for m, v in per_stream.items()},
        rates={m: np.array(v) for m, v in rates.items()},
        num_annotations=counts,
    )


def _cut_online(stream: EmbeddedStream, threshold: float) -> list[Segment]:
    def silent(_: np.ndarray) -> tuple[str, float]:
        return "", 0.0

    policy = StreamPolicy(threshold=threshold)
    found = events(zip(stream.times.tolist(), stream.embeddings, strict=True), silent, policy)
    return [Segment(start=e.start, end=e.end, midpoint=(e.start + e.end) / 2) for e in found]


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
