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

from vljepa.data.features import FeatureCache, to_half
from vljepa.data.video import iter_frames
from vljepa.model.network import Network
from vljepa.model.vljepa import VLJEPA
from vljepa.types import Clip

_BATCH = 64
"""Frames, or windows of a stream, that pass a network together."""
_CLIP_FRAMES = 256
"""Frames of clips that pass the X-Encoder together."""


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Matrix products in bfloat16, or everything in float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


@torch.no_grad()
def encode(network: Network, frames: UInt8[Tensor, "B F S S 3"], precision: str) -> Float[Tensor, "B T N D"]:
    """Visual tokens as a feature cache holds them: float16, on the network's device.

    Args:
        precision: ``float32`` or ``bfloat16`` of matrix products.
    """
    parts = frames.split(max(1, _CLIP_FRAMES // frames.shape[1]))
    with autocast(network.device, precision):
        tokens = [to_half(network.encode_frames(part)) for part in parts]
    return torch.cat(tokens)


def cache_features(
    network: Network,
    folder: str | Path,
    clips: Iterable[Clip],
    num_frames: int,
    precision: str,
    progress: Callable[[int, int], None] | None = None,
    *,
    workers: int = 2,
    time_limit: float = 30.0,
) -> FeatureCache:
    """The X-Encoder's features of clips, computed where the cache below ``folder`` lacks them.

    Args:
        num_frames: F, taken of each clip.
        precision: ``float32`` or ``bfloat16`` of matrix products; each has a cache of its own.
        progress: called with (clips done, clips in all).
        workers: processes that decode.
        time_limit: seconds for one clip; one that takes longer is left out.
    """
    return FeatureCache.build(
        folder,
        clips,
        num_frames,
        lambda frames: encode(network, frames, precision),
        f"{network.x_encoder.fingerprint}-{precision}",
        network.config.x_encoder.frame_size,
        workers=workers,
        time_limit=time_limit,
        progress=progress,
    )


def stream_parts(network: Network, path: str | Path, rate_hz: float) -> tuple[list[float], Tensor]:
    """Times in seconds and, by ``window_parts``, what windows over a file's frames are made of.

    Raises:
        UserError: the file cannot be read.
    """
    times: list[float] = []
    parts: list[Tensor] = []
    frames = iter_frames(str(path), rate_hz, network.config.x_encoder.frame_size)
    while some := list(islice(frames, _BATCH)):
        times += [time for time, _ in some]
        parts.append(window_parts(network, torch.from_numpy(np.stack([frame for _, frame in some]))))
    return times, torch.cat(parts)


def window_parts(network: Network, frames: UInt8[Tensor, "F S S 3"]) -> Tensor:
    """Of each frame what is kept for the windows it lies in: visual tokens ``(F, N, D)``, each frame seen alone.

    An X-Encoder that sees a clip's frames together needs the frames themselves, ``(F, S, S, 3)``.
    """
    if network.x_encoder.tubelet > 1:
        return frames
    return torch.cat([network.encode_frames(batch)[:, 0] for batch in frames[:, None].split(_BATCH)])


def window_tokens(network: Network, parts: Tensor) -> Float[Tensor, "B T N D"]:
    """Visual tokens of windows, from their ``window_parts`` ``(B, F, ...)``."""
    return network.encode_frames(parts) if network.x_encoder.tubelet > 1 else parts.float()


@torch.inference_mode()
def embed_windows(network: VLJEPA, parts: Tensor, query: str) -> Tensor:
    """Predicted embeddings ``(instants, E)`` of the last frames at each instant of a stream.

    Args:
        parts: ``window_parts`` of the stream's frames, ``(instants, ...)``.
    """
    rows = window_rows(len(parts), network.config.x_encoder.num_frames)
    return torch.cat(
        [network.predict(window_tokens(network, parts[some]), [query] * len(some)) for some in rows.split(_BATCH)]
    )


def window_rows(num_instants: int, num_frames: int) -> Int[Tensor, "instants F"]:
    """Which frames each instant sees: the last ``num_frames``, in order.

    Until the window is full the first frame stands for what came before.
    """
    return (torch.arange(num_instants)[:, None] + torch.arange(1 - num_frames, 1)).clamp(min=0)
