"""What a WebDataset tar shard holds: which members make a sample, and whether it can be used.

A shard is an uncompressed tar file as img2dataset and video2dataset write it. Members whose names are equal up to the
first dot of the base name make a sample:

    000000012.jpg    the image, or the video: any suffix of VIDEOS or IMAGES, exactly one
    000000012.txt    the caption, UTF-8
    000000012.json   optional; its ``caption`` stands in for a missing .txt, a ``status`` other than success leaves the
                     sample out
"""

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vljepa.data.medium import IMAGES, VIDEOS
from vljepa.types import Member

_NAME = re.compile(r"(?:\./)?((?:.*/)?[^/.][^/.]*)(\.[^/]*)")
"""Key and suffix. What has none, such as a folder or a file system's own ``._x.jpg``, is no part of a sample."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Captioned:
    """A medium with its caption."""

    key: str
    medium: Member
    caption: str
    """Neither blank nor with white space around it."""
    about: dict[str, Any]
    """The fields of the .json."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoilt:
    """A sample that cannot be used, or the shard from where it breaks off: how many it lost cannot be known."""

    where: str
    """Shard and key."""
    reason: str
    what: str
    """Is wrong with it, and how to mend it."""


@dataclass(slots=True)
class _Parts:
    """The members of one sample."""

    media: list[Member] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    """``.txt`` and ``.json``."""


def read_shard(shard: Path) -> Iterator[Captioned | Spoilt]:
    """What is wrong with the shard as a whole, then its samples in the order of the tar.

    One pass over the tar's headers, which reads texts and no media. Of a key that is used again the first members are
    taken, and the others are spoilt.
    """
    parts: dict[str, _Parts] = {}
    repeated: set[str] = set()
    try:
        for name, info, content in _members(shard):
            matched = _NAME.fullmatch(name)
            if matched is None:
                continue
            key, suffix = matched[1], matched[2].lower()
            sample = parts.setdefault(key, _Parts())
            if suffix in sample.texts or any(Path(known.name).suffix.lower() == suffix for known in sample.media):
                repeated.add(key)
            elif content is not None:
                sample.texts[suffix] = content
            elif suffix in VIDEOS | IMAGES:
                sample.media.append(Member(name=name, offset=info.offset_data, size=info.size))
    except _BrokenShard as error:
        yield Spoilt(where=str(shard), reason="broken shard", what=f"{error}; fetch it again")
    for key in sorted(repeated):
        what = "only its first members are taken; rename the others"
        yield Spoilt(where=f"{shard}/{key}", reason="key used again", what=what)
    for key, sample in parts.items():
        try:
            yield _captioned(key, sample)
        except _Unusable as error:
            yield Spoilt(where=f"{shard}/{key}", reason=error.reason, what=str(error))


class _BrokenShard(Exception):
    """The tar cannot be read on from here."""


def _members(shard: Path) -> Iterator[tuple[str, tarfile.TarInfo, bytes | None]]:
    """(name, header, content) of each file; of texts alone the content is read."""
    try:
        size = shard.stat().st_size
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


def _captioned(key: str, sample: _Parts) -> Captioned:
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
    return Captioned(key=key, medium=medium, caption=caption.strip(), about=about)
