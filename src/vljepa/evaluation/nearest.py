"""The training data as the memory of the nearest-neighbour baseline."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vljepa.data.features import FeatureCache
from vljepa.data.manifest import read_manifest
from vljepa.errors import UserError
from vljepa.evaluation.baselines import TrainingSet, nearest_neighbour
from vljepa.evaluation.description import Description
from vljepa.evaluation.features import Features
from vljepa.evaluation.system import System
from vljepa.evaluation.systems import full_windows, in_parts
from vljepa.model.bulk import window_rows
from vljepa.model.y_encoder import YEncoder
from vljepa.tasks.unit import Embeddings
from vljepa.types import Clip, Sample

_READ = 64
"""Clips whose visual tokens are in memory together."""


def read_training(data: Path, sources: Mapping[str, int]) -> tuple[dict[int, list[Sample]], list[str]]:
    """Training samples by the number of frames that training takes of their clips, and a line for each bad one.

    Args:
        data: folder of a training run's data.
        sources: manifest, relative to ``data``, to number of frames; those that are absent are passed over.

    Raises:
        UserError: not one of the manifests is there, or none has a sample.
    """
    samples: dict[int, list[Sample]] = {}
    problems: list[str] = []
    for name, num_frames in sources.items():
        if (data / name).is_file():
            good, bad = read_manifest(data / name)
            samples.setdefault(num_frames, []).extend(good)
            problems += bad
    samples = {num_frames: rows for num_frames, rows in samples.items() if rows}
    if not samples:
        raise UserError(f"{data}: no training data here; it needs one of {', '.join(sources)}")
    return samples, problems


def nearest_system(
    samples: Mapping[int, Sequence[Sample]],
    cached: Callable[[Sequence[Clip], int], FeatureCache],
    features: Features,
    text_encoder: YEncoder,
    num_frames: int,
) -> System:
    """Nearest neighbour over training samples.

    Args:
        samples: by number of frames.
        cached: features of training clips, of each so many frames.
        features: of the clips under evaluation, of the same X-Encoder.
        text_encoder: untrained.
        num_frames: frames of a stream's window.
    """
    descriptions: dict[int, Description] = {}
    training: dict[int, TrainingSet] = {}
    for frames, rows in samples.items():
        clips = list(dict.fromkeys(sample.clip for sample in rows))
        cache = cached(clips, frames)
        clips = [clip for clip in clips if clip in cache]
        if not clips:
            continue
        description = Description.fit(_tokens(cache, _spread(clips, Description.FIT_CLIPS)))
        parts = [description(_tokens(cache, clips[i : i + _READ])) for i in range(0, len(clips), _READ)]
        row_of = {clip: row for row, clip in enumerate(clips)}
        kept = [sample for sample in rows if sample.clip in row_of]
        descriptions[frames] = description
        training[frames] = TrainingSet(
            visual=np.concatenate(parts),
            clip_of=[row_of[sample.clip] for sample in kept],
            queries=[sample.query for sample in kept],
            targets=[sample.targets[0] for sample in kept],
        )

    def described(frames: int, tokens: Tensor) -> np.ndarray:
        if frames not in descriptions:
            raise UserError(f"nearest neighbour: no training clip has {frames} frames")
        return descriptions[frames](tokens)

    def describe(clips: list[Clip]) -> list[tuple[list[int], int, Embeddings]]:
        groups = [(rows, tokens.shape[1], tokens) for rows, tokens in features.tokens(clips)]
        return [(rows, frames, described(frames, tokens)) for rows, frames, tokens in groups]

    def describe_stream(path: str, rate_hz: float) -> tuple[Sequence[float], int, np.ndarray]:
        times, tokens = features.stream(path, rate_hz)
        windows = window_rows(len(tokens), num_frames).split(_READ)
        rows = np.concatenate([described(num_frames, tokens[some].float()) for some in windows])
        middles, whole = full_windows(times, rows, num_frames)
        return middles, num_frames, np.asarray(whole)

    count = sum(len(one.targets) for one in training.values())
    num_clips = sum(len(one.visual) for one in training.values())
    return nearest_neighbour(
        training,
        describe,
        in_parts(text_encoder.sentence_embedding),
        describe_stream,
        about=f"the first target of the nearest of {count} training samples on {num_clips} clips: {Description.ABOUT}, "
        "cosine, plus the cosine of the queries; texts by the untrained Y-Encoder",
    )


def _tokens(cache: FeatureCache, clips: Sequence[Clip]) -> Tensor:
    return torch.from_numpy(cache.read(clips)).float()


def _spread(clips: list[Clip], count: int) -> list[Clip]:
    """At most ``count`` clips, by equal stride."""
    return clips if len(clips) <= count else [clips[i * len(clips) // count] for i in range(count)]
