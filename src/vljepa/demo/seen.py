"""A model with the visual tokens of every clip the demo shows: each clip passes the X-Encoder once."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from vljepa.api import Model
from vljepa.data.video import read_clip
from vljepa.evaluation.features import Features
from vljepa.tasks.unit import Embeddings
from vljepa.types import Clip

STRIP = 4
"""Frames shown of a clip."""
_BATCH = 64
"""Clips that pass the predictor together."""


class Seen:
    """What one model makes of clips, under any query.

    Args:
        model: a trained model with a Y-Decoder.
        folder: where the visual tokens are kept, so that a second run need not compute them.
    """

    def __init__(self, model: Model, folder: Path) -> None:
        self.model = model
        self._features = Features(model, folder)

    def look(self, clips: Iterable[Clip]) -> None:
        """Compute the visual tokens of clips beforehand."""
        self._features.prepare(clips)

    @torch.inference_mode()
    def embed(self, clips: Sequence[Clip], queries: Sequence[str]) -> np.ndarray:
        """Predicted embeddings (n, E) of n clips, each under its own query.

        Raises:
            UserError: a clip cannot be read.
        """
        embedded = np.empty((len(clips), self.model.network.config.embed_dim), dtype=np.float32)
        for rows, tokens in self._features.tokens(clips):
            for start in range(0, len(rows), _BATCH):
                some = rows[start : start + _BATCH]
                found = self.model.network.predict(tokens[start : start + _BATCH], [queries[row] for row in some])
                embedded[some] = found.numpy()
        return embedded

    @torch.inference_mode()
    def p_values(self, clips: Sequence[Clip]) -> np.ndarray:
        """How usual each clip is for the model, (n,) in [0, 1]; near 0: unlike its training world.

        Raises:
            UserError: a clip cannot be read, or the checkpoint holds no familiarity score.
        """
        found = np.empty(len(clips))
        for rows, tokens in self._features.tokens(clips):
            found[rows] = self.model.network.familiar(tokens).numpy()
        return found

    @torch.inference_mode()
    def write(self, predicted: Embeddings) -> list[str]:
        """The texts that the Y-Decoder reads out of embeddings (n, E).

        Raises:
            UserError: the checkpoint has no Y-Decoder.
        """
        return self.model.network.decode(torch.as_tensor(predicted))

    def strip(self, clip: Clip) -> np.ndarray:
        """Frames at equal distances across a clip, as the model is shown them, (F, S, S, 3) uint8.

        Raises:
            UserError: the clip cannot be read.
        """
        count = min(STRIP, self.model.count_frames(clip))
        return read_clip(clip, count, size=self.model.network.config.x_encoder.frame_size)


def whole(clip: Clip) -> Clip:
    """The clip without its times: benchmarks that state the full length and those that state none share tokens."""
    return Clip(media=clip.media)


def spread(count: int, of: int) -> list[int]:
    """``count`` positions among ``of``, evenly spread from the first: a rule that knows nothing of success."""
    count = min(count, of)
    return [i * of // count for i in range(count)]
