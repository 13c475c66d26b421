"""Manifests: JSON Lines files of training samples, and the parts that benchmark folders share with them.

A bad line never stops a run: it is skipped and reported as ``file:line: field: what; mend``.

Media paths are relative to their manifest. A data set is the folder ``levels_up`` above the manifest's folder (1 for
training manifests, ``train/x.jsonl`` refers to ``../media/``; 2 for benchmarks, ``test/action/items.jsonl``); a path
that leaves it is refused, so that a foreign manifest cannot read other files. Symbolic links are the owner's own and
are followed.
"""

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vljepa.errors import UserError
from vljepa.types import Clip, Sample


def read_manifest(path: str | Path) -> tuple[list[Sample], list[str]]:
    """Samples of a training manifest, and one message per bad line.

    Raises:
        UserError: the manifest itself cannot be read.
    """
    path = Path(path)
    samples: list[Sample] = []
    problems: list[str] = []
    first_line: dict[str, int] = {}
    for line, fields in read_jsonl(path, problems):
        try:
            sample = parse_sample(fields, path)
            if sample.id in first_line:
                raise UserError(f"id: {shown(sample.id)} is taken by line {first_line[sample.id]}; ids must be unique")
        except UserError as error:
            problems.append(f"{path}:{line}: {error}")
            continue
        first_line[sample.id] = line
        samples.append(sample)
    return samples, problems


def read_jsonl(path: str | Path, problems: list[str] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) of each line of a JSON Lines file; blank lines are passed over.

    Args:
        problems: receives a message for each bad line; without it the first bad line raises.

    Raises:
        UserError: the file cannot be read; a bad line, if ``problems`` is None.
    """
    path = Path(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"{path}: cannot be opened ({error.strerror}); check the path") from error
    with file:
        for line, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                fields = parse_line(text)
            except UserError as error:
                if problems is None:
                    raise UserError(f"{path}:{line}: {error}") from error
                problems.append(f"{path}:{line}: {error}")
            else:
                yield line, fields


def parse_line(text: bytes) -> dict[str, Any]:
    """The object of one line of a JSON Lines file.

    Raises:
        UserError: ``line: what; mend``, without file and number.
    """
    try:
        # utf-8-sig: editors on Windows begin files with a byte order mark.
        fields = json.loads(text.decode("utf-8-sig"))
        if b"\\u" in text:
            # Half of a surrogate pair is valid JSON, but no text: it can neither be written nor tokenized.
            json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise UserError(f"line: holds half a character ({error.object[error.start]!r}); write it whole") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"line: not JSON ({error}); write one JSON object a line") from error
    if not isinstance(fields, dict):
        raise UserError(f"line: holds {type(fields).__name__}; write one JSON object a line")
    return fields


def parse_sample(fields: dict[str, Any], manifest: Path) -> Sample:
    """A line of a training manifest.

    Raises:
        UserError: ``field: what; mend``, without file and line.
    """
    if "target" in fields and "targets" in fields:
        raise UserError("target: stands beside targets; keep one of the two")
    query = fields.get("query", "")
    if not isinstance(query, str):
        raise UserError(f"query: expected a text, found {shown(query)}")
    return Sample(
        id=parse_text(fields, "id"),
        clip=parse_clip(fields, manifest),
        query=query,
        targets=parse_texts(fields, "targets" if "targets" in fields else "target"),
    )


def parse_clip(fields: dict[str, Any], manifest: Path, *, levels_up: int = 1) -> Clip:
    """``media``, ``start`` and ``end`` of a manifest line or benchmark item.

    Raises:
        UserError: ``field: what; mend``, without file and line.
    """
    media = parse_media(fields, "media", manifest, levels_up=levels_up)
    start, end = _seconds(fields, "start"), _seconds(fields, "end")
    if len(media) > 1 and (start is not None or end is not None):
        raise UserError("start: a list of frame images has no times; remove start and end")
    if end is not None and end <= (start or 0.0):
        raise UserError(f"end: {end:g} is not after start {start or 0.0:g}; times are seconds in the media")
    return Clip(media=media, start=start, end=end)


def parse_media(fields: dict[str, Any], name: str, manifest: Path, *, levels_up: int = 1) -> tuple[str, ...]:
    """Absolute paths of the media in field ``name``: a string or a list of strings.

    Raises:
        UserError: ``field: what; mend``, without file and line.
    """
    # Texts and no Path: this is most of what reading a line takes, and a manifest may hold a hundred million of them.
    folder = os.path.dirname(os.path.abspath(manifest))
    root = folder
    for _ in range(levels_up):
        root = os.path.dirname(root)
    paths = []
    for text in parse_texts(fields, name):
        path = os.path.normpath(os.path.join(folder, text))
        if "\0" in text or not os.path.join(path, "").startswith(os.path.join(root, "")):
            raise UserError(f"{name}: {shown(text)} lies outside the data set {root!r}; move the file into it")
        paths.append(path)
    return tuple(paths)


def parse_text(fields: dict[str, Any], name: str) -> str:
    """A required string that is not blank.

    Raises:
        UserError: ``field: what; mend``, without file and line.
    """
    if name not in fields:
        raise UserError(f"{name}: is missing; add it")
    value = fields[name]
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{name}: expected a text, found {shown(value)}")
    return value


def parse_texts(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    """A required string, or list of at least one, none of them blank.

    Raises:
        UserError: ``field: what; mend``, without file and line.
    """
    if name not in fields:
        raise UserError(f"{name}: is missing; add it")
    value = fields[name]
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise UserError(f"{name}: expected a text or a list of texts, none empty, found {shown(value)}")
    return tuple(texts)


def _seconds(fields: dict[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    # JSON's true is an int in Python.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise UserError(f"{name}: expected seconds from 0 on, found {shown(value)}")
    return float(value)


def shown(value: object) -> str:
    """A value of a manifest as messages quote it, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
