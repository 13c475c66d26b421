"""Benchmark folders: ``benchmark.json`` and ``items.jsonl`` of one of eight tasks.

Media are named relative to the folder. They must lie below the folder that holds the splits, two levels above the
benchmark's own: ``test/<benchmark>/items.jsonl`` may name ``../../media/x.mp4`` and nothing further up.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vljepa.data.manifest import parse_clip, parse_media, read_jsonl
from vljepa.errors import UserError
from vljepa.types import Clip

_HEAD, _ITEMS = "benchmark.json", "items.jsonl"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item, whatever its task; fields that the task lacks keep their defaults."""

    id: str
    clip: Clip | None = None
    """What is looked at; for ``world_model`` the pair of initial and final image; None for ``triplet``."""
    question: str = ""
    """``choice`` only."""
    truth: str = ""
    """Label or answer."""
    choices: tuple[str, ...] = ()
    """``choice`` only."""
    texts: tuple[str, ...] = ()
    """``retrieval``: texts of the clip; ``caption``: references; ``triplet``: p1, p2, n."""
    candidates: tuple[Clip, ...] = ()
    """``world_model`` only."""
    answer: int = 0
    """``world_model``: index of the right candidate."""
    annotations: tuple[tuple[float, str], ...] = ()
    """``stream``: times in seconds and texts."""
    groups: tuple[str, ...] = ()
    """What figures of its own the item counts in, beside those of all."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A benchmark folder that was read."""

    folder: Path
    name: str
    task: str
    query: str
    """Query of every item; a ``choice`` item has its own question instead."""
    metric: str
    info: dict[str, Any]
    """``benchmark.json`` as it stands."""
    items: list[Item]
    left_out: list[str]
    """One line for each bad line of ``items.jsonl``: file, line, field."""

    @property
    def classes(self) -> list[str]:
        return list(self.info.get("classes", ()))

    @property
    def official_items(self) -> int | None:
        """Size of the official split, where ``benchmark.json`` gives one."""
        size = self.info.get("official_items")
        return size if isinstance(size, int) else None

    @property
    def templates(self) -> list[str]:
        return list(self.info.get("templates") or ["{}"])


def benchmark_folders(folder: Path) -> list[Path]:
    """The folder itself if it is a benchmark, else the benchmarks in it, in the order of their names.

    What else lies in it, such as ``media``, is passed over.

    Raises:
        UserError: it is none and holds none.
    """
    if (folder / _HEAD).is_file():
        return [folder]
    inside = sorted(head.parent for head in folder.glob(f"*/{_HEAD}") if head.is_file())
    if not inside:
        raise UserError(
            f"{folder}: no benchmark here and none in its folders; "
            f"name a folder with {_HEAD} and {_ITEMS}, or one that holds such folders"
        )
    return inside


def read_benchmark(folder: Path, limit: int | None = None) -> Benchmark:
    """Read a benchmark folder; bad items are left out and listed.

    Args:
        limit: read at most so many good items, spread over the file by equal stride.

    Raises:
        UserError: no such folder, ``benchmark.json`` is bad, the task is unknown, or no item is good.
    """
    head = folder / _HEAD
    if not head.is_file() or not (folder / _ITEMS).is_file():
        raise UserError(f"{folder}: no benchmark here; it needs {_HEAD} and {_ITEMS}")
    try:
        info = json.loads(head.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{head}: not JSON ({error})") from error
    task = info.get("task") if isinstance(info, dict) else None
    if task not in _READERS:
        raise UserError(f"{head}: task: {task!r} is not one of {', '.join(_READERS)}")
    if task in ("classification", "anticipation") and not info.get("classes"):
        raise UserError(f"{head}: classes: missing; {task} needs the list of labels")

    if "answers" in info:
        # Thousands of them may be the choices of thousands of items, who then share them.
        info["answers"] = tuple(info["answers"])
    items: list[Item] = []
    left_out: list[str] = []
    ids: set[str] = set()
    for number, values in read_jsonl(folder / _ITEMS, left_out):
        try:
            item = parse_item(values, folder, info)
            if item.id in ids:
                raise UserError(f"id: {item.id!r} stands twice; give each item its own")
        except UserError as error:
            left_out.append(f"{folder / 'items.jsonl'}:{number}: {error}")
            continue
        ids.add(item.id)
        items.append(item)
    if not items:
        raise UserError(left_out[0] if left_out else f"{folder / 'items.jsonl'}: no items")
    if limit is not None and limit < len(items):
        if limit < 1:
            raise UserError(f"limit {limit}: must be at least 1")
        items = [items[i * len(items) // limit] for i in range(limit)]
    return Benchmark(
        folder=folder,
        name=str(info.get("name", folder.name)),
        task=task,
        query=str(info.get("query", "")),
        metric=str(info.get("metric", "")),
        info=info,
        items=items,
        left_out=left_out,
    )


def benchmarks_in(folder: Path, tasks: Sequence[str], limit: int | None = None) -> list[Benchmark]:
    """The benchmarks of some tasks among those that a folder holds, by the names of their folders.

    Args:
        limit: items of each at most.

    Raises:
        UserError: it holds none of one of the tasks, or one that cannot be read.
    """
    found = [read_benchmark(one, limit) for one in benchmark_folders(folder)]
    some = [benchmark for benchmark in found if benchmark.task in tasks]
    for task in tasks:
        if all(benchmark.task != task for benchmark in some):
            raise UserError(f"{folder}: holds no benchmark of the task {task}, which is needed here")
    return some


def parse_item(values: dict[str, Any], folder: Path, info: dict[str, Any]) -> Item:
    """An item of the benchmark in ``folder``, whose ``benchmark.json`` is ``info``.

    Raises:
        UserError: ``field: what; mend``, without file and line.
    """
    return _READERS[info["task"]](_Fields(values, folder, info))


class _Fields:
    """Fields of one line, each checked as it is taken."""

    def __init__(self, values: dict[str, Any], folder: Path, info: dict[str, Any]) -> None:
        self.values, self.folder, self.info = values, folder, info

    def take(self, name: str, kind: type | tuple[type, ...], values: dict[str, Any] | None = None) -> Any:
        value = (self.values if values is None else values).get(name)
        if value is None:
            raise UserError(f"{name}: missing")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise UserError(f"{name}: {value!r} is of the wrong type")
        return value

    def text(self, name: str) -> str:
        value = str(self.take(name, (str, int)))
        if not value.strip():
            raise UserError(f"{name}: empty")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.take(name, list)
        if not values or not all(isinstance(v, str) and v.strip() for v in values):
            raise UserError(f"{name}: must be a list of at least one text, none empty")
        return tuple(values)

    def groups(self) -> tuple[str, ...]:
        """One group or a list of them; none is none."""
        value = self.values.get("group")
        if not value:
            return ()
        return self.texts("group") if isinstance(value, list) else (str(value),)

    def media(self, name: str) -> str:
        paths = parse_media(self.values, name, self.folder / _ITEMS, levels_up=2)
        return paths[0]

    def clip(self, values: dict[str, Any] | None = None) -> Clip:
        values = self.values if values is None else values
        return parse_clip(values, self.folder / _ITEMS, levels_up=2)


def _labelled(f: _Fields) -> Item:
    label = f.text("label")
    if label not in f.info["classes"]:
        raise UserError(f"label: {label!r} is not among the benchmark's classes")
    return Item(id=f.text("id"), clip=f.clip(), truth=label, groups=f.groups())


def _retrieval(f: _Fields) -> Item:
    return Item(id=f.text("id"), clip=f.clip(), texts=f.texts("texts"))


def _choice(f: _Fields) -> Item:
    own = "choices" in f.values
    choices = f.texts("choices") if own else tuple(f.info.get("answers", ()))
    truth = f.text("answer")
    if own and len(set(choices)) < len(choices):
        raise UserError("choices: one of them stands twice")
    if truth not in choices:
        raise UserError(f"answer: {truth!r} is not among the choices")
    return Item(
        id=f.text("id"),
        clip=f.clip(),
        question=f.text("question"),
        truth=truth,
        choices=choices,
        groups=f.groups(),
    )


def _caption(f: _Fields) -> Item:
    return Item(id=f.text("id"), clip=f.clip(), texts=f.texts("references"))


def _world_model(f: _Fields) -> Item:
    candidates = f.take("candidates", list)
    answer = f.take("answer", int)
    if not all(isinstance(c, dict) for c in candidates) or not 0 <= answer < len(candidates):
        raise UserError(f"answer: {answer} is not the index of one of {len(candidates)} candidates")
    pair = Clip(media=(f.media("initial"), f.media("final")))
    return Item(id=f.text("id"), clip=pair, candidates=tuple(f.clip(c) for c in candidates), answer=answer)


def _stream(f: _Fields) -> Item:
    notes = f.take("annotations", list)
    for note in notes:
        if not (
            isinstance(note, dict) and isinstance(note.get("time"), int | float) and isinstance(note.get("text"), str)
        ):
            raise UserError(f"annotations: {note!r} needs a time in seconds and a text")
    if not notes:
        raise UserError("annotations: the list is empty")
    return Item(id=f.text("id"), clip=f.clip(), annotations=tuple((float(n["time"]), n["text"]) for n in notes))


def _triplet(f: _Fields) -> Item:
    texts = (f.text("p1"), f.text("p2"), f.text("n"))
    return Item(id=f.text("id"), texts=texts, groups=f.groups())


_READERS: dict[str, Callable[[_Fields], Item]] = {
    "classification": _labelled,
    "retrieval": _retrieval,
    "choice": _choice,
    "caption": _caption,
    "anticipation": _labelled,
    "world_model": _world_model,
    "stream": _stream,
    "triplet": _triplet,
}
