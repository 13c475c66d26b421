"""The index of one WebDataset tar shard: where each sample's medium lies in it, and the sample's caption.

A shard is an uncompressed tar file as img2dataset and video2dataset write it. Members whose names are equal up to the
first dot of the base name make a sample:

    000000012.jpg    the image, or the video: any suffix of VIDEOS or IMAGES
    000000012.txt    the caption, UTF-8
    000000012.json   optional; its ``caption`` stands in for a missing .txt, a ``status`` other than success leaves the
                     sample out

The index is made by one pass over the tar's headers that reads only texts, and kept as JSON Lines: first what the
shard was when it was read, what it holds and what was left out of it, then one line per sample.
"""

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vljepa.data.left_out import LeftOut
from vljepa.data.medium import IMAGES, VIDEOS
from vljepa.errors import UserError
from vljepa.types import Clip, Member, Sample

_NAME = re.compile(r"(?:\./)?((?:.*/)?[^/.][^/.]*)(\.[^/]*)")
"""Key and suffix. What has none, such as a folder or a file system's own ``._x.jpg``, is no part of a sample."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardIndex:
    """What a shard holds; the samples themselves stay on disk until they are asked for."""

    shard: Path
    num_samples: int
    left_out: LeftOut
    """Samples that cannot be used. A shard that breaks off counts once: how many it lost cannot be known."""
    path: Path
    """Of the index."""

    @classmethod
    def open(cls, shard: Path, folder: Path) -> "ShardIndex":
        """The shard's index in ``folder``, made anew if it is absent or the shard's size or time has changed.

        Raises:
            UserError: there is no such shard.
            OSError: the index cannot be written.
        """
        shard = Path(os.path.abspath(shard))
        try:
            stat = shard.stat()
        except OSError as error:
            raise UserError(f"{shard}: cannot be opened ({error.strerror}); check the list of shards") from error
        path = folder / f"{shard.stem}-{hashlib.sha256(str(shard).encode()).hexdigest()[:16]}.jsonl"
        about = {"shard": str(shard), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
        known = _first_line(path)
        if {name: known.get(name) for name in about} != about:
            samples, left_out = _scan(shard, stat.st_size)
            known = about | {"num_samples": len(samples), "left_out": left_out.to_json()}
            aside = path.with_suffix(".writing")
            with aside.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in (known, *samples))
            os.replace(aside, path)
        left_out = LeftOut.from_json(known["left_out"])
        return cls(shard=shard, num_samples=known["num_samples"], left_out=left_out, path=path)

    def samples(self) -> list[Sample]:
        """All samples in the order of the tar, without a query: ids are ``shard/key``."""
        with self.path.open(encoding="utf-8") as file:
            next(file)
            return [self._sample(*json.loads(line)) for line in file]

    def _sample(self, key: str, name: str, offset: int, size: int, caption: str) -> Sample:
        member = Member(name=name, offset=offset, size=size)
        clip = Clip(media=(str(self.shard),), member=member)
        return Sample(id=f"{self.shard.name}/{key}", clip=clip, query="", targets=(caption,))


def _first_line(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    with path.open(encoding="utf-8") as file:
        return dict(json.loads(next(file)))


@dataclass(slots=True)
class _Parts:
    """The members of one sample."""

    media: list[Member] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    """``.txt`` and ``.json``."""


_Row = tuple[str, str, int, int, str]


def _scan(shard: Path, size: int) -> tuple[list[_Row], LeftOut]:
    """Rows (key, name, offset, size, caption) of the usable samples."""
    parts: dict[str, _Parts] = {}
    left_out = LeftOut()
    repeated: set[str] = set()
    try:
        for name, info, content in _members(shard, size):
            matched = _NAME.fullmatch(name)
            if matched is None:
                continue
            key, suffix = matched[1], matched[2].lower()
            sample = parts.setdefault(key, _Parts())
            member = Member(name=name, offset=info.offset_data, size=info.size)
            if suffix in sample.texts or any(Path(known.name).suffix.lower() == suffix for known in sample.media):
                repeated.add(key)
            elif content is not None:
                sample.texts[suffix] = content
            elif suffix in VIDEOS | IMAGES:
                sample.media.append(member)
    except _BrokenShard as error:
        left_out.add("broken shard", f"{shard}: {error}; fetch it again")
    for key in sorted(repeated):
        left_out.add("key used again", f"{shard}/{key}: only its first members are taken; rename the others")
    rows = []
    for key, sample in parts.items():
        try:
            rows.append(_row(key, sample))
        except _Unusable as error:
            left_out.add(error.reason, f"{shard}/{key}: {error}")
    return rows, left_out


class _BrokenShard(Exception):
    """The tar cannot be read on from here."""


def _members(shard: Path, size: int) -> Iterator[tuple[str, tarfile.TarInfo, bytes | None]]:
    """(name, header, content) of each file; of texts alone the content is read."""
    try:
        with tarfile.open(shard, "r:", encoding="utf-8", errors="replace") as tar:
            for info in tar:
                if info.offset_data + info.size > size:
                    raise _BrokenShard(f"cut short within {info.name}")
                if info.isreg():
                    file = tar.extractfile(info) if info.name.lower().endswith((".txt", ".json")) else None
                    yield info.name, info, file.read() if file else None
            # A header that is no header ends the loop as silently as the archive's true end, which is zeros or nothing.
            with shard.open("rb") as file:
                file.seek(tar.offset)
                if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
                    raise _BrokenShard(f"damaged at byte {tar.offset}")
    except tarfile.TarError as error:
        raise _BrokenShard(f"is no whole, uncompressed tar ({error})") from error
    except OSError as error:
        raise _BrokenShard(f"cannot be read ({error.strerror})") from error


class _Unusable(Exception):
    """A sample that must be left out."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def _row(key: str, sample: _Parts) -> _Row:
    about: Any = {}
    if ".json" in sample.texts:
        try:
            about = json.loads(sample.texts[".json"])
        except (ValueError, RecursionError) as error:
            raise _Unusable("broken .json", "its .json is no JSON; write it again") from error
        if not isinstance(about, dict):
            raise _Unusable("broken .json", "its .json is no object; write it again")
    if about.get("status", "success") != "success":
        raise _Unusable("download failed", f"its .json says status {about['status']!r}")
    if len(sample.media) != 1:
        names = ", ".join(member.name for member in sample.media)
        reason = "several media" if sample.media else "no medium"
        raise _Unusable(reason, f"one video or image is needed, found {names or 'none'}")
    try:
        caption = sample.texts.get(".txt", b"").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Unusable("caption is not UTF-8", f"its .txt is not UTF-8 (byte {error.start}); convert it") from error
    caption = caption.strip() or about.get("caption")
    if not isinstance(caption, str) or not caption.strip():
        raise _Unusable("no caption", "it has no .txt, and no caption in its .json; add one")
    try:
        caption.encode()
    except UnicodeEncodeError as error:
        raise _Unusable("caption is not UTF-8", "the caption in its .json holds half a character") from error
    (medium,) = sample.media
    return key, medium.name, medium.offset, medium.size, caption.strip()
