"""The video library: index a folder once, then find the moment a text speaks of (paper, section 4.1).

from vljepa.library import Embedder, Library
library = Library.create("library", Embedder.load("runs/nano/model"))
library.index("videos")
for hit in library.search("a red cube is lifted"):
    print(hit.score, hit.path, hit.start, hit.end)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vljepa.errors import UserError
from vljepa.library.embedder import Embedder
from vljepa.library.index import IndexReport, IndexRun
from vljepa.library.media import find_media
from vljepa.library.store import About, Store
from vljepa.tasks.retrieve import rank

CLIP_SECONDS = 10.0
"""Default length of a clip of a longer file, seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A clip that was found."""

    path: str
    """Absolute path of the file."""
    start: float
    """Seconds."""
    end: float
    """Seconds; 0 for a still image."""
    score: float
    """Cosine similarity of its embedding and the text's, in [-1, 1]."""


class Library:
    """Clips of videos and images with their embeddings, all by one model. Made by ``create`` and ``open``."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        about = store.about
        if (about.fingerprint, about.embed_dim) != (embedder.fingerprint, embedder.embed_dim):
            raise UserError(
                f"{store.folder}: was made by {about.model} with other weights than those of {embedder.name} now; "
                "use the model that made it, or name a new library"
            )
        self._store = store
        self._embedder = embedder

    @classmethod
    def open(cls, folder: str | Path, embedder: Embedder | None = None) -> "Library":
        """A library that exists, with the model it remembers unless one is given.

        Raises:
            UserError: there is no such library, it is damaged, or another model made it.
        """
        store = Store(Path(folder))
        return cls(store, embedder or Embedder.load(store.about.model))

    @classmethod
    def create(cls, folder: str | Path, embedder: Embedder, clip_seconds: float = CLIP_SECONDS) -> "Library":
        """A new library, or the one that is there if the same model made it with clips of the same length.

        Args:
            clip_seconds: longer files are cut into clips of this length, so that a search finds the moment.

        Raises:
            UserError: the library there is another one or damaged; the length is not a positive number.
        """
        if not (clip_seconds > 0 and math.isfinite(clip_seconds)):
            raise UserError(f"clip-seconds: expected seconds above 0, found {clip_seconds:g}")
        folder = Path(folder)
        if not Store.exists(folder):
            about = About(
                model=embedder.name,
                fingerprint=embedder.fingerprint,
                embed_dim=embedder.embed_dim,
                clip_seconds=clip_seconds,
            )
            return cls(Store.create(folder, about), embedder)
        library = cls(Store(folder), embedder)
        made_with = library._store.about.clip_seconds
        if made_with != clip_seconds:
            raise UserError(
                f"{folder}: was made with --clip-seconds {made_with:g}, not {clip_seconds:g}; "
                "give that, or name a new library"
            )
        return library

    def __len__(self) -> int:
        """Number of clips."""
        return len(self._store.entries)

    def index(self, folder: str | Path, progress: Callable[[IndexReport], None] | None = None) -> IndexReport:
        """Embed what is new or changed below a folder, and drop what is gone from it.

        A file is known by path, size and modification time. A run that is killed loses the batch in hand alone.
        A file that cannot be read to its end stays in the library up to there, and the next run tries it again.

        Args:
            progress: called with the report so far, at the start and after each batch.

        Raises:
            UserError: the folder holds no video or image, or another process indexes into this library.
        """
        found = find_media(folder)
        with self._store.writing():
            return IndexRun(self._store, self._embedder, found).run(progress)

    def search(self, text: str, top: int = 10) -> list[Hit]:
        """The clips most like a text, best first.

        Args:
            top: how many; all clips if there are fewer.

        Raises:
            UserError: the text is blank, ``top`` is below 1, or the library is empty or damaged.
        """
        if not text.strip():
            raise UserError("search: the text is empty; describe what you look for")
        if not len(self):
            raise UserError(f"{self._store.folder}: holds no clips yet; index a folder of videos into it first")
        rows, scores = rank(self._embedder.encode_text([text]), self._store.embeddings(), top)
        found = [self._store.entries[row] for row in rows[0]]
        return [
            Hit(path=entry.path, start=entry.start, end=entry.end, score=float(score))
            for entry, score in zip(found, scores[0], strict=True)
        ]
