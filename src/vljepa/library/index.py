"""Bring a library up to date with a folder."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from torch import Tensor

from vljepa.data.video import probe
from vljepa.errors import UserError
from vljepa.library.embedder import Embedder
from vljepa.library.media import Found, MediaFile, count_spans, spans
from vljepa.library.store import Entry, Store
from vljepa.tasks.unit import unit_rows
from vljepa.types import Clip

BATCH_CLIPS = 16
"""Clips embedded and stored at once: what a killed run loses."""


@dataclass(kw_only=True)
class IndexReport:
    """What a run has done so far."""

    done: int = 0
    """Files embedded by this run, to their end."""
    there: int = 0
    """Files that were in the library already, unchanged."""
    gone: int = 0
    """Files dropped, since they exist no more."""
    left_out: list[str] = field(default_factory=list)
    """A message for each file or folder that could not be read."""
    clips: int = 0
    """Clips embedded by this run."""
    share: float = 0.0
    """Part of this run's bytes that is behind it, in [0, 1]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pending:
    """A clip that waits for its embedding."""

    entry: Entry
    query: str
    share: float
    """As in IndexReport, once this clip is done."""


class IndexRun:
    """One run over one folder; the store is held for writing meanwhile.

    Args:
        found: the folder's files.
    """

    def __init__(self, store: Store, embedder: Embedder, found: Found) -> None:
        self.report = IndexReport(left_out=list(found.problems))
        self._store = store
        self._embedder = embedder
        self._found = found
        self._broken: set[str] = set()

    def run(self, progress: Callable[[IndexReport], None] | None) -> IndexReport:
        """Drop what is gone or changed, embed what is missing; ``progress`` as in ``Library.index``."""
        self._drop()
        stored = Counter(entry.path for entry in self._store.entries)
        whole = {entry.path for entry in self._store.entries if stored[entry.path] == entry.of}
        missing = [file for file in self._found.files if file.path not in whole]
        report = self.report
        report.there = len(self._found.files) - len(missing)
        if progress is not None:
            progress(report)
        pending = self._pending(missing, stored)
        while batch := list(islice(pending, BATCH_CLIPS)):
            good, embeddings = self._embed(batch)
            if good:
                self._store.append([clip.entry for clip in good], unit_rows(embeddings))
            report.clips += len(good)
            report.done += sum(clip.entry.index == clip.entry.of - 1 for clip in good)
            report.share = batch[-1].share
            if progress is not None:
                progress(report)
        return report

    def _drop(self) -> None:
        files = {file.path: file for file in self._found.files}
        gone: set[str] = set()
        kept: list[int] = []
        for row, entry in enumerate(self._store.entries):
            file = files.get(entry.path)
            if file is None and self._found.is_gone(entry.path):
                gone.add(entry.path)
            elif file is None or (entry.size, entry.mtime_ns) == (file.size, file.mtime_ns):
                kept.append(row)
        if len(kept) < len(self._store.entries):
            self._store.keep(kept)
        self.report.gone = len(gone)

    def _pending(self, files: Sequence[MediaFile], stored: Counter[str]) -> Iterator[_Pending]:
        """The clips that are missing, in order; a file is opened when its turn comes."""
        seconds = self._store.about.clip_seconds
        total = sum(file.size for file in files)
        before = 0
        for file in files:
            try:
                info = probe(file.path)
            except UserError as error:
                self.report.left_out.append(str(error))
            else:
                count = count_spans(info.duration, seconds)
                # The same questions as ``Model.caption`` asks.
                query = self._embedder.image_query if info.num_frames == 1 else self._embedder.video_query
                # Clips of a file are stored in order, so those that are there are its first ones.
                for index, (start, end) in islice(enumerate(spans(info.duration, seconds)), stored[file.path], None):
                    if file.path in self._broken:
                        break
                    entry = Entry(
                        path=file.path,
                        size=file.size,
                        mtime_ns=file.mtime_ns,
                        index=index,
                        of=count,
                        start=start,
                        end=end,
                    )
                    yield _Pending(entry=entry, query=query, share=(before + file.size * (index + 1) / count) / total)
            before += file.size

    def _embed(self, batch: list[_Pending]) -> tuple[list[_Pending], Tensor | np.ndarray]:
        """The readable clips of a batch with their embeddings; a file is left out from its first bad clip on."""
        try:
            return batch, self._encode(batch)
        except UserError:
            # It does not say which clip it was: go through them one at a time.
            good: list[_Pending] = []
            rows = [np.empty((0, self._embedder.embed_dim), np.float32)]
            for clip in batch:
                if clip.entry.path in self._broken:
                    continue
                try:
                    rows.append(unit_rows(self._encode([clip])))
                except UserError as error:
                    self._broken.add(clip.entry.path)
                    self.report.left_out.append(str(error))
                else:
                    good.append(clip)
            return good, np.concatenate(rows)

    def _encode(self, batch: Sequence[_Pending]) -> Tensor:
        return self._embedder.encode_clips([_clip(clip.entry) for clip in batch], [clip.query for clip in batch])


def _clip(entry: Entry) -> Clip:
    if entry.of == 1:
        return Clip(media=(entry.path,))
    return Clip(media=(entry.path,), start=entry.start, end=entry.end)
