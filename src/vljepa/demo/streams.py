"""A long video watched as it goes: decoded where its meaning moves, and what that spares."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from vljepa.api import CAPTION_QUERY, STREAM_RATE_HZ
from vljepa.data.video import iter_frames
from vljepa.demo.facts import compare
from vljepa.demo.records import Economy, Told, Watched
from vljepa.demo.seen import Seen
from vljepa.evaluation.benchmark import read_benchmark
from vljepa.evaluation.metrics.cider import cider
from vljepa.evaluation.selective import EmbeddedStream, Sweep, sweep
from vljepa.model.bulk import embed_windows, window_parts
from vljepa.tasks.stream import OnlineDecoder, StreamPolicy
from vljepa.tasks.unit import unit_rows
from vljepa.types import Event

LONGEST = 120.0
"""Seconds of a stream that the demo watches."""

Annotations = tuple[tuple[float, str], ...]


def watch_world(seen: Seen, world: Path) -> tuple[Watched, Economy]:
    """Watch the world's stream and compare what it took with decoding at equal intervals."""
    item = read_benchmark(world / "stream").items[0]
    assert item.clip is not None
    stream, frames = _embed(seen, Path(item.clip.media[0]), item.annotations)
    watched = _watch(seen, stream, frames)
    texts = [_nearest(watched.told, time).event.text for time, _ in item.annotations]
    truths = [text for _, text in item.annotations]
    swept = sweep([stream], seen.write)
    score = float(cider(texts, [[text] for text in truths]).mean())
    uniform, most = uniform_for(swept, score, stream.duration)
    return watched, Economy(
        decodings=len(watched.told),
        cider=score,
        uniform=uniform,
        most=most,
        sweep=swept,
        hindsight=swept.saving("ward exact", "uniform exact"),
        annotations=len(truths),
        right=sum(compare(said, truth).whole for said, truth in zip(texts, truths, strict=True)),
    )


def watch_file(seen: Seen, path: Path) -> Watched:
    """Watch the first two minutes of a file.

    Raises:
        UserError: the file cannot be read.
    """
    return _watch(seen, *_embed(seen, path, ()))


@torch.inference_mode()
def _embed(seen: Seen, path: Path, annotations: Annotations) -> tuple[EmbeddedStream, np.ndarray]:
    """The stream's embeddings, each of the last frames at its instant, and the frames (T, S, S, 3) uint8."""
    network = seen.model.network
    timed = list(
        islice(iter_frames(path, STREAM_RATE_HZ, network.config.x_encoder.frame_size), int(LONGEST * STREAM_RATE_HZ))
    )
    frames = np.stack([frame for _, frame in timed])
    embeddings = embed_windows(network, window_parts(network, torch.from_numpy(frames)), CAPTION_QUERY)
    times = np.array([time for time, _ in timed])
    return EmbeddedStream(times=times, embeddings=unit_rows(embeddings), annotations=annotations), frames


def _watch(seen: Seen, stream: EmbeddedStream, frames: np.ndarray) -> Watched:
    policy = StreamPolicy()
    segments: list[np.ndarray] = []

    def keep(embedding: np.ndarray) -> tuple[str, float]:
        # Cutting never depends on the text, so all segments are decoded together afterwards.
        segments.append(embedding)
        return "", 0.0

    decoder = OnlineDecoder(keep, policy)
    variance, events = [], []
    for time, row in zip(stream.times.tolist(), stream.embeddings, strict=True):
        events.append(decoder.push(time, row))
        variance.append(decoder.variance())
    events.append(decoder.finish())
    found = [event for event in events if event is not None]
    texts = seen.write(np.stack(segments))
    scores = (unit_rows(seen.model.encode_text(texts)) * unit_rows(np.stack(segments))).sum(axis=1)
    told = []
    for event, text, score in zip(found, texts, scores, strict=True):
        last = event is found[-1]
        told.append(_tell(replace(event, text=text, score=float(score)), stream, frames, last=last))
    return Watched(
        times=stream.times,
        variance=np.array(variance),
        threshold=policy.threshold,
        told=tuple(told),
        duration=stream.duration,
    )


def _tell(event: Event, stream: EmbeddedStream, frames: np.ndarray, *, last: bool) -> Told:
    truth = tuple(note for note in stream.annotations if event.start <= note[0] and (last or note[0] < event.end))
    middle = (event.start + event.end) / 2
    return Told(
        event=event,
        frame=frames[int(np.abs(stream.times - middle).argmin())],
        truth=truth,
        right=any(compare(event.text, text).whole for _, text in truth) if truth else None,
    )


def _nearest(told: Sequence[Told], time: float) -> Told:
    """What was decoded nearest to an instant, as in the paper's measure."""
    return min(told, key=lambda one: abs((one.event.start + one.event.end) / 2 - time))


def uniform_for(swept: Sweep, score: float, duration: float) -> tuple[float | None, int]:
    """How many uniform decodings first reach a score, and the most that were tried.

    Between two counts that were tried, the score is interpolated linearly in the logarithm of the count.
    """
    tried = sorted((p.rate_hz * duration, p.cider) for p in swept.curve if p.method == "uniform exact")
    before: tuple[float, float] | None = None
    for count, reached in tried:
        if reached >= score:
            if before is None or reached == before[1]:
                return count, round(tried[-1][0])
            share = (score - before[1]) / (reached - before[1])
            return float(before[0] * (count / before[0]) ** share), round(tried[-1][0])
        before = (count, reached)
    return None, round(tried[-1][0])
