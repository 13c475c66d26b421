"""Tar shards of img2dataset and video2dataset, in which DataComp and YFCC-100M are held.

Format: ``README.md`` of github.com/rom1504/img2dataset and github.com/iejMac/video2dataset; which samples can be used:
``vljepa.data.webdataset``. Images and videos are written out as files, since manifests name files.

The subset of DataComp: ``README.md`` of github.com/mlfoundations/datacomp. A sorted npy array of uids, each 128 bits as
two unsigned 64-bit integers, the upper half first.
"""

import bisect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vljepa.data.prepare.entry import Entry, Found, Job, Unusable
from vljepa.data.prepare.files import sources
from vljepa.data.prepare.readers import each
from vljepa.data.webdataset import Captioned, Spoilt, read_shard
from vljepa.errors import UserError
from vljepa.types import Member

_CHUNK = 1 << 20  # uids looked at together


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
        taken: set[str] = set()
        for found in read_shard(shard):
            if isinstance(found, Spoilt):
                yield Unusable(where=found.where, reason=found.reason, detail=found.what)
                continue
            where = f"{shard}/{found.key}"
            # A key becomes the name of a file, so it must not lead into other folders.
            key = "_".join(part for part in found.key.split("/") if part not in ("", ".", ".."))
            refused = _refused(where, found, chosen)
            if key in taken:
                refused = Unusable(where=where, reason="key used again", detail=f"as the name of a file it is {key}")
            if refused:
                yield refused
                continue
            taken.add(key)
            path = job.out / "media" / name / stem / f"{key}{Path(found.medium.name).suffix.lower()}"
            _extract(shard, found.medium, path)
            yield Entry(where=where, fields={"id": f"{stem}/{key}", "media": str(path), "target": found.caption})
            tell(found.medium.offset + found.medium.size)


def _refused(where: str, found: Captioned, chosen: Callable[[int], bool] | None) -> Unusable | None:
    uid: Any = found.about.get("uid")
    try:
        if chosen and not chosen(int(uid, 16)):
            return Unusable(where=where, reason="uid: is not among the chosen ones")
    except (ValueError, TypeError):
        return Unusable(where=where, reason="uid: is no hexadecimal number", detail=repr(uid))
    return None


def _extract(shard: Path, medium: Member, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.writing")
    with shard.open("rb") as file:
        file.seek(medium.offset)
        aside.write_bytes(file.read(medium.size))
    aside.replace(path)


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
