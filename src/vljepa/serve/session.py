"""One stream that is being watched: its thread, its events, its drift, and who looks on."""

import io
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from vljepa.data.source import FrameSource
from vljepa.errors import UserError
from vljepa.model.familiarity import UNFAMILIAR
from vljepa.serve.engine import Engine
from vljepa.serve.eye import Eye, Instant
from vljepa.serve.log import Record, StreamLog
from vljepa.serve.worker import Busy, ModelWorker
from vljepa.tasks.stream import StreamPolicy
from vljepa.types import Event, Scored

Result = TypeVar("Result")

DRIFT_KEPT = 4096
"""Instants of the curve kept in memory, the latest: 17 minutes at 4 Hz."""
UNIFORM_HZ = 1.0
"""What decodings are compared with."""
_MAX_QUESTIONS = 4
"""That may wait for an answer."""
_DRIFT_BLOCK = 16
"""Instants written to disk at once."""
_RATE_INSTANTS = 20
"""Instants over which the speed is taken."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What is new to one who looks on; he may have missed instants, never records."""

    records: list[Record]
    first_instant: int
    """Number of the first of ``drift`` in the whole stream."""
    drift: list[tuple[float, float, float]]
    """Time in seconds, variance, threshold."""
    counters: Record
    scores: list[Scored]
    """The labels, in their order, at this instant."""
    jpeg: bytes
    """The last frame as the model sees it; empty if none is wanted."""
    state: str


class Session:
    """Watches a source until it ends or is stopped.

    Args:
        log: gets everything that is worth keeping.
        source: its frames are of the X-Encoder's size; closed in the end.
        labels: told apart at every instant.
    """

    def __init__(
        self,
        log: StreamLog,
        source: FrameSource,
        engine: Engine,
        worker: ModelWorker,
        policy: StreamPolicy,
        labels: Sequence[str],
    ) -> None:
        self.log = log
        self._source = source
        self._engine = engine
        self._worker = worker
        self._eye = Eye(engine, log.about["query"], policy)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._records: list[Record] = []
        self._drift: deque[tuple[float, float, float]] = deque(maxlen=DRIFT_KEPT)
        self._unwritten: list[tuple[float, float, float]] = []
        self._num_instants = 0
        self._scores: list[Scored] = []
        self._paces: deque[float] = deque(maxlen=_RATE_INSTANTS)
        self._frame: np.ndarray | None = None
        self._jpeg = (-1, b"")
        self._questions = 0
        self._watchers: set[Callable[[], None]] = set()
        self.state = "running"
        if labels or not engine.writes:
            self.set_labels(labels)
        self.thread = threading.Thread(target=self._run, name=f"stream {log.about['id']}", daemon=True)
        self.thread.start()

    @property
    def threshold(self) -> float:
        """Variance at which it decodes at this instant."""
        return self._eye.threshold

    @property
    def labels(self) -> list[str]:
        return self._eye.labels

    def set_threshold(self, threshold: float) -> None:
        """Decode at another variance from now on.

        Raises:
            UserError: it is not positive.
        """
        self._eye.threshold = threshold
        self._record({"type": "threshold", "threshold": threshold})

    def set_labels(self, labels: Sequence[str]) -> None:
        """Tell these labels apart from now on; none ends it. Waits for the model.

        Raises:
            UserError: one is empty or given twice; or there are none, and the model cannot write.
        """
        if not labels and not self._engine.writes:
            raise UserError("labels: this model has no Y-Decoder, so a stream needs labels; give at least one")
        self._worker.follow(_each(self._eye.set_labels), labels)
        with self._lock:
            self._scores = []
        self._record({"type": "labels", "labels": list(labels)})

    def ask(self, question: str, choices: Sequence[str] = ()) -> list[Scored]:
        """Answers to a question on the last two seconds, best first.

        Raises:
            Busy: enough questions wait already.
        """
        with self._lock:
            if self._questions >= _MAX_QUESTIONS:
                raise Busy
            self._questions += 1
        try:
            return self._worker.follow(_each(lambda asked: self._eye.answer(*asked)), (question, choices))
        finally:
            with self._lock:
                self._questions -= 1

    def keep_answer(self, question: str, answers: list[Scored], at: float) -> None:
        """Put an answer among the records; ``at`` is what time of the stream it speaks of, seconds."""
        answered = [asdict(one) for one in answers]
        self._record({"type": "answer", "time": at, "question": question, "answers": answered})

    @property
    def time(self) -> float:
        """Of the last instant, seconds."""
        with self._lock:
            return self._drift[-1][0] if self._drift else 0.0

    def since(self, record: int, instant: int, *, with_frame: bool) -> View:
        """What one who has seen so many records and instants has not seen yet."""
        jpeg = self._encoded_frame() if with_frame else b""
        with self._lock:
            new = min(self._num_instants - instant, len(self._drift))
            return View(
                records=self._records[record:],
                first_instant=self._num_instants - new,
                drift=list(islice(self._drift, len(self._drift) - new, None)),
                counters=self._counters(),
                scores=list(self._scores),
                jpeg=jpeg,
                state=self.state,
            )

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called, on any thread, whenever ``since`` has something new."""
        with self._lock:
            self._watchers.add(changed)

    def unsubscribe(self, changed: Callable[[], None]) -> None:
        with self._lock:
            self._watchers.discard(changed)

    def stop(self) -> None:
        """End after the frame at work; the open event is still closed."""
        self._stop.set()
        if self.log.about["is_live"]:
            # It may wait for the network.
            self._source.close()

    def _run(self) -> None:
        began = time.monotonic()
        state, error = "finished", None
        try:
            with self._source:
                for at, frame in self._source:
                    if self._paced(began, at):
                        break
                    self._frame = frame
                    self._keep(at, self._worker.follow(_each(lambda seen: self._eye.see(*seen)), (at, frame)))
                self._keep_event(self._worker.follow(_each(lambda _: self._eye.finish()), None))
        except UserError as mistake:
            state, error = "failed", str(mistake).replace(self.log.about["path"] or "\0", self.log.about["name"])
        except CancelledError:
            # The server ends, and the model takes no more work.
            self._stop.set()
        except Exception:
            self._end("failed", "internal error; the server's log has more")
            raise
        self._end("stopped" if self._stop.is_set() else state, error)

    def _keep(self, at: float, instant: Instant) -> None:
        row = (at, instant.variance, instant.threshold)
        with self._lock:
            self._scores = instant.scores
            self._drift.append(row)
            self._num_instants += 1
            self._paces.append(time.monotonic())
        self._unwritten.append(row)
        if instant.event is not None or len(self._unwritten) >= _DRIFT_BLOCK:
            self._write_drift()
        if instant.familiarity is not None:
            familiar = instant.familiarity >= UNFAMILIAR
            self._record({"type": "familiarity", "familiarity": instant.familiarity, "familiar": familiar})
        self._keep_event(instant.event)
        self._tell()

    def _keep_event(self, event: Event | None) -> None:
        if event is not None:
            told = {"start": event.start, "end": event.end, "text": event.text, "score": event.score}
            label = {"label": event.ranked[0].text, "label_score": event.ranked[0].score} if event.ranked else {}
            self._record({"type": "event", **told, "decoded": self.time, **label})

    def _paced(self, began: float, at: float) -> bool:
        """Wait for the instant's own time, if that is wanted; returns whether to stop."""
        if self.log.about["realtime"] and not self._source.is_live:
            return self._stop.wait(max(0.0, began + at - time.monotonic()))
        return self._stop.is_set()

    def _end(self, state: str, error: str | None) -> None:
        self._write_drift()
        with self._lock:
            counters = self._counters()
        self._record({"type": "end", "state": state, "error": error, "counters": counters})
        with self._lock:
            self.state = state
        self._tell()

    def _record(self, record: Record) -> None:
        with self._lock:
            record = {"n": len(self._records), **record}
            self.log.append(record)
            self._records.append(record)
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for changed in watchers:
            changed()

    def _counters(self) -> Record:
        span = self._paces[-1] - self._paces[0] if len(self._paces) > 1 else 0.0
        now = self._drift[-1][0] if self._drift else 0.0
        return {
            "time": now,
            "instants": self._num_instants,
            "decodings": self._eye.num_decodings,
            "uniform": int(now * UNIFORM_HZ) + 1 if self._drift else 0,
            "fps": (len(self._paces) - 1) / span if span else 0.0,
            "dropped": self._source.counts.dropped,
            "corrupt": self._source.counts.corrupt,
            "reconnects": self._source.counts.reconnects,
        }

    def _encoded_frame(self) -> bytes:
        """Encoded once for all who look on; each asks in a thread of his own."""
        number, jpeg = self._jpeg
        if self._frame is not None and number != self._num_instants:
            buffer = io.BytesIO()
            number = self._num_instants
            Image.fromarray(self._frame).save(buffer, "JPEG", quality=80)
            jpeg = buffer.getvalue()
            self._jpeg = (number, jpeg)
        return jpeg

    def _write_drift(self) -> None:
        if self._unwritten:
            self.log.add_drift(np.array(self._unwritten, np.float32))
            self._unwritten = []


def _each(act: Callable[[Any], Result]) -> Callable[[list[Any]], list[Result]]:
    """As the worker wants it, who hands over several items at once."""
    return lambda items: [act(item) for item in items]
