"""Training on cached features: the frozen X-Encoder sees every clip once, before the first step."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vljepa.config import RunConfig, StageConfig
from vljepa.data.decoders import UNREADABLE
from vljepa.data.features import FeatureCache
from vljepa.data.left_out import LeftOut, Problem
from vljepa.data.loader import Loader, prefetch
from vljepa.data.mixture import ManifestSamples
from vljepa.distributed import device, rank, world_size
from vljepa.errors import UserError
from vljepa.model import bulk
from vljepa.model.network import Network, pool
from vljepa.progress import counting
from vljepa.training.data import Data, SourceData, report_left_out
from vljepa.types import Batch, Clip


class CachedData(Data):
    """Computes what the cache below the data folder lacks; clips that cannot be decoded are left out, counted by source
    and reason, and reported."""

    def __init__(self, config: RunConfig, model: Network, sources: dict[str, SourceData]) -> None:
        """
        Raises:
            UserError: not one clip of a source can be decoded.
        """
        super().__init__(sources)
        used = dict.fromkeys(
            (source.manifest, source.num_frames) for stage in config.stages for source in stage.sources
        )
        self._samples = {
            name: ManifestSamples(source.samples[i] for i in range(len(source.samples)))
            for name, source in sources.items()
        }
        clips: dict[int, dict[Clip, None]] = {}
        for name, num_frames in used:
            clips.setdefault(num_frames, {}).update((sample.clip, None) for sample in self._samples[name])
        self._caches: dict[int, FeatureCache] = {}
        hopeless: dict[Clip, Problem] = {}
        for num_frames, wanted in clips.items():
            with counting(f"features of {num_frames}-frame clips") as progress:
                folder = Path(config.data) / "features"
                self._caches[num_frames] = cache = bulk.cache_features(
                    model,
                    folder,
                    [clip for clip in wanted if clip not in hopeless],
                    num_frames,
                    config.precision,
                    progress,
                    workers=config.decode_processes,
                    time_limit=config.decode_seconds,
                )
            # What cost its time once need not do so again, with another number of frames.
            hopeless |= {clip: problem for clip, problem in cache.left_out.items() if problem.reason != UNREADABLE}
        for name, num_frames in used:
            cache = self._caches[num_frames]
            problems = hopeless | cache.left_out
            left_out = LeftOut()
            for clip in dict.fromkeys(sample.clip for sample in self._samples[name] if sample.clip not in cache):
                left_out.add(*problems[clip])
            report_left_out(left_out, f"clips of {Path(config.data) / name}")
            self._samples[name] = ManifestSamples(sample for sample in self._samples[name] if sample.clip in cache)
            if not self._samples[name]:
                raise UserError(
                    f"{Path(config.data) / name}: none of its clips can be decoded; one: {left_out.first()}"
                )

    @property
    def num_samples(self) -> dict[str, int]:
        """Of each source, the samples whose clips have features."""
        return {name: len(samples) for name, samples in self._samples.items()}

    def batches(self, stage: StageConfig, seed: int, first: int) -> Generator[Batch, None, None]:
        """Read from the cache, two batches ahead."""
        loader = Loader(
            [(self._samples[s.manifest], self._caches[s.num_frames], s.weight) for s in stage.sources],
            batch_size=stage.global_batch_size,
            seed=seed,
            rank=rank(),
            world_size=world_size(),
        )
        for batch in prefetch(loader, first, stage.num_steps):
            yield replace(batch, visual_tokens=batch.visual_tokens.to(device()))

    def pooled(self, count: int, seed: int) -> Float[Tensor, "clips D"]:
        """Of clips with each number of frames they are used with."""
        clips = [
            (num_frames, clip)
            for num_frames, cache in self._caches.items()
            for clip in dict.fromkeys(sample.clip for rows in self._samples.values() for sample in rows)
            if clip in cache
        ]
        order = np.random.default_rng(seed).permutation(len(clips))[:count]
        return torch.cat([pool(torch.from_numpy(self._caches[clips[i][0]].read([clips[i][1]]))) for i in order])
