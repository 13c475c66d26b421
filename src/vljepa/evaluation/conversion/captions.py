"""Captions as a text encoder should read them."""

from collections.abc import Sequence
from typing import Any

from vljepa.data.manifest import shown
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused


def one_line(text: str) -> str:
    """A text with single blanks between its words and none around it.

    The field's text encoders (CLIP's, BERT's) split at blanks of any kind and number; tokenisers such as Gemma's, for
    which a blank is a token, are to read the same.
    """
    return " ".join(text.split())


def captions(files: Files, record: Record, field: str, values: Sequence[Any]) -> list[str]:
    """The captions of one video, each on one line, in order; an empty one is dropped and counted.

    Raises:
        Refused: one is no text, or none is left.
    """
    found = []
    for number, value in enumerate(values):
        if not isinstance(value, str):
            raise Refused(f"{field}: one is no text", f"number {number}: {shown(value)}")
        if text := one_line(value):
            found.append(text)
        else:
            files.repaired.add(f"{field}: one is empty, dropped", f"{record.where}: number {number}")
    if not found:
        raise Refused(f"{field}: there is none")
    return found
