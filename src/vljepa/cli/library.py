"""The video library: ``index`` a folder, ``search`` it by text."""

import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from vljepa.cli.common import AsJson, ModelName, show

if TYPE_CHECKING:
    from vljepa.library import IndexReport

LibraryFolder = Annotated[Path, tyro.conf.arg(name="library", help="Folder of the library.")]


def index(
    folder: Annotated[Positional[Path], tyro.conf.arg(metavar="DIR", help="Folder of videos and images.")],
    library: LibraryFolder,
    model: ModelName = "nano",
    clip_seconds: Annotated[float, tyro.conf.arg(help="Longer videos are cut into clips of this length.")] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Index the videos and images below a folder for search; the same command again does what is new or changed.

    A run that is stopped is continued by the same command. Files that are gone are dropped from the library.

    Example: vljepa index videos --library out/library
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    from vljepa.library import Embedder, Library
    from vljepa.library.media import find_media

    # A mistyped folder is told at once, before seconds go into the model and a library is made for nothing.
    find_media(folder)
    opened = Library.create(library, Embedder.load(model), clip_seconds)
    columns = ("indexing", BarColumn(), TaskProgressColumn(), "{task.fields[rate]}", TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("indexing", total=1.0, rate="")
        began = time.monotonic()
        told = 0

        def progress(report: "IndexReport") -> None:
            nonlocal told
            for problem in report.left_out[told:]:
                bar.console.print(f"vljepa: left out: {_shown(problem)}", markup=False, highlight=False, soft_wrap=True)
            told = len(report.left_out)
            rate = report.clips / max(time.monotonic() - began, 1e-9)
            bar.update(task, completed=report.share, rate=f"{report.clips} clips, {rate:.1f} clips/s")

        report = opened.index(folder, progress)
        progress(report)
    show(
        {**dataclasses.asdict(report), "library_clips": len(opened)},
        [
            f"{report.done} files done ({report.clips} clips), {report.there} already there, {report.gone} gone, "
            f"{len(report.left_out)} left out; {library} holds {len(opened)} clips"
        ],
        as_json,
    )
    if not report.done + report.there:
        sys.exit(1)


def search(
    library: Annotated[Positional[Path], tyro.conf.arg(metavar="LIBRARY", help="Folder of the library.")],
    text: Annotated[Positional[str], tyro.conf.arg(metavar="TEXT", help="What is to be found.")],
    top: Annotated[int, tyro.conf.arg(help="How many clips to show.")] = 10,
    model: Annotated[str | None, tyro.conf.arg(help="Where the library's model lies now, if it was moved.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the clips of a library that are most like a text: score, file, start and end.

    Example: vljepa search out/library "a red cube is lifted" --top 5
    """
    from vljepa.library import Embedder, Library

    hits = Library.open(library, None if model is None else Embedder.load(model)).search(text, top)
    lines = [
        f"{hit.score:6.3f}  {_shown(hit.path)}" + (f"  {hit.start:.1f} s to {hit.end:.1f} s" if hit.end else "")
        for hit in hits
    ]
    show({"hits": [dataclasses.asdict(hit) for hit in hits]}, lines, as_json)


def _shown(text: str) -> str:
    """A file name may hold line breaks, or bytes that are no text and cannot be printed."""
    return text if text.isprintable() else repr(text)[1:-1]
