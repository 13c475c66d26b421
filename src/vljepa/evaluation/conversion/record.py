"""One record of an annotation file, whose fields are checked as they are taken."""

import builtins
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vljepa.data.manifest import shown


class Refused(Exception):
    """A record gives no item.

    Args:
        reason: ``field: what``, in the same words for every record that is left out for it.
        detail: what was found in this one.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Every getter takes the first of the named fields that is there, and raises ``Refused`` if it will not do."""

    where: str
    """File and record, for messages."""
    fields: Mapping[str, Any]
    key: str = ""
    """Under which the record stood in a JSON object."""

    def get(self, *names: str) -> Any:
        """The value of the first field that is there and not null, or None."""
        return next((self.fields[name] for name in names if self.fields.get(name) is not None), None)

    def text(self, *names: str) -> str:
        """A text exactly as it stands, not blank."""
        value = self._there(names)
        if not isinstance(value, str):
            raise Refused(f"{names[0]}: is no text", shown(value))
        if not value.strip():
            raise Refused(f"{names[0]}: is empty")
        return value

    def word(self, *names: str) -> str:
        """An id or a label: a text, or a whole number, without blanks around it."""
        value = self._there(names)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(*names).strip()

    def number(self, *names: str) -> float:
        """A finite number, which may stand as a text."""
        value = self._there(names)
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise Refused(f"{names[0]}: is no number", shown(value))
        return number

    def seconds(self, *names: str) -> float:
        """A time from 0 on."""
        value = self.number(*names)
        if value < 0:
            raise Refused(f"{names[0]}: is before the beginning of the video", f"{value:g} s")
        return value

    def whole(self, *names: str) -> int:
        """A whole number, which may stand as ``"3"`` or ``3.0``."""
        value = self.number(*names)
        if value != int(value):
            raise Refused(f"{names[0]}: is no whole number", f"{value:g}")
        return int(value)

    def flag(self, *names: str) -> bool:
        """True or false, which may stand as a number or as a text such as ``"0"``."""
        value = self._there(names)
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        word = str(value).strip().lower()
        if word not in words:
            raise Refused(f"{names[0]}: is neither true nor false", shown(value))
        return words[word]

    def list(self, *names: str) -> "builtins.list[Any]":
        """A list, which may be empty."""
        value = self._there(names)
        if not isinstance(value, list):
            raise Refused(f"{names[0]}: is no list", shown(value))
        return value

    def children(self, *names: str) -> "builtins.list[Record]":
        """The objects of a list as records; what is no object is one without fields."""
        return [
            Record(where=f"{self.where}: {names[0]} {i}", fields=value if isinstance(value, dict) else {})
            for i, value in enumerate(self.list(*names))
        ]

    def _there(self, names: tuple[str, ...]) -> Any:
        value = self.get(*names)
        if value is None:
            raise Refused(f"{names[0]}: is missing")
        return value
