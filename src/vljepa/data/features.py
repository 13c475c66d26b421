"""Features of the frozen X-Encoder, computed once per clip and memory-mapped from disk.

A cache lies in a folder named after what its contents depend on: encoder, frames, frame size (``feature_files.py``).
"""

import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from uuid import uuid4

import numpy as np
from jaxtyping import Float16, UInt8
from torch import Tensor, from_numpy

from vljepa.data.decoders import UNREADABLE, Decode, Decoders, Undecodable
from vljepa.data.feature_files import Reader, Row, Writer, read_index
from vljepa.data.left_out import Problem
from vljepa.data.lock import locked
from vljepa.data.video import read_clip
from vljepa.distributed import from_all_ranks, from_rank_0, rank, world_size
from vljepa.errors import UserError
from vljepa.types import Clip

FLOAT16_MAX = 65504.0


class FeatureCache:
    """Features of a set of clips. Made by ``build``; reading needs neither the media nor the encoder."""

    def __init__(self, folder: Path, num_frames: int, rows: dict[Clip, Row], left_out: dict[Clip, Problem]) -> None:
        self.folder = folder
        self.num_frames = num_frames
        """F."""
        self.left_out = left_out
        """What is wrong with each clip that could not be decoded."""
        self._rows = rows
        self._reader = Reader(folder)

    @classmethod
    def build(
        cls,
        folder: str | Path,
        clips: Iterable[Clip],
        num_frames: int,
        encode: Callable[[Tensor], Tensor],
        fingerprint: str,
        size: int,
        workers: int = 2,
        time_limit: float = 30.0,
        batch: int = 16,
        progress: Callable[[int, int], None] | None = None,
        decode: Decode = read_clip,
    ) -> "FeatureCache":
        """Compute what is missing and open the cache. Ranks call it together, and each computes its share.

        A clip is known by its path, size, modification time, start and end; equal clips are stored once.
        Clips that cannot be decoded, or not within the time limit, are left out, listed in ``left_out`` and tried
        again by the next build.
        While another process builds the same cache this one waits, and then computes what is still missing.

        Args:
            folder: parent of all caches, the same for all ranks.
            encode: (B, F, S, S, 3) uint8 frames to (B, T, N, D) features.
            fingerprint: of the encoder: weights, taps, preprocessing. Another one gives another cache.
            size: S, pixels.
            workers: processes that decode for each rank.
            time_limit: seconds for one clip.
            batch: B, clips.
            progress: called with (clips done, clips in all) after each batch, by rank 0, which takes the others to be
                as fast as it is.

        Raises:
            UserError: the cache's own files are damaged.
            OSError: they cannot be written, e.g. because the disk is full.
        """
        about = f"{fingerprint} frames={num_frames} size={size}"
        folder = Path(folder) / hashlib.sha256(about.encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        busy = f"{folder}: another process fills this feature cache; waiting for it"
        with nullcontext() if rank() else locked(folder / "lock", busy, wait=True):
            # Rank 0 alone decides what is missing, so that the shares are disjoint whatever happens to the files.
            keys, row_of, left_out = from_rank_0(({}, {}, {}) if rank() else _known(folder, clips))
            missing = [clip for clip, key in keys.items() if key not in row_of]
            mine = missing[rank() :: world_size()]
            writer = Writer(folder, about, uuid4().hex[:8] if rank() else "", row_of)
            written: dict[str, Row] = {}
            problems: dict[Clip, Problem] = {}
            tell = progress if progress is not None and not rank() else lambda done, total: None
            tell(len(keys) - len(missing), len(keys))
            with closing(_decode(mine, num_frames, size, workers, time_limit, batch, decode)) as batches:
                for done, frames, lost in batches:
                    problems |= lost
                    if frames:
                        features = to_half(encode(from_numpy(np.stack(list(frames.values()))))).detach().cpu().numpy()
                        written |= writer.write({keys[clip]: row for clip, row in zip(frames, features, strict=True)})
                    tell(len(keys) - max(0, len(missing) - done * world_size()), len(keys))
            for rows, lost in from_all_ranks((written, problems)):
                row_of |= rows
                left_out |= lost
        return cls(folder, num_frames, {c: row_of[k] for c, k in keys.items() if k in row_of}, left_out)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, clip: Clip) -> bool:
        return clip in self._rows

    def read(self, keys: Sequence[Clip]) -> Float16[np.ndarray, "B T N D"]:
        """Features of clips that are in the cache, in their order.

        Returns:
            (B, T, N, D) float16, a copy.

        Raises:
            KeyError: a clip is not in the cache (ask ``clip in cache`` first).
        """
        return np.stack([self._reader.read(self._rows[clip]) for clip in keys])


def to_half(features: Tensor) -> Tensor:
    """Features as they are stored: float16, and what lies beyond its range at its ends."""
    return features.float().clamp(-FLOAT16_MAX, FLOAT16_MAX).half()


def _known(folder: Path, clips: Iterable[Clip]) -> tuple[dict[Clip, str], dict[str, Row], dict[Clip, Problem]]:
    """The clips' keys, the rows that hold features of them, and what is wrong with those that cannot be opened."""
    keys: dict[Clip, str] = {}
    left_out: dict[Clip, Problem] = {}
    for clip in dict.fromkeys(clips):
        try:
            keys[clip] = clip_key(clip)
        except UserError as error:
            left_out[clip] = Problem(UNREADABLE, str(error))
    return keys, read_index(folder), left_out


def clip_key(clip: Clip) -> str:
    """What a cache knows a clip by: its file, and what of it is seen.

    Raises:
        UserError: the file cannot be opened.
    """
    parts: list[object] = [clip.start, clip.end]
    if clip.member is not None:
        parts += [clip.member.offset, clip.member.size]
    for path in clip.media:
        try:
            stat = os.stat(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"{path}: cannot be opened ({reason}); check the path") from error
        parts += [path, stat.st_size, stat.st_mtime_ns]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _decode(
    clips: list[Clip], num_frames: int, size: int, workers: int, time_limit: float, batch: int, decode: Decode
) -> Generator[tuple[int, dict[Clip, UInt8[np.ndarray, "F size size 3"]], dict[Clip, Problem]], None, None]:
    """(clips done, frames of some, what is wrong with the others) per batch; the next decodes meanwhile."""
    parts = [clips[i : i + batch] for i in range(0, len(clips), batch)]
    if not parts:
        return
    # Processes take a moment to start: no more of them than there are clips.
    workers = min(workers, len(clips))
    # Left from the inside: the processes are killed first, so that no thread waits for one.
    with ThreadPoolExecutor(workers) as threads, Decoders(workers, time_limit, decode) as decoders:

        def read(clip: Clip) -> np.ndarray | Problem:
            try:
                return decoders.decode(clip, num_frames, size)
            except Undecodable as error:
                return Problem(error.reason, str(error))

        ahead = [threads.submit(read, clip) for clip in parts[0]]
        for i, part in enumerate(parts):
            current = ahead
            ahead = [threads.submit(read, clip) for clip in parts[i + 1]] if i + 1 < len(parts) else []
            results = {clip: future.result() for clip, future in zip(part, current, strict=True)}
            frames = {clip: result for clip, result in results.items() if not isinstance(result, Problem)}
            lost = {clip: result for clip, result in results.items() if isinstance(result, Problem)}
            yield i * batch + len(part), frames, lost
