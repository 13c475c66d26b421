"""Class names as language."""

import pytest

from vljepa.evaluation.conversion.record import Refused
from vljepa.evaluation.conversion.words import as_language, class_of, distinct


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("board:chopping", "chopping board"),
        ("machine:sous:vide", "sous vide machine"),
        ("air_drumming", "air drumming"),
        ("MakeCoffee", "make coffee"),
        ("ReplaceCDDriveWithSSD", "replace CD drive with SSD"),
        ("OpenALockWithPaperclips", "open a lock with paperclips"),
        ("MakeRJ45Cable", "make RJ45 cable"),
        ("UseEpinephrineAuto-injector", "use epinephrine auto-injector"),
        ("Holding [something] next to [something]", "Holding something next to something"),
        ("  Open   the test kit ", "Open the test kit"),
        ("passing American football (in game)", "passing American football (in game)"),
        ("time 10:30 is", "time 10:30 is"),
        ("piñata", "piñata"),
    ],
)
def test_words(name: str, words: str) -> None:
    assert as_language(name) == words
    assert as_language(words) == words


def test_equal_names_are_one_class() -> None:
    names = {name: as_language(name) for name in ("pour_water", "stir", "pour  water")}
    assert distinct(names) == ["pour water", "stir"]
    assert class_of(names, "label", "pour  water") == class_of(names, "label", "pour_water") == "pour water"
    with pytest.raises(Refused) as refused:
        class_of(names, "label", "fly")
    assert (refused.value.reason, refused.value.detail) == ("label: is not among the classes", "'fly'")
