"""One stream that is being watched: its thread, its events, its drift, and who looks on."""

import io
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import asdict, dataclass, replace
from itertools import islice

import numpy as np
import torch
from PIL import Image

from vljepa.data.source import FrameSource
from vljepa.errors import UserError
from vljepa.model.familiarity import UNFAMILIAR
from vljepa.model.window import SlidingWindow
from vljepa.serve.engine import Engine, Look
from vljepa.serve.log import Record, StreamLog
from vljepa.serve.worker import Busy, ModelWorker
from vljepa.tasks.answer import answer
from vljepa.tasks.classify import label_embeddings, ranked
from vljepa.tasks.stream import OnlineDecoder, StreamPolicy
from vljepa.types import Event, Scored

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
        self._window = SlidingWindow(engine.network)
        self._decoder = OnlineDecoder(self._decode, policy)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._records: list[Record] = []
        self._drift: deque[tuple[float, float, float]] = deque(maxlen=DRIFT_KEPT)
        self._unwritten: list[tuple[float, float, float]] = []
        self._num_instants = 0
        self._labels: list[str] = []
        self._label_rows = np.empty((0, engine.network.config.embed_dim), np.float32)
        self._label: Scored | None = None
        self._scores: list[Scored] = []
        self._paces: deque[float] = deque(maxlen=_RATE_INSTANTS)
        self._frame: np.ndarray | None = None
        self._first_frames: list[np.ndarray] = []
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
        return self._decoder.threshold

    @property
    def labels(self) -> list[str]:
        return list(self._labels)

    def set_threshold(self, threshold: float) -> None:
        """Decode at another variance from now on.

        Raises:
            UserError: it is not positive.
        """
        self._decoder.policy = replace(self._decoder.policy, threshold=threshold)
        self._record({"type": "threshold", "threshold": threshold})

    def set_labels(self, labels: Sequence[str]) -> None:
        """Tell these labels apart from now on; none ends it. Waits for the model.

        Raises:
            UserError: one is empty or given twice; or there are none, and the model cannot write.
        """
        if not labels and not self._engine.writes:
            raise UserError("labels: this model has no Y-Decoder, so a stream needs labels; give at least one")
        rows = self._label_rows[:0]
        if labels:
            rows = self._worker.follow(self._encode_labels, list(labels))
        with self._lock:
            self._labels, self._label_rows, self._scores = list(labels), rows, []
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
            return self._worker.follow(self._answer, (question, tuple(choices)))
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
        if self._source.is_live:
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
                    self._worker.follow(self._step, (at, frame))
                    self._tell()
                if self._num_instants:
                    self._worker.follow(self._finish, None)
        except UserError as mistake:
            state, error = "failed", str(mistake).replace(self.log.about["path"] or "\0", self.log.about["name"])
        except CancelledError:
            # The server ends, and the model takes no more work.
            self._stop.set()
        except Exception:
            self._end("failed", "internal error; the server's log has more")
            raise
        self._end("stopped" if self._stop.is_set() else state, error)

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
            "decodings": self._decoder.num_decodings,
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

    # What follows runs on the model's thread.

    def _step(self, instants: list[tuple[float, np.ndarray]]) -> list[None]:
        for at, frame in instants:
            self._window.push(torch.from_numpy(frame.copy()))
            embedding = self._window.embed([self.log.about["query"]])[0].cpu().numpy()
            event = self._decoder.push(at, embedding)
            row = (at, self._decoder.variance(), self.threshold)
            with self._lock:
                scores = self._label_rows @ embedding
                self._scores = [Scored(text=t, score=float(s)) for t, s in zip(self._labels, scores, strict=True)]
                self._drift.append(row)
                self._num_instants += 1
                self._paces.append(time.monotonic())
            self._unwritten.append(row)
            self._judge(frame)
            if event is not None:
                self._record(self._told(event))
            if event is not None or len(self._unwritten) >= _DRIFT_BLOCK:
                self._write_drift()
        return [None] * len(instants)

    def _finish(self, ends: list[None]) -> list[None]:
        event = self._decoder.finish()
        if event is not None:
            self._record(self._told(event))
        return ends

    def _judge(self, frame: np.ndarray) -> None:
        """Tell, once the first window is full, whether the stream is of the kind the model was trained on."""
        count = self._engine.network.config.x_encoder.num_frames
        if self._num_instants > count:
            return
        self._first_frames.append(frame)
        if len(self._first_frames) == count:
            (seen,) = self._engine.look([Look(frames=np.stack(self._first_frames))])
            self._first_frames = []
            if seen.familiarity is not None:
                familiar = seen.familiarity >= UNFAMILIAR
                self._record({"type": "familiarity", "familiarity": seen.familiarity, "familiar": familiar})

    def _told(self, event: Event) -> Record:
        told = {"start": event.start, "end": event.end, "text": event.text, "score": event.score}
        label = {} if self._label is None else {"label": self._label.text, "label_score": self._label.score}
        return {"type": "event", **told, "decoded": self._drift[-1][0], **label}

    def _decode(self, embedding: np.ndarray) -> tuple[str, float]:
        with self._lock:
            labels, rows = self._labels, self._label_rows
        self._label = ranked(labels, rows @ embedding)[0] if labels else None
        if self._engine.writes or self._label is None:
            written = self._engine.write(embedding[None])[0]
            return written.text, written.score
        return self._label.text, self._label.score

    def _encode_labels(self, lists: list[list[str]]) -> list[np.ndarray]:
        return [label_embeddings(labels, self._engine.model.encode_text) for labels in lists]

    def _answer(self, questions: list[tuple[str, tuple[str, ...]]]) -> list[list[Scored]]:
        embedded = self._window.embed([question for question, _ in questions]).cpu()
        return [
            answer(row[None], [choices], self._engine.model.encode_text)[0]
            if choices
            else self._engine.write(row[None].numpy())
            for row, (_, choices) in zip(embedded, questions, strict=True)
        ]
