"""Writes what a converter finds into manifests, and keeps count of what is left out."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vljepa.data.left_out import LeftOut
from vljepa.data.manifest import parse_sample
from vljepa.data.prepare.entry import Entry, Unusable
from vljepa.errors import UserError


@dataclass(slots=True)
class Report:
    """What became of a source."""

    samples: dict[str, int] = field(default_factory=dict)
    """Samples in each manifest, by its path."""
    left_out: LeftOut = field(default_factory=LeftOut)
    """Records, or parts of them, that are in none."""

    def leave_out(self, record: Unusable) -> None:
        """Count it, and note it if it is among the first of its reason."""
        self.left_out.add(record.reason, f"{record.where}: {record.detail}" if record.detail else record.where)

    def lines(self) -> list[str]:
        """A line for each reason."""
        counts = self.left_out.counts
        return [f"{counts[reason]} x {reason}: {'; '.join(named)}" for reason, named in self.left_out.examples.items()]


class _Manifest:
    """A manifest in the making: it gets its name when it is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._aside = path.with_suffix(".writing")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._aside.open("wb")
        self._ids: set[str] = set()

    def add(self, entry: Entry) -> Unusable | None:
        """Write the sample, unless the reader of manifests would refuse it or its media are not there."""
        media = entry.fields.get("media")
        fields = {name: _rounded(value) for name, value in entry.fields.items()}
        if isinstance(media, list):
            fields["media"] = [self._relative(path) for path in media]
        elif isinstance(media, str):
            fields["media"] = self._relative(media)
        try:
            sample = parse_sample(fields, self.path)
            line = (json.dumps(fields, ensure_ascii=False) + "\n").encode()
        except UserError as error:
            name = str(error).split(":")[0]
            return Unusable(where=entry.where, reason=f"{name}: is not what a manifest may hold", detail=str(error))
        except UnicodeEncodeError:
            return Unusable(where=entry.where, reason="text: holds half a character")
        for path in sample.clip.media:
            if not os.path.isfile(path):
                return Unusable(where=entry.where, reason="media: is missing", detail=path)
        if sample.id in self._ids:
            return Unusable(where=entry.where, reason="id: is taken by an earlier sample", detail=sample.id)
        self._ids.add(sample.id)
        self._file.write(line)
        return None

    def __len__(self) -> int:
        return len(self._ids)

    def _relative(self, path: str) -> str:
        return Path(os.path.relpath(path, self.path.parent)).as_posix()

    def finish(self) -> None:
        self._file.close()
        self._aside.replace(self.path)

    def discard(self) -> None:
        """Remove what was written; nothing is left to remove after ``finish``."""
        self._file.close()
        self._aside.unlink(missing_ok=True)


def write(found: Iterable[Entry | Unusable], out: Path, name: str) -> Report:
    """Write the samples to ``out/train/<name>.jsonl``; a run that fails leaves the manifests there as they were.

    Raises:
        UserError: there was nothing in the source, or nothing that could be used.
    """
    report = Report()
    manifests: dict[str, _Manifest] = {}
    try:
        for item in found:
            refused: Unusable | None
            if isinstance(item, Unusable):
                refused = item
            else:
                if item.manifest not in manifests:
                    path = Path(os.path.abspath(out)) / "train" / f"{name}{item.manifest}.jsonl"
                    manifests[item.manifest] = _Manifest(path)
                refused = manifests[item.manifest].add(item)
            if refused:
                report.leave_out(refused)
        if not any(len(manifest) for manifest in manifests.values()):
            why = "; ".join(report.lines()) or "it holds no record"
            raise UserError(f"no sample found, nothing written: {why}")
        for manifest in manifests.values():
            if len(manifest):
                manifest.finish()
                report.samples[str(manifest.path)] = len(manifest)
    finally:
        for manifest in manifests.values():
            manifest.discard()
    return report


def _rounded(value: Any) -> Any:
    """Milliseconds are enough, and 32-bit floats would show a dozen digits of noise."""
    return round(value, 3) if isinstance(value, float) else value
