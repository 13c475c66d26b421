"""What is looked for in a running stream: events, a fixed set of labels, and texts to be told of at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.classify import check_texts, label_embeddings, ranked
from vljepa.tasks.stream import Decode, OnlineDecoder, StreamPolicy
from vljepa.tasks.unit import Embeddings, EncodeText, unit_rows
from vljepa.types import Event, Scored

LABEL_SECONDS = 1.0
"""Of the stream between two entries of the labels' timeline."""
ALERT_ABOVE = 0.6
"""Similarity that counts as an alert unless told otherwise."""
REARM = 0.05
"""By how much similarity must fall below that before the same alert can be given again (hysteresis)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """A text that the stream has come to look like."""

    time: float
    """Seconds."""
    text: str
    score: float
    """Cosine similarity of the text's embedding with the predicted one at that instant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelScores:
    """An entry of the labels' timeline."""

    time: float
    """Seconds: the end of the stretch since the entry before."""
    ranked: tuple[Scored, ...]
    """Every label with its mean score over the stretch, best first."""


Record = Event | Alert | LabelScores


class Watch:
    """Takes the embedding of each instant and tells what there is to tell. Its memory does not grow.

    Args:
        write: reads a text out of an event's embedding, unless there are labels.
        encode_text: texts to embeddings, (texts, E): the Y-Encoder.
        labels: an event's text is the best of these, and all of them are followed over time.
        alerts: each of these texts is told once when the similarity with it rises above ``above``.
        above: cosine similarity.
        policy: when to decode.

    Raises:
        UserError: labels or alerts are blank or repeated; ``above`` is no cosine.
    """

    def __init__(
        self,
        write: Decode,
        encode_text: EncodeText,
        *,
        labels: Sequence[str] | None = None,
        alerts: Sequence[str] = (),
        above: float = ALERT_ABOVE,
        policy: StreamPolicy | None = None,
    ) -> None:
        if not -1 <= above <= 1:
            raise UserError(f"above: {above} is no cosine similarity; give a number from -1 to 1")
        if alerts:
            check_texts(alerts, "alert")
        self.decoder = OnlineDecoder(write if labels is None else self._best, policy)
        self._labels = labels
        self._label_rows = None if labels is None else label_embeddings(labels, encode_text)
        self._label_sum: np.ndarray | float = 0.0
        self._label_count = 0
        self._label_due: float | None = None
        self._alerts = list(alerts)
        self._alert_rows = unit_rows(encode_text(self._alerts)) if alerts else None
        self._armed = np.ones(len(self._alerts), bool)
        self._above = above

    def push(self, time: float, embedding: Embeddings) -> list[Record]:
        """Take the embedding (E,) of one instant; returns what it gives rise to.

        Raises:
            UserError: the time is not later than the one before.
        """
        row = unit_rows(embedding)
        event = self.decoder.push(time, row)
        return [*self._alerted(time, row), *self._followed(time, row), *self._complete(event)]

    def finish(self, end: float | None = None) -> list[Record]:
        """Close the open event; ``end`` is the stream's, seconds, default the last instant."""
        return list(self._complete(self.decoder.finish(end)))

    def events(self, stream: Iterable[tuple[float, Embeddings]]) -> Iterator[Event]:
        """The events of a whole stream of (time in seconds, embedding (E,)), as they happen."""
        for time, embedding in stream:
            yield from (record for record in self.push(time, embedding) if isinstance(record, Event))
        yield from (record for record in self.finish() if isinstance(record, Event))

    def _best(self, embedding: np.ndarray) -> tuple[str, float]:
        self._ranked = self._rank(embedding)
        return self._ranked[0].text, self._ranked[0].score

    def _rank(self, embedding: np.ndarray) -> tuple[Scored, ...]:
        assert self._labels is not None and self._label_rows is not None
        return tuple(ranked(self._labels, self._label_rows @ embedding))

    def _complete(self, event: Event | None) -> Iterator[Event]:
        if event is not None:
            yield event if self._labels is None else replace(event, ranked=self._ranked)

    def _followed(self, time: float, row: np.ndarray) -> Iterator[LabelScores]:
        if self._labels is None:
            return
        # The mean of the scores is the score of the mean.
        self._label_sum = self._label_sum + row
        self._label_count += 1
        if self._label_due is None or time >= self._label_due:
            yield LabelScores(time=time, ranked=self._rank(np.asarray(self._label_sum / self._label_count)))
            self._label_sum, self._label_count = 0.0, 0
            self._label_due = max((self._label_due or 0.0) + LABEL_SECONDS, time)

    def _alerted(self, time: float, row: np.ndarray) -> Iterator[Alert]:
        if self._alert_rows is None:
            return
        scores = self._alert_rows @ row
        for index in np.flatnonzero(self._armed & (scores > self._above)):
            yield Alert(time=time, text=self._alerts[index], score=float(scores[index]))
        self._armed = np.where(self._armed, scores <= self._above, scores < self._above - REARM)


def to_json(record: Record) -> dict[str, Any]:
    """A record as a JSON object: ``kind`` is event, alert or labels."""
    kind = {Event: "event", Alert: "alert", LabelScores: "labels"}[type(record)]
    values = asdict(record)
    if isinstance(record, Event) and not record.ranked:
        del values["ranked"]
    return {"kind": kind, **values}
