"""Features of the frozen X-Encoder, computed once per clip and memory-mapped from disk.

A cache lives in a folder named after what its contents depend on (encoder, frames, frame size) and holds:

    about.json        fingerprint and shape of one clip's features
    index.jsonl       one line per clip: its key and its row
    shard-00000.npy   float16 (SHARD_CLIPS, T, N, D); row r lies in shard r // SHARD_CLIPS
    lock              held by the process that builds

Rows are written before the index names them, so a build that is killed continues where it was.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Float16, UInt8
from torch import Tensor, from_numpy

from vljepa.data.lock import locked
from vljepa.data.video import read_clip
from vljepa.errors import UserError
from vljepa.types import Clip

SHARD_CLIPS = 512
"""Clips per file."""
FLOAT16_MAX = 65504.0


class FeatureCache:
    """Features of a set of clips. Made by ``build``; reading needs neither the media nor the encoder."""

    def __init__(self, folder: Path, num_frames: int, rows: dict[Clip, int], left_out: list[str]) -> None:
        self.folder = folder
        self.num_frames = num_frames
        """F."""
        self.left_out = left_out
        """One message per clip that could not be read."""
        self._rows = rows
        self._shards: dict[int, np.ndarray] = {}

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
        batch: int = 16,
        progress: Callable[[int, int], None] | None = None,
    ) -> "FeatureCache":
        """Compute what is missing and open the cache.

        A clip is known by its path, size, modification time, start and end; equal clips are stored once.
        Clips that cannot be read are left out, listed in ``left_out`` and tried again by the next build.
        While another process builds the same cache this one waits, and then computes what is still missing.

        Args:
            folder: parent of all caches.
            encode: (B, F, S, S, 3) uint8 frames to (B, T, N, D) features.
            fingerprint: of the encoder: weights, taps, preprocessing. Another one gives another cache.
            size: S, pixels.
            workers: decoding threads (decoders release Python's lock).
            batch: B, clips.
            progress: called with (clips done, clips in all) after each batch.

        Raises:
            UserError: the cache's own files are damaged.
            OSError: they cannot be written, e.g. because the disk is full.
        """
        about = f"{fingerprint} frames={num_frames} size={size}"
        folder = Path(folder) / hashlib.sha256(about.encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        keys: dict[Clip, str] = {}
        left_out: list[str] = []
        for clip in dict.fromkeys(clips):
            try:
                keys[clip] = _key(clip)
            except UserError as error:
                left_out.append(str(error))
        busy = f"{folder}: another process fills this feature cache; waiting for it"
        with locked(folder / "lock", busy, wait=True):
            row_of = _read_index(folder)
            missing = [clip for clip in keys if keys[clip] not in row_of]
            done, total = len(keys) - len(missing), len(keys)
            if progress is not None:
                progress(done, total)
            writer = _Writer(folder, about, first_row=max(row_of.values(), default=-1) + 1)
            for part, frames, problems in _decode(missing, num_frames, size, workers, batch):
                left_out += problems
                good = [clip for clip in part if clip in frames]
                if good:
                    features = encode(from_numpy(np.stack([frames[clip] for clip in good])))
                    row_of.update(writer.write([keys[clip] for clip in good], features))
                done += len(part)
                if progress is not None:
                    progress(done, total)
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
        return np.stack(
            [self._shard(row // SHARD_CLIPS)[row % SHARD_CLIPS] for row in map(self._rows.__getitem__, keys)]
        )

    def _shard(self, number: int) -> np.ndarray:
        if number not in self._shards:
            self._shards[number] = np.load(_shard_path(self.folder, number), mmap_mode="r")
        return self._shards[number]


def to_half(features: Tensor) -> Tensor:
    """Features as they are stored: float16, and what lies beyond its range at its ends."""
    return features.float().clamp(-FLOAT16_MAX, FLOAT16_MAX).half()


class _Writer:
    """Appends rows to the shards, then names them in the index."""

    def __init__(self, folder: Path, about: str, *, first_row: int) -> None:
        self.folder = folder
        self.about = about
        self.next_row = first_row

    def write(self, keys: list[str], features: Tensor) -> dict[str, int]:
        values = to_half(features.detach()).cpu().numpy()
        self._check_shape(list(values.shape[1:]))
        rows = {key: self.next_row + i for i, key in enumerate(keys)}
        for number in sorted({row // SHARD_CLIPS for row in rows.values()}):
            path = _shard_path(self.folder, number)
            if not path.exists():
                # Made aside and renamed: a shard that exists has its full size.
                aside = path.with_suffix(".tmp")
                np.lib.format.open_memmap(
                    aside, mode="w+", dtype=np.float16, shape=(SHARD_CLIPS, *values.shape[1:])
                ).flush()
                os.replace(aside, path)
            first = np.load(path, mmap_mode="r").offset
            # Written as a file and not through the map: on a full disk that is an error, the map would be the end.
            with path.open("r+b") as file:
                for value, row in zip(values, rows.values(), strict=True):
                    if row // SHARD_CLIPS == number:
                        file.seek(first + row % SHARD_CLIPS * value.nbytes)
                        file.write(value.tobytes())
                file.flush()
                os.fsync(file.fileno())
        with (self.folder / "index.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(_index_line(key, row) for key, row in rows.items())
        self.next_row += len(keys)
        return rows

    def _check_shape(self, shape: list[int]) -> None:
        path = self.folder / "about.json"
        if not path.exists():
            aside = path.with_suffix(".tmp")
            aside.write_text(json.dumps({"about": self.about, "shape": shape}) + "\n", encoding="utf-8")
            os.replace(aside, path)
            return
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))["shape"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}: is damaged; delete the folder {self.folder}") from error
        if stored != shape:
            raise UserError(
                f"{path}: stores features of shape {stored}, found {shape}; delete the folder {self.folder}"
            )


def _shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05d}.npy"


def _read_index(folder: Path) -> dict[str, int]:
    path = folder / "index.jsonl"
    if not path.exists():
        return {}
    content = path.read_bytes()
    # A kill in mid-write leaves half a line, to which the next line must not be glued.
    whole = content[: content.rfind(b"\n") + 1]
    shards = {int(shard.stem.split("-")[1]) for shard in folder.glob("shard-*.npy") if _is_whole(shard)}
    try:
        entries = [json.loads(line) for line in whole.splitlines()]
        # Rows of a lost shard must go, before the shard is made anew with other clips in them.
        kept = {entry["key"]: entry["row"] for entry in entries if entry["row"] // SHARD_CLIPS in shards}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: is damaged ({error}); delete the folder {folder}") from error
    if whole != content or len(kept) != len(entries):
        aside = path.with_suffix(".tmp")
        aside.write_text("".join(_index_line(key, row) for key, row in kept.items()), encoding="utf-8")
        os.replace(aside, path)
    return kept


def _is_whole(shard: Path) -> bool:
    """Whether the file can be mapped; one that is cut short is deleted, its rows are computed anew."""
    try:
        np.load(shard, mmap_mode="r")
    except (ValueError, EOFError):
        shard.unlink()
        return False
    return True


def _index_line(key: str, row: int) -> str:
    return json.dumps({"key": key, "row": row}) + "\n"


def _key(clip: Clip) -> str:
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
    clips: list[Clip], num_frames: int, size: int, workers: int, batch: int
) -> Iterator[tuple[list[Clip], dict[Clip, UInt8[np.ndarray, "F size size 3"]], list[str]]]:
    """(clips, their frames, messages for the unreadable) per batch; the next batch decodes while one is encoded."""

    def read(clip: Clip) -> np.ndarray | str:
        try:
            return read_clip(clip, num_frames, size=size)
        except UserError as error:
            return str(error)

    parts = [clips[i : i + batch] for i in range(0, len(clips), batch)]
    with ThreadPoolExecutor(workers) as pool:
        ahead = [pool.submit(read, clip) for clip in parts[0]] if parts else []
        for i, part in enumerate(parts):
            current = ahead
            ahead = [pool.submit(read, clip) for clip in parts[i + 1]] if i + 1 < len(parts) else []
            results = [future.result() for future in current]
            frames = {c: r for c, r in zip(part, results, strict=True) if not isinstance(r, str)}
            yield part, frames, [r for r in results if isinstance(r, str)]
