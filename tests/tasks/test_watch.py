"""Labels and alerts of a stream whose meaning at each instant is known."""

import tracemalloc

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.tasks.stream import StreamPolicy
from vljepa.tasks.watch import Alert, LabelScores, Record, Watch, to_json
from vljepa.types import Event

TEXTS = {"east": [1.0, 0.0, 0.0], "north": [0.0, 1.0, 0.0], "up": [0.0, 0.0, 1.0]}


def encode_text(texts: list[str]) -> np.ndarray:
    return np.array([TEXTS[text] for text in texts])


def write(embedding: np.ndarray) -> tuple[str, float]:
    return f"text {embedding.argmax()}", float(embedding.max())


def run(watch: Watch, rows: np.ndarray, rate_hz: float = 4.0) -> list[Record]:
    found = [record for index, row in enumerate(rows) for record in watch.push(index / rate_hz, row)]
    return found + watch.finish()


def turning(*names: str, instants: int = 20) -> np.ndarray:
    return np.repeat([TEXTS[name] for name in names], instants, axis=0)


def test_without_labels_events_are_written() -> None:
    found = run(Watch(write, encode_text), turning("east", "up"))
    assert [record.text for record in found if isinstance(record, Event)] == ["text 0", "text 2"]
    assert all(isinstance(record, Event) and record.ranked == () for record in found)
    assert "ranked" not in to_json(found[0])


def test_labels_are_ranked_for_each_event_and_followed_every_second() -> None:
    found = run(Watch(write, encode_text, labels=["north", "east"]), turning("east", "north"))
    events = [record for record in found if isinstance(record, Event)]
    assert [[scored.text for scored in event.ranked] for event in events] == [["east", "north"], ["north", "east"]]
    assert all((event.text, event.score) == (event.ranked[0].text, event.ranked[0].score) for event in events)
    line = [record for record in found if isinstance(record, LabelScores)]
    assert [entry.time for entry in line] == [float(second) for second in range(10)]
    # The stretch from 4.25 to 5 s holds three instants of the east and one of the north.
    assert {scored.text: scored.score for scored in line[5].ranked} == pytest.approx({"east": 0.75, "north": 0.25})
    assert to_json(line[0])["kind"] == "labels"


def test_an_alert_is_given_once_for_each_crossing() -> None:
    angles = np.radians([90, 50, 10, 5, 47, 10, 80, 20, 20])
    rows = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    watch = Watch(write, encode_text, alerts=["east", "up"], above=0.7)
    alerts = [record for record in run(watch, rows) if isinstance(record, Alert)]
    # cos 47 degrees = 0.68 is not far enough below 0.7 to arm it again, cos 80 is.
    assert [(alert.time, alert.text) for alert in alerts] == [(0.5, "east"), (1.75, "east")]
    assert alerts[0].score == pytest.approx(np.cos(angles[2]))


def test_memory_does_not_grow() -> None:
    watch = Watch(write, encode_text, labels=["east", "up"], alerts=["north"], policy=StreamPolicy(max_interval=5.0))
    rng = np.random.default_rng(0)

    def run_on(begin: int, instants: int) -> None:
        for index in range(begin, begin + instants):
            watch.push(index / 4, rng.normal(size=3))

    tracemalloc.start()
    try:
        run_on(0, 500)
        before, _ = tracemalloc.get_traced_memory()
        run_on(500, 3000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A float kept of every instant would be 72,000 bytes.
    assert after - before < 8000


def test_mistakes_are_one_line() -> None:
    with pytest.raises(UserError, match=r"above: 60.0 is no cosine"):
        Watch(write, encode_text, alerts=["up"], above=60.0)
    with pytest.raises(UserError, match="alert: number 1 is empty"):
        Watch(write, encode_text, alerts=[" "])
    with pytest.raises(UserError, match="labels: the list is empty"):
        Watch(write, encode_text, labels=[])
