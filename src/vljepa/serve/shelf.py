"""The uploads that are kept: their files, and the library that finds moments in them by text."""

import dataclasses
import json
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vljepa.data.video import probe, read_clip
from vljepa.errors import UserError
from vljepa.library import Embedder, Library
from vljepa.library.embedder import fingerprint
from vljepa.serve.engine import Engine, Look, Seen
from vljepa.serve.errors import Refused
from vljepa.serve.worker import ModelWorker
from vljepa.types import Clip

_AT_ONCE = 4
"""Clips of the library embedded in one turn of the model, so that streams need not wait long."""
_log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A file on the shelf."""

    id: str
    name: str
    """What the client called it."""
    suffix: str
    duration: float
    """Seconds; 0 for an image."""
    width: int
    height: int
    fps: float
    size: int
    """Bytes."""
    added: float
    """Seconds since 1970."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A moment of a file that was searched for."""

    kept: Kept
    start: float
    end: float
    score: float


class Shelf:
    """Files by id. A file counts once its card, ``<id>.json``, lies beside it; the library follows by itself.

    A thread brings the library up to date after every change, and at the start: a killed server goes on there.
    """

    def __init__(self, data: Path, engine: Engine, worker: ModelWorker) -> None:
        self.folder = data / "media"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._worker = worker
        self._engine = engine
        self._embedder = Embedder(
            name=engine.name,
            fingerprint=fingerprint(engine.network),
            embed_dim=engine.network.config.embed_dim,
            video_query=engine.network.config.video_query,
            image_query=engine.network.config.image_query,
            encode_clips=self._encode_clips,
            encode_text=self._encode_text,
        )
        # Another model makes a library of its own, and finds it again when it comes back.
        self._library = data / "library" / self._embedder.fingerprint[:16]
        Library.create(self._library, self._embedder)
        self._cards = {card.id: card for card in map(_read_card, sorted(self.folder.glob("*.json"))) if card}
        self._remove_strays()
        self._changed = threading.Event()
        self._changed.set()
        self._closed = False
        self.indexing = True
        """Whether the library is behind the files."""
        self._thread = threading.Thread(target=self._follow, name="library", daemon=True)
        self._thread.start()

    def files(self) -> list[Kept]:
        """Everything kept, newest first."""
        return sorted(self._cards.values(), key=lambda card: -card.added)

    def get(self, id: str) -> Kept | None:
        return self._cards.get(id)

    def path(self, kept: Kept) -> Path:
        return self.folder / f"{kept.id}{kept.suffix}"

    def add(self, name: str, path: Path) -> Kept:
        """Keep a file that was found decodable; it is moved.

        Raises:
            UserError: it cannot be read after all.
        """
        info = probe(path)
        kept = Kept(
            id=secrets.token_hex(8),
            name=name,
            suffix=path.suffix,
            duration=info.duration,
            width=info.width,
            height=info.height,
            fps=info.fps,
            size=path.stat().st_size,
            added=time.time(),
        )
        shutil.move(path, self.path(kept))
        aside = self.folder / f".{kept.id}.json"
        with aside.open("w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(kept), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, self.folder / f"{kept.id}.json")
        self._cards[kept.id] = kept
        self._touch()
        return kept

    def remove(self, kept: Kept) -> None:
        """Delete a file; the library forgets it."""
        self._cards.pop(kept.id, None)
        (self.folder / f"{kept.id}.json").unlink(missing_ok=True)
        self.path(kept).unlink(missing_ok=True)
        self._touch()

    def search(self, text: str, top: int) -> list[Found]:
        """The moments most like a text, best first; of what is indexed so far.

        Raises:
            UserError: the text is blank.
        """
        if not text.strip():
            raise Refused(422, "q: is empty; describe what you look for", "q")
        try:
            return self._search(text, top)
        except UserError:
            # The library was rewritten between the reading of one of its files and the next.
            return self._search(text, top)

    def close(self) -> None:
        """Stop indexing; the next start goes on."""
        self._closed = True
        self._changed.set()
        self._thread.join()

    def _search(self, text: str, top: int) -> list[Found]:
        # Opened anew, it is not changed by the thread that indexes.
        library = Library.open(self._library, self._embedder)
        if not len(library):
            return []
        found = []
        # Clips of files that were just deleted may still be in it.
        for hit in library.search(text, len(library)):
            kept = self._cards.get(Path(hit.path).stem)
            if kept is not None:
                found.append(Found(kept=kept, start=hit.start, end=hit.end, score=hit.score))
            if len(found) == top:
                break
        return found

    def _touch(self) -> None:
        self.indexing = True
        self._changed.set()

    def _remove_strays(self) -> None:
        """Files whose upload was not finished when the server was killed."""
        for path in self.folder.iterdir():
            if path.name.startswith(".") or not path.with_suffix(".json").exists():
                path.unlink()

    def _follow(self) -> None:
        while True:
            self._changed.wait()
            if self._closed:
                return
            self._changed.clear()
            try:
                if self._cards:
                    report = Library.open(self._library, self._embedder).index(self.folder, self._go_on)
                    for problem in report.left_out:
                        _log.warning("library: left out: %s", problem)
            except UserError as error:
                _log.warning("library: %s", error)
            except _Stopped:
                return
            self.indexing = self._changed.is_set()

    def _go_on(self, _: object) -> None:
        if self._closed:
            raise _Stopped

    def _encode_clips(self, clips: Sequence[Clip], queries: Sequence[str]) -> Tensor:
        rows = []
        config = self._engine.network.config.x_encoder
        for first in range(0, len(clips), _AT_ONCE):
            looks = []
            for clip, query in list(zip(clips, queries, strict=True))[first : first + _AT_ONCE]:
                count = self._engine.model.count_frames(clip)
                looks.append(Look(frames=read_clip(clip, count, size=config.frame_size), query=query))
            if self._closed:
                raise _Stopped
            seen = self._worker.follow(self._look_at_all, looks)
            rows += [torch.from_numpy(one.embedding) for one in seen]
        return torch.stack(rows)

    def _look_at_all(self, batches: list[list[Look]]) -> list[list[Seen]]:
        return [self._engine.look(batch) for batch in batches]

    def _encode_text(self, texts: Sequence[str]) -> Tensor:
        encoded = self._worker.ask(self._engine.encode_texts, list(texts))
        return torch.from_numpy(encoded.embeddings)


class _Stopped(Exception):
    """The server ends."""


def _read_card(path: Path) -> Kept | None:
    try:
        return Kept(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        _log.warning("%s: is no card of an upload (%s); left out", path, error)
        return None
