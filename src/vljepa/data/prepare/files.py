"""Where the files of a data set lie."""

import os
from collections.abc import Iterator
from pathlib import Path

from vljepa.data.medium import VIDEOS
from vljepa.errors import UserError


def sources(source: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The source itself, or the files below it that have one of the suffixes, sorted.

    Raises:
        UserError: the folder holds none.
    """
    if source.is_file():
        return [source]
    found = [path for path in walk(source) if path.name.endswith(suffixes)]
    if not found:
        raise UserError(f"{source}: holds no file that ends in {' or '.join(suffixes)}; check SOURCE")
    return found


def walk(folder: Path) -> Iterator[Path]:
    """The files below a folder, in an order that does not depend on the file system; hidden ones are passed over."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def videos_by_name(folder: Path) -> dict[str, Path]:
    """The videos below a folder by their names without suffix; of two with the same name, the first in order."""
    found: dict[str, Path] = {}
    for path in walk(folder):
        if path.suffix.lower() in VIDEOS:
            found.setdefault(path.stem, path)
    return found


def below(out: Path, folder: Path, name: str) -> Path:
    """The folder as it is reached from ``out``: itself if it lies there, else by a link ``media/<name>``.

    A manifest must not name files outside its data set (``vljepa.data.manifest``), and media seldom lie where they
    are wanted; a link the user asked for is the user's own.

    Raises:
        UserError: there is no such folder, or something else is at the place of the link.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: is not a folder; name the folder of the videos or images with --media")
    folder, out = Path(os.path.abspath(folder)), Path(os.path.abspath(out))
    if folder.is_relative_to(out):
        return folder
    link = out / "media" / name
    if not os.path.lexists(link):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folder)
    elif not link.is_dir() or not link.samefile(folder):
        raise UserError(f"{link}: is not {folder}; move it away, or choose another OUT")
    return link
