"""Training on clips that are decoded, and pass the frozen X-Encoder, in the step that reads them."""

from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from vljepa.config import RunConfig, SourceConfig, StageConfig
from vljepa.data.clips import ClipLoader
from vljepa.data.mixture import Source
from vljepa.distributed import rank, world_size
from vljepa.model.bulk import encode
from vljepa.model.network import Network, pool
from vljepa.progress import counting
from vljepa.training.data import Data, SourceData, report
from vljepa.types import Batch

_POOLED = 16
"""Clips decoded at a time for ``pooled``."""


class DecodedData(Data):
    """Nothing is computed before the first step, and nothing kept. Clips that cannot be decoded are replaced
    (``ClipLoader``), reported when they are met, and counted."""

    def __init__(self, config: RunConfig, model: Network, sources: dict[str, SourceData]) -> None:
        super().__init__(sources)
        self._config = config
        self._model = model
        self._lost: Counter[str] = Counter()

    @property
    def num_samples(self) -> dict[str, int]:
        """Of each source, the samples less the clips that this rank could not decode since the run was continued."""
        return {name: len(source.samples) - self._lost[name] for name, source in self.sources.items()}

    def batches(self, stage: StageConfig, seed: int, first: int) -> Generator[Batch, None, None]:
        """Decoded two batches ahead by processes of this rank."""
        loader = self._loader(stage.sources, stage.global_batch_size, seed, rank(), world_size())
        told: set[str] = set()
        with closing(loader.batches(first, stage.num_steps)) as batches:
            for frames in batches:
                for source, left_out in zip(stage.sources, loader.left_out, strict=True):
                    self._lost[source.manifest] = max(self._lost[source.manifest], len(left_out))
                    named = left_out.named()
                    report([example for example in named if example not in told], "clips")
                    told.update(named)
                tokens = encode(self._model, frames.frames, self._config.precision)
                yield Batch(visual_tokens=tokens, queries=frames.queries, targets=frames.targets)

    def pooled(self, count: int, seed: int) -> Float[Tensor, "clips D"]:
        """Of clips with the number of frames that their source's first stage takes."""
        first = {source.manifest: source for stage in reversed(self._config.stages) for source in stage.sources}
        by_size = [replace(source, weight=float(len(self.sources[name].samples))) for name, source in first.items()]
        num_batches = -(-min(count, sum(map(len, (s.samples for s in self.sources.values())))) // _POOLED)
        loader = self._loader(tuple(by_size), _POOLED, seed, 0, 1)
        rows = []
        with (
            counting("clips for the familiarity score") as progress,
            closing(loader.batches(0, num_batches)) as batches,
        ):
            for done, frames in enumerate(batches, start=1):
                rows.append(pool(encode(self._model, frames.frames, self._config.precision)).cpu())
                progress(done * _POOLED, num_batches * _POOLED)
        return torch.cat(rows)

    def _loader(
        self, sources: tuple[SourceConfig, ...], batch_size: int, seed: int, rank: int, world_size: int
    ) -> ClipLoader:
        return ClipLoader(
            [
                Source(
                    name=source.manifest,
                    samples=self.sources[source.manifest].samples,
                    weight=source.weight,
                    num_frames=source.num_frames,
                )
                for source in sources
            ],
            batch_size,
            seed,
            size=self._config.model.x_encoder.frame_size,
            num_processes=self._config.decode_processes,
            time_limit=self._config.decode_seconds,
            rank=rank,
            world_size=world_size,
        )
