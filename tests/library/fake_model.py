"""A model that needs no network: pictures of one grey level, embedded by that level."""

from collections.abc import Sequence

import numpy as np
import torch

from vljepa.data.video import read_clip
from vljepa.library import Embedder
from vljepa.types import Clip


def direction(seed: int) -> np.ndarray:
    """A random unit vector (16,), the same for the same seed."""
    vector = np.random.default_rng(seed).standard_normal(16)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def level(clip: Clip) -> int:
    """The mean grey level of a clip, to the nearest ten."""
    return round(float(read_clip(clip, 4, size=16).mean()) / 10) * 10


class FakeModel:
    """Embeds a clip as the direction of its grey level, and a text as the direction of the number it holds."""

    def __init__(self) -> None:
        self.seen: list[tuple[Clip, str]] = []
        self.kill_at: int | None = None

    def encode_clips(self, clips: Sequence[Clip], queries: Sequence[str]) -> torch.Tensor:
        rows = [direction(level(clip)) for clip in clips]
        for clip, query in zip(clips, queries, strict=True):
            if len(self.seen) == self.kill_at:
                raise KeyboardInterrupt
            self.seen.append((clip, query))
        return torch.from_numpy(np.stack(rows))

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        return torch.from_numpy(np.stack([direction(int(text)) for text in texts]))

    def embedder(self, fingerprint: str = "f" * 64) -> Embedder:
        return Embedder(
            name="fake",
            fingerprint=fingerprint,
            embed_dim=16,
            video_query="what film?",
            image_query="what picture?",
            encode_clips=self.encode_clips,
            encode_text=self.encode_text,
        )
