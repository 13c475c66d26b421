"""Many clips, or a whole stream, at once: what training, evaluation and bulk work share.

The frozen X-Encoder sees each clip and each frame of a stream once; the predictor then runs in batches.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from vljepa.data.features import FeatureCache
from vljepa.data.video import iter_frames
from vljepa.model.vljepa import VLJEPA
from vljepa.types import Clip

_BATCH = 64
"""Frames, or windows of a stream, that pass a network together."""


def cache_features(
    network: VLJEPA,
    folder: str | Path,
    clips: Iterable[Clip],
    num_frames: int,
    precision: str,
    progress: Callable[[int, int], None] | None = None,
) -> FeatureCache:
    """The X-Encoder's features of clips, computed where the cache below ``folder`` lacks them.

    Args:
        num_frames: F, taken of each clip.
        precision: ``float32`` or ``bfloat16`` of matrix products; each has a cache of its own.
        progress: called with (clips done, clips in all).
    """

    def encode(frames: Tensor) -> Tensor:
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            return network.encode_frames(frames)

    return FeatureCache.build(
        folder,
        clips,
        num_frames,
        encode,
        f"{network.x_encoder.fingerprint}-{precision}",
        network.config.x_encoder.frame_size,
        progress=progress,
    )


def stream_tokens(network: VLJEPA, path: str | Path, rate_hz: float) -> tuple[list[float], Tensor]:
    """Times in seconds and visual tokens ``(instants, N, D)`` of the frames of a file; the frames are not kept.

    Raises:
        UserError: the file cannot be read.
    """
    times: list[float] = []
    parts: list[Tensor] = []
    frames = iter_frames(str(path), rate_hz, network.config.x_encoder.frame_size)
    while some := list(islice(frames, _BATCH)):
        times += [time for time, _ in some]
        parts.append(frame_tokens(network, np.stack([frame for _, frame in some])))
    return times, torch.cat(parts)


def frame_tokens(network: VLJEPA, frames: UInt8[np.ndarray, "T S S 3"]) -> Float[Tensor, "T N D"]:
    """Visual tokens of frames, each seen alone; so many pass the X-Encoder together as memory easily holds."""
    batches = torch.from_numpy(frames)[:, None].split(_BATCH)
    return torch.cat([network.encode_frames(batch)[:, 0] for batch in batches])


@torch.inference_mode()
def embed_windows(network: VLJEPA, tokens: Tensor, query: str) -> Tensor:
    """Predicted embeddings ``(instants, E)`` of the last frames at each instant of a stream.

    Args:
        tokens: ``(instants, N, D)`` of the stream's frames.
    """
    rows = window_rows(len(tokens), network.config.x_encoder.num_frames)
    return torch.cat([network.predict(tokens[some].float(), [query] * len(some)) for some in rows.split(_BATCH)])


def window_rows(num_instants: int, num_frames: int) -> Int[Tensor, "instants F"]:
    """Which frames each instant sees: the last ``num_frames``, in order.

    Until the window is full the first frame stands for what came before.
    """
    return (torch.arange(num_instants)[:, None] + torch.arange(1 - num_frames, 1)).clamp(min=0)
