"""Class names as language."""

import re
from collections.abc import Mapping

from vljepa.data.manifest import shown
from vljepa.evaluation.conversion.record import Refused

_SMALL_BEFORE_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ACRONYM_BEFORE_WORD = re.compile(r"(?<=[A-Z])(?=[A-Z][a-z])")


def as_language(name: str) -> str:
    """A name as a text encoder should read it.

    ``board:chopping`` is ``chopping board``, ``air_drumming`` is ``air drumming``, ``ReplaceCDDriveWithSSD`` is
    ``replace CD drive with SSD``; brackets go, whatever stands in them stays.
    """
    name = name.replace("_", " ").replace("[", "").replace("]", "").strip()
    if not re.search(r"\s", name):
        # EPIC-KITCHENS writes its nouns head first: `machine:sous:vide`.
        head, *rest = name.split(":")
        name = " ".join([*rest, head])
        if _SMALL_BEFORE_CAPITAL.search(name):
            words = _ACRONYM_BEFORE_WORD.sub(" ", _SMALL_BEFORE_CAPITAL.sub(" ", name)).split()
            name = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)
    return " ".join(name.split())


def class_of(names: Mapping[str, str], field: str, name: str) -> str:
    """The class that a name of the official files stands for.

    Args:
        names: official name to class; names whose classes are equal are one class.

    Raises:
        Refused: it stands for none.
    """
    if name not in names:
        raise Refused(f"{field}: is not among the classes", shown(name))
    return names[name]


def distinct(names: Mapping[str, str]) -> list[str]:
    """The classes, once each, in order."""
    return list(dict.fromkeys(names.values()))
