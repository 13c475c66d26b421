"""Frozen features of a run's clips and streams, computed once for all its systems and benchmarks."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np
import torch
from torch import Tensor

from vljepa.api import Viewer
from vljepa.data.features import FeatureCache
from vljepa.errors import UserError
from vljepa.model import bulk
from vljepa.types import Clip


class Features:
    """Visual tokens by clip, kept on disk, so that a run that is stopped need not compute them again.

    Args:
        model: whose X-Encoder reads the clips; models with the same X-Encoder may share the features.
        folder: of the cache, made when missing.
        precision: ``float32`` as the model itself computes, or that of a training run's cache.
    """

    def __init__(self, model: Viewer, folder: Path, precision: str = "float32") -> None:
        self._model = model
        self._folder = folder
        self._precision = precision
        self._caches: dict[Clip, FeatureCache] = {}
        self._left_out: dict[Clip, str] = {}

    @property
    def fingerprint(self) -> str:
        """Equal ones mean equal features of the same clips."""
        return f"{self._model.network.x_encoder.fingerprint}-{self._precision}"

    def fits(self, model: Viewer) -> bool:
        """Whether the features are also those of this model."""
        return model.network.x_encoder.fingerprint == self._model.network.x_encoder.fingerprint

    def prepare(self, clips: Iterable[Clip], progress: Callable[[int, int], None] | None = None) -> None:
        """Compute what is missing; clips that cannot be read are passed over, refused by ``tokens`` and not tried
        again.

        Ranks call it together, and each computes its share.

        Args:
            progress: called with (clips done, clips in all).
        """
        wanted: dict[int, list[Clip]] = {}
        for clip in dict.fromkeys(clips):
            if clip in self._caches or clip in self._left_out:
                continue
            try:
                wanted.setdefault(self._model.count_frames(clip), []).append(clip)
            except UserError as error:
                self._left_out[clip] = str(error)
        before, total = 0, sum(map(len, wanted.values()))
        for num_frames, some in wanted.items():
            self.open(some, num_frames, _counted(progress, before, total))
            before += len(some)

    def open(
        self, clips: Sequence[Clip], num_frames: int, progress: Callable[[int, int], None] | None = None
    ) -> FeatureCache:
        """As ``prepare``, for clips of which ``num_frames`` are taken."""
        network = self._model.network
        cache = bulk.cache_features(network, self._folder, clips, num_frames, self._precision, progress)
        self._caches.update((clip, cache) for clip in clips if clip in cache)
        self._left_out.update((clip, problem.message) for clip, problem in cache.left_out.items())
        return cache

    def tokens(self, clips: Sequence[Clip]) -> list[tuple[list[int], Tensor]]:
        """Visual tokens, grouped by number of frames: positions in ``clips`` and (b, T, N, D) float32.

        Raises:
            UserError: a clip cannot be read.
        """
        self.prepare(clips)
        groups: dict[int, list[int]] = {}
        for row, clip in enumerate(clips):
            if clip not in self._caches:
                raise UserError(self._left_out[clip])
            groups.setdefault(self._caches[clip].num_frames, []).append(row)
        return [(rows, self._read([clips[row] for row in rows])) for rows in groups.values()]

    def stream(self, path: str, rate_hz: float) -> tuple[list[float], Tensor]:
        """Times in seconds and ``bulk.window_parts`` of a video's frames at ``rate_hz``; tokens are float16.

        Raises:
            UserError: the video cannot be read.
        """
        try:
            stat = os.stat(path)
        except OSError as error:
            raise UserError(f"{path}: cannot be opened ({error.strerror}); check the path") from error
        encoder = self._model.network.x_encoder.fingerprint
        about = f"{encoder} {rate_hz} {path} {stat.st_size} {stat.st_mtime_ns}"
        stored = self._folder / "streams" / f"{hashlib.sha256(about.encode()).hexdigest()[:32]}.npy"
        if not stored.exists():
            parts = bulk.stream_parts(self._model.network, path, rate_hz)[1]
            stored.parent.mkdir(parents=True, exist_ok=True)
            # Written aside and renamed: a stream that exists is whole. Other ranks may be at the same one.
            aside = stored.with_suffix(f".{uuid4().hex[:8]}.npy")
            np.save(aside, (parts.half() if parts.is_floating_point() else parts).numpy())
            os.replace(aside, stored)
        parts = torch.from_numpy(np.load(stored))
        return [i / rate_hz for i in range(len(parts))], parts

    def _read(self, clips: list[Clip]) -> Tensor:
        caches = [self._caches[clip] for clip in clips]
        return torch.from_numpy(np.concatenate([c.read([k]) for c, k in zip(caches, clips, strict=True)])).float()


def _counted(progress: Callable[[int, int], None] | None, before: int, total: int) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, _: progress(before + done, total)
