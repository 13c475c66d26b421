"""Runs of ``vljepa eval`` read back from their folders, and several put together."""

import dataclasses
import json
import math
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.result import Evaluation, Omission, Result

FILE = "results.json"


def read_run(folder: Path) -> Evaluation:
    """What a run found. Fields that this version does not know are passed over.

    Args:
        folder: where ``vljepa eval`` wrote ``results.json``, or that file.

    Raises:
        UserError: it is missing or damaged; the field is named.
    """
    path = folder if folder.is_file() else folder / FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(f"{path}: is not there; name a folder that `vljepa eval ... --out` wrote") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: damaged, not JSON ({error}); run `vljepa eval` again") from error
    found: Evaluation = _revive(Evaluation, values, str(path), "")
    if not found.results:
        raise UserError(f"{path}: holds no result; let `vljepa eval` finish at least one benchmark")
    known: list[Result | Omission] = [*found.results, *found.omissions]
    for one in known:
        if one.system not in found.systems:
            raise UserError(
                f"{path}: damaged: {one.benchmark} has a system {one.system!r} that `systems` does not name"
            )
    return found


def merge(runs: Sequence[tuple[Path, Evaluation]]) -> Evaluation:
    """All results of several runs, systems and benchmarks in the order in which they come.

    Raises:
        UserError: two runs say different things of a system of the same name, or found different things for it.
    """
    systems: dict[str, tuple[Path, str]] = {}
    results: dict[tuple[str, str, str], tuple[Path, Result]] = {}
    omissions: dict[tuple[str, str, str], Omission] = {}
    for folder, run in runs:
        for name, about in run.systems.items():
            first, known = systems.setdefault(name, (folder, about))
            if known != about:
                raise UserError(
                    f"{first} and {folder} disagree about the system {name!r}: {_short(known)}, or {_short(about)}; "
                    "measure both in one run (vljepa eval A ... --against B), or report on one of the folders"
                )
        for result in run.results:
            first, before = results.setdefault(_key(result), (folder, result))
            if (before.value, before.count, before.metric) != (result.value, result.count, result.metric):
                raise UserError(
                    f"{first} and {folder} disagree about {result.system!r} on {result.benchmark}: {before.metric} "
                    f"{before.value:.4f} of {before.count} items, or {result.metric} {result.value:.4f} of "
                    f"{result.count}; report on one of the folders"
                )
        omissions |= {_key(omission): omission for omission in run.omissions}
    return Evaluation(
        systems={name: about for name, (_, about) in systems.items()},
        results=[result for _, result in results.values()],
        # What one run could not measure, another may have.
        omissions=[omission for key, omission in omissions.items() if key not in results],
    )


def _key(one: Result | Omission) -> tuple[str, str, str]:
    return one.benchmark, one.system, one.variant


def _short(about: str) -> str:
    return repr(about if len(about) <= 100 else f"{about[:60]}...{about[-30:]}")


def _revive(hint: Any, value: Any, path: str, where: str) -> Any:
    """The value as its annotation says, or the place where it is something else."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _revive_fields(hint, _checked(value, dict, path, where), path, where)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return None if value is None else _revive(inner[0], value, path, where)
    if origin is list:
        return [_revive(inner[0], v, path, f"{where}[{i}]") for i, v in enumerate(_checked(value, list, path, where))]
    if origin is tuple:
        values = _checked(value, list, path, where)
        if len(values) != len(inner):
            raise _damaged(path, where, f"has {len(values)} values, not {len(inner)}")
        return tuple(_revive(kind, v, path, where) for kind, v in zip(inner, values, strict=True))
    if origin is dict:
        items = _checked(value, dict, path, where).items()
        return {key: _revive(inner[1], v, path, f"{where}.{key}") for key, v in items}
    if hint is float:
        number = float(_checked(value, (int, float), path, where))
        if not math.isfinite(number):
            raise _damaged(path, where, f"is {number}")
        return number
    return _checked(value, hint, path, where)


def _revive_fields(hint: type, values: dict[str, Any], path: str, where: str) -> Any:
    hints = typing.get_type_hints(hint)
    found = {}
    for field in dataclasses.fields(hint):
        place = f"{where}.{field.name}" if where else field.name
        if field.name in values:
            found[field.name] = _revive(hints[field.name], values[field.name], path, place)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise _damaged(path, place, "is missing")
    return hint(**found)


def _checked(value: Any, kind: type | tuple[type, ...], path: str, where: str) -> Any:
    # True is an int to Python, but no count.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _damaged(path, where, f"is {type(value).__name__}")
    return value


def _damaged(path: str, where: str, what: str) -> UserError:
    return UserError(f"{path}: damaged: {where or 'the whole'} {what}; run `vljepa eval` again")
