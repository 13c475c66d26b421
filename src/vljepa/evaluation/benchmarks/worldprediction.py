"""WorldPrediction-WM: a first and a last picture, and four clips of which one tells what happened between.

Licence: its own, and those of its sources (COIN, CrossTask, Ego-Exo4D, EPIC-KITCHENS-100, IKEA-ASM).
Link: https://github.com/facebookresearch/WorldPrediction.
Split: 825 items of four candidates (from memory).
Protocol: the pair of pictures is embedded under the query, each clip as a caption's subject; the nearest clip is the
answer; accuracy.
Paper (table 3): BASE 63.9, SFT 65.7.

File: ``WorldPrediction-WM.json``, as an issue of the repository calls it. Its form is not public knowledge, so the user
says where things are: ``--options fields=FIELDS.json``, an object of paths into a record such as ``states.initial``, in
which a number counts into a list:

    records      where the records are in the file, default the top; a list, or an object whose keys are then their ids
    id           default: the record's key or place
    initial, final                       the pictures
    candidates                           the list of clips: names, or objects
    media, start, end                    in a candidate that is an object; start and end are optional
    answer                               place of the right candidate counted from 0, or its name

Media are named by path or id; of ``segment|COIN|U9bZX2wABWQ_000``, the form that the README's beginning shows, the last
part is the id, and before it the folder if there is one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import CAPTION, BenchmarkSet, Content, Spec

_NEEDED = ("initial", "final", "candidates", "answer")
_KNOWN = ("records", "id", *_NEEDED, "media", "start", "end")


def _items(files: Files) -> Content:
    fields = _fields(files)
    path = files.path("WorldPrediction-WM.json", "wm.json", main=True)
    records = _records(path, files.json(path), fields.get("records", ""))

    def item(record: Record) -> dict[str, Any]:
        names, candidates = [], []
        for value in _list(record.fields, fields["candidates"]):
            name = _name(_at(value, fields.get("media", "media")) if isinstance(value, dict) else value, "candidates")
            times = Record(where=record.where, fields=_times(value, fields))
            names.append(name)
            clip: dict[str, Any] = {"media": files.medium(*_alternatives(name), named=name)}
            for end in ("start", "end"):
                if times.get(end) is not None:
                    clip[end] = times.seconds(end)
            candidates.append(clip)
        pictures = {}
        for which in ("initial", "final"):
            name = _name(_at(record.fields, fields[which]), which)
            pictures[which] = files.image(*_alternatives(name), named=name)
        own = _at(record.fields, fields["id"]) if "id" in fields else record.key
        answer = _answer(_at(record.fields, fields["answer"]), names)
        return {"id": _name(own, "id"), **pictures, "candidates": candidates, "answer": answer}

    return Content(records=records, item=item, info={"candidate_query": CAPTION})


def _fields(files: Files) -> Mapping[str, str]:
    given = files.option("fields")
    if not given:
        raise UserError("worldprediction: needs --options fields=FIELDS.json, which says where things are in its file")
    fields = files.json(Path(given))
    if not isinstance(fields, dict) or not all(isinstance(path, str) for path in fields.values()):
        raise UserError(f'{given}: is not an object of texts; write one such as {{"initial": "states.initial"}}')
    for name in fields:
        if name not in _KNOWN:
            raise UserError(f"{given}: {name}: is none of {', '.join(_KNOWN)}")
    for name in _NEEDED:
        if name not in fields:
            raise UserError(f"{given}: {name}: is missing; say where it is in a record")
    return fields


def _records(path: Path, value: Any, where: str) -> list[Record]:
    try:
        value = _at(value, where) if where else value
    except Refused as refused:
        raise UserError(f"{path}: {refused.reason}; check `records` in the file of the fields") from refused
    if isinstance(value, list):
        value = {str(i): fields for i, fields in enumerate(value)}
    if not isinstance(value, dict):
        raise UserError(f"{path}: {where or 'the top'}: is neither a list nor an object of records")
    return [
        Record(where=f"{path}: record {key}", key=key, fields=fields if isinstance(fields, dict) else {})
        for key, fields in value.items()
    ]


def _at(value: Any, path: str) -> Any:
    """What is at the end of a path such as ``states.0.image``."""
    for part in path.split("."):
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            raise Refused(f"{path}: is missing")
    return value


def _list(value: Any, path: str) -> list[Any]:
    found = _at(value, path)
    if not isinstance(found, list) or len(found) < 2:
        raise Refused(f"{path}: is no list of at least two candidates")
    return found


def _times(value: Any, fields: Mapping[str, str]) -> dict[str, Any]:
    return {end: _at(value, fields[end]) for end in ("start", "end") if end in fields and isinstance(value, dict)}


def _name(value: Any, what: str) -> str:
    return Record(where="", fields={what: value}).word(what)


def _alternatives(name: str) -> list[str]:
    """Names to look for: as it stands, and of ``segment|SET|ID`` the id, first in a folder of the set."""
    parts = name.split("|")
    return ["/".join(parts[-2:]), parts[-1]] if len(parts) > 1 else [name, name.rpartition("/")[2]]


def _answer(value: Any, names: list[str]) -> int:
    if isinstance(value, str) and value in names:
        return names.index(value)
    place = Record(where="", fields={"answer": value}).whole("answer")
    if not 0 <= place < len(names):
        raise Refused("answer: is not the place of a candidate", f"{place} of {len(names)}")
    return place


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="worldprediction",
            task="world_model",
            metric="top1",
            query="Which action explains the change?",
            paper=0.657,
            items=825,
            read=_items,
        ),
    ),
    options={"fields": "JSON file that says where the fields are, see the head of benchmarks/worldprediction.py"},
)
