"""Writes a benchmark folder aside and gives it its name when it is whole."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vljepa.data.left_out import LeftOut
from vljepa.data.medium import VIDEOS
from vljepa.data.video import probe
from vljepa.errors import UserError
from vljepa.evaluation.benchmark import parse_item
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Refused
from vljepa.evaluation.conversion.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Written:
    """A benchmark that is written, and what became of the source."""

    folder: Path
    items: int
    official: int
    """Size of the official split."""
    left_out: LeftOut
    """Records without an item, by reason."""
    repaired: LeftOut
    """What was mended or is noteworthy, by reason."""
    missing: Path | None
    """File that lists the media that are not there."""


class Writer:
    """One benchmark in the making."""

    def __init__(self, spec: Spec, files: Files, out: Path) -> None:
        out = Path(os.path.abspath(out))
        self._spec, self._files = spec, files
        self._folder = out / "test" / spec.name
        # As deep as the folder itself, so that relative paths hold; hidden, so that `eval OUT/test/*` passes it over.
        self._aside = out / "test" / f".{spec.name}.writing"
        self._missing = out / "missing" / f"{spec.name}.txt"
        self._durations: dict[str, float] = {}

    def write(self, partial: bool, progress: Callable[[int, int], None]) -> Written:
        """Write the folder aside.

        Raises:
            UserError: a file cannot be read, nothing in it can be used, or it is not the whole split and
                ``partial`` does not accept that.
        """
        spec, files = self._spec, self._files
        if foreign := sorted({path.name for path in self._folder.glob("*")} - {"benchmark.json", "items.jsonl"}):
            raise UserError(f"{self._folder}: holds {foreign[0]}, which is no part of a benchmark; move it away")
        self.discard()
        self._aside.mkdir(parents=True)
        content = spec.read(files)
        info = {
            "name": spec.name, "task": spec.task, "metric": spec.metric, "query": spec.query,
            **({} if spec.paper is None else {"paper": spec.paper}), **content.info,
        }  # fmt: skip
        total = len(content.records) if isinstance(content.records, Sized) else spec.items or 0
        ids: set[str] = set()
        truths: Counter[str] = Counter()
        with (self._aside / "items.jsonl").open("w", encoding="utf-8", newline="\n") as file:
            for done, record in enumerate(content.records, start=1):
                try:
                    fields = content.item(record)
                    if fields is not None:
                        fields = self._checked(fields, info, ids)
                        file.write(json.dumps(fields, ensure_ascii=False) + "\n")
                        truths[str(fields.get("label", ""))] += 1
                except Refused as refused:
                    detail = f": {refused.detail}" if refused.detail else ""
                    files.left_out.add(refused.reason, f"{record.where}{detail}")
                progress(done, max(done, total))
        for name in info.get("classes", ()):
            if name not in truths:
                files.repaired.add("classes: one has no item, it stays a candidate", name)
        self._list_missing()
        official = spec.items if spec.items is not None else len(ids) + len(files.left_out)
        self._check(len(ids), official, len(info.get("classes", ())), partial)
        info |= {"items": len(ids), "official_items": official}
        info |= {"left_out": files.left_out.counts, "repaired": files.repaired.counts}
        text = json.dumps(info, ensure_ascii=False, indent=1) + "\n"
        (self._aside / "benchmark.json").write_text(text, encoding="utf-8")
        return Written(
            folder=self._folder, items=len(ids), official=official, left_out=files.left_out,
            repaired=files.repaired, missing=self._missing if files.missing else None,
        )  # fmt: skip

    def finish(self) -> None:
        """Put what was written in its place, and what was there before away."""
        old = self._aside.with_suffix(".old")
        if self._folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            self._folder.rename(old)
        self._aside.rename(self._folder)
        shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Remove what was written; nothing is left to remove after ``finish``."""
        shutil.rmtree(self._aside, ignore_errors=True)

    def _checked(self, fields: dict[str, Any], info: dict[str, Any], ids: set[str]) -> dict[str, Any]:
        """The item as it is written, unless the reader of benchmarks would refuse it."""
        fields = self._relative(self._within(_rounded(fields)))
        try:
            json.dumps(fields, ensure_ascii=False).encode()
            item = parse_item(fields, self._aside, info)
        except UnicodeEncodeError as error:
            raise Refused("text: holds half a character") from error
        except UserError as error:
            raise Refused(f"{str(error).split(':')[0]}: is not what a benchmark may hold", str(error)) from error
        if item.id in ids:
            raise Refused("id: is taken by an earlier item", item.id)
        ids.add(item.id)
        return fields

    def _within(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The item with times that lie in its video; one that cannot be opened is left to the evaluation to name."""
        if "candidates" in fields:
            return {**fields, "candidates": [self._within(candidate) for candidate in fields["candidates"]]}
        media, timed = fields.get("media"), {"start", "end", "annotations"} & set(fields)
        if not timed or not isinstance(media, str) or Path(media).suffix.lower() not in VIDEOS:
            return fields
        if media not in self._durations:
            try:
                self._durations[media] = probe(media).duration
            except UserError:
                self._durations[media] = float("inf")
        duration = self._durations[media]
        if fields.get("start", 0) >= duration:
            raise Refused(
                "start: lies past the end of the video", f"{fields['start']:g} s of {duration:.2f} s, {media}"
            )
        if "end" in fields and fields["end"] > duration:
            self._files.repaired.add(
                "end: lies past the end of the video, cut to it",
                f"{fields['end']:g} s of {duration:.2f} s, {media}",
            )
            fields = {**fields, "end": round(duration, 3)}
        if late := [note for note in fields.get("annotations", ()) if note["time"] > duration]:
            for note in late:
                self._files.repaired.add(
                    "annotations: one lies past the end of the video, dropped",
                    f"{note['time']:g} s of {duration:.2f} s, {media}",
                )
            fields = {**fields, "annotations": [note for note in fields["annotations"] if note["time"] <= duration]}
        return fields

    def _relative(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Paths as seen from the folder."""
        found = dict(fields)
        for name in ("media", "initial", "final"):
            if isinstance(found.get(name), str):
                found[name] = Path(os.path.relpath(found[name], self._folder)).as_posix()
        if "candidates" in found:
            found["candidates"] = [self._relative(candidate) for candidate in found["candidates"]]
        return found

    def _list_missing(self) -> None:
        if self._files.missing:
            self._missing.parent.mkdir(parents=True, exist_ok=True)
            self._missing.write_text("".join(f"{name}\n" for name in self._files.missing), encoding="utf-8")
        else:
            self._missing.unlink(missing_ok=True)

    def _check(self, items: int, official: int, classes: int, partial: bool) -> None:
        """Compare with the official split."""
        name, left_out = self._spec.name, self._files.left_out
        why = "; ".join(
            f"{left_out.counts[reason]} x {reason}: {'; '.join(named)}" for reason, named in left_out.examples.items()
        )
        if self._files.missing:
            why += f"; all {len(self._files.missing)} missing media are listed in {self._missing}"
        if not items:
            raise UserError(f"{name}: no item found, nothing written: {why or 'the file holds no record of the split'}")
        if partial:
            return
        if items != official:
            raise UserError(
                f"{name}: {items:,} items found, the official split has {official:,}; give --partial to take them"
                + (f": {why}" if why else "")
            )
        if self._spec.classes not in (None, classes):
            raise UserError(
                f"{name}: {classes:,} classes found, the official split has {self._spec.classes:,}; is it another "
                "release? give --partial to take it"
            )


def _rounded(value: Any) -> Any:
    """Times to the millisecond: 32-bit floats would show a dozen digits of noise."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value, 3) if isinstance(value, float) else value
