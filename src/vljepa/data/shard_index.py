"""The index of one WebDataset tar shard: where each sample's medium lies in it, and the sample's caption.

The index is made by one pass over the shard (``webdataset.py``) and kept as JSON Lines: first what the shard was when
it was read, what it holds and what was left out of it, then one line per sample.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vljepa.data.left_out import LeftOut
from vljepa.data.webdataset import Spoilt, read_shard
from vljepa.errors import UserError
from vljepa.types import Clip, Member, Sample


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
            samples, left_out = _scan(shard)
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


_Row = tuple[str, str, int, int, str]


def _scan(shard: Path) -> tuple[list[_Row], LeftOut]:
    """Rows (key, name, offset, size, caption) of the usable samples."""
    rows: list[_Row] = []
    left_out = LeftOut()
    for found in read_shard(shard):
        if isinstance(found, Spoilt):
            left_out.add(found.reason, f"{found.where}: {found.what}")
        else:
            rows.append((found.key, found.medium.name, found.medium.offset, found.medium.size, found.caption))
    return rows, left_out
