"""Tar shards of img2dataset and video2dataset, in which DataComp and YFCC-100M are held.

Format: ``README.md`` of github.com/rom1504/img2dataset and github.com/iejMac/video2dataset. Members that follow each
other and have the name ``<key>`` before the first dot are one sample: ``<key>.jpg`` (or another image or video),
``<key>.txt`` with the caption and ``<key>.json`` with ``caption``, ``uid`` and more. Shards are read once, from front
to back; images and videos are written out as files, since manifests name files.

The subset of DataComp: ``README.md`` of github.com/mlfoundations/datacomp. A sorted npy array of uids, each 128 bits as
two unsigned 64-bit integers, the upper half first.
"""

import bisect
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vljepa.data.medium import IMAGES, VIDEOS
from vljepa.data.prepare.entry import Entry, Found, Job, Unusable
from vljepa.data.prepare.files import sources
from vljepa.data.prepare.readers import Tell, each, opened
from vljepa.errors import UserError

_CHUNK = 1 << 20  # uids looked at together


@dataclass(slots=True)
class _Parts:
    """The members of one sample, by suffix."""

    key: str
    members: dict[str, bytes] = field(default_factory=dict)


def read(job: Job, name: str) -> Found:
    """A sample without query for each captioned image or video; ids are shard and key.

    Args:
        name: of the set, for the folder ``media/<name>`` that is written.

    Raises:
        UserError: there are no shards, or the list of uids cannot be used.
    """
    chosen = _subset(job.uids) if job.uids else None
    folder = job.source if job.source.is_dir() else job.source.parent
    for shard, tell in each(sources(job.source, (".tar",)), job):
        stem = shard.relative_to(folder).with_suffix("").as_posix()
        try:
            for parts in _grouped(shard, tell):
                where = f"{shard}: {parts.key}"
                yield _sample(where, parts, chosen, job.out / "media" / name / stem, f"{stem}/{parts.key}")
        except (tarfile.TarError, EOFError) as error:
            yield Unusable(where=str(shard), reason="shard: cannot be read to its end", detail=str(error))


def _grouped(shard: Path, tell: Tell) -> Iterator[_Parts]:
    parts = None
    with opened(shard) as file, tarfile.open(fileobj=file, mode="r|*") as tar:
        for member in tar:
            path = Path(member.name)
            stem, _, suffix = path.name.partition(".")
            # A key becomes the name of a file, so it must not lead into other folders.
            key = "_".join([*(part for part in path.parent.parts if part not in ("/", "..")), stem])
            if parts is not None and parts.key != key:
                yield parts
                parts = None
            content = tar.extractfile(member) if f".{suffix}".lower() in _WANTED else None
            if content is not None:
                parts = parts or _Parts(key=key)
                parts.members[f".{suffix}".lower()] = content.read()
            tell(file.tell())
    if parts is not None:
        yield parts


_WANTED = IMAGES | VIDEOS | {".txt", ".json"}


def _sample(
    where: str, parts: _Parts, chosen: Callable[[int], bool] | None, folder: Path, sample_id: str
) -> Entry | Unusable:
    try:
        about: Any = json.loads(parts.members.get(".json", b"{}"))
        text = parts.members[".txt"].decode() if ".txt" in parts.members else about.get("caption")
        uid = about.get("uid")
    except (ValueError, AttributeError, RecursionError) as error:
        return Unusable(where=where, reason="json, txt: cannot be read", detail=str(error))
    try:
        if chosen and not chosen(int(uid, 16)):
            return Unusable(where=where, reason="uid: is not among the chosen ones")
    except (ValueError, TypeError):
        return Unusable(where=where, reason="uid: is no hexadecimal number", detail=repr(uid))
    suffix = next((suffix for suffix in parts.members if suffix in IMAGES | VIDEOS), None)
    if suffix is None:
        return Unusable(where=where, reason="media: is missing")
    if not isinstance(text, str) or not text.strip():
        return Unusable(where=where, reason="caption: is missing")
    path = folder / f"{parts.key}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.writing")
    aside.write_bytes(parts.members[suffix])
    aside.replace(path)
    return Entry(where=where, fields={"id": sample_id, "media": str(path), "target": text.strip()})


def _subset(path: Path) -> Callable[[int], bool]:
    """Whether a uid is in a DataComp subset, which stays on the disk.

    Raises:
        UserError: the file is no such list, or is not sorted.
    """
    try:
        uids = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise UserError(f"{path}: cannot be opened ({error.strerror or error}); check the path") from error
    except (ValueError, EOFError) as error:
        raise UserError(f"{path}: is no npy file ({error}); name a subset file of DataComp") from error
    if uids.dtype != np.dtype("u8,u8") or uids.ndim != 1:
        raise UserError(f"{path}: holds {uids.dtype}, not pairs of 64-bit integers; name a subset file of DataComp")
    for start in range(0, len(uids), _CHUNK):
        high, low = (uids[start : start + _CHUNK + 1][half] for half in ("f0", "f1"))
        if np.any((high[1:] < high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] < low[:-1]))):
            raise UserError(f"{path}: is not sorted; sort the uids, as DataComp asks")

    def chosen(uid: int) -> bool:
        pair = (uid >> 64, uid & (1 << 64) - 1)
        place = bisect.bisect_left(uids, pair, key=lambda found: found.item())
        return place < len(uids) and uids[place].item() == pair

    return chosen
