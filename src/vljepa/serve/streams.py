"""All streams: those that run, and those that are kept on disk."""

import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from vljepa.api import STREAM_RATE_HZ
from vljepa.data.source import is_address, open_source
from vljepa.data.video import probe
from vljepa.errors import UserError
from vljepa.serve.engine import Engine, Look
from vljepa.serve.errors import Refused
from vljepa.serve.intake import Given, Intake, shown
from vljepa.serve.log import About, Record, StreamLog, logs
from vljepa.serve.session import Session
from vljepa.serve.settings import ServeConfig
from vljepa.serve.shelf import Shelf
from vljepa.serve.worker import Busy, ModelWorker
from vljepa.tasks.stream import StreamPolicy
from vljepa.types import Clip, Scored

_SCHEMES = ("rtsp://", "rtsps://", "http://", "https://")


class Streams:
    """Starts, finds and ends streams."""

    def __init__(self, config: ServeConfig, engine: Engine, worker: ModelWorker, shelf: Shelf, intake: Intake) -> None:
        self._config = config
        self._engine = engine
        self._worker = worker
        self._shelf = shelf
        self._intake = intake
        self._folder = config.data / "streams"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._logs = {log.about["id"]: log for log in logs(self._folder)}
        self._running: dict[str, Session] = {}
        self._starting = threading.Lock()

    def start(
        self,
        source: str,
        *,
        query: str | None = None,
        labels: Sequence[str] = (),
        policy: StreamPolicy | None = None,
        realtime: bool = False,
    ) -> StreamLog:
        """Watch a source: id of an upload, file of the media folder, number of a camera, or address.

        Raises:
            Refused: it is unknown, or not allowed.
            Undecodable: the file cannot be read.
            UserError: the source cannot be opened, or labels or policy make no sense.
            Busy: as many streams run as may.
        """
        with self._starting:
            return self._start(source, query, labels, policy or StreamPolicy(), realtime)

    def _start(
        self, source: str, query: str | None, labels: Sequence[str], policy: StreamPolicy, realtime: bool
    ) -> StreamLog:
        if len(self.running()) >= self._config.max_streams:
            raise Busy
        kept = self._shelf.get(source)
        name, found = self._resolve(source)
        path = found if isinstance(found, Path) else None
        duration = None
        if path is not None:
            self._intake.frames(Given(clip=Clip(media=(str(path),)), name=name))
            duration = probe(path).duration
        size = self._engine.network.config.x_encoder.frame_size
        opened = open_source(found, rate_hz=STREAM_RATE_HZ, size=size)
        about = About(
            id=secrets.token_hex(8),
            name=name,
            media=kept.id if kept else None,
            path=str(path) if path else None,
            is_live=path is None,
            duration=duration,
            query=query or self._engine.network.config.video_query,
            realtime=realtime,
            created=time.time(),
        )
        log = StreamLog.create(self._folder / about["id"], about)
        try:
            session = Session(log, opened, self._engine, self._worker, policy, labels)
        except UserError:
            opened.close()
            shutil.rmtree(log.folder)
            raise
        self._logs[about["id"]] = log
        self._running[about["id"]] = session
        return log

    def running(self) -> dict[str, Session]:
        """Streams that are being watched, by id. Ended ones are let go of; their logs stay."""
        self._running = {id: session for id, session in self._running.items() if session.state == "running"}
        return self._running

    def session(self, id: str) -> Session | None:
        """The stream if it runs."""
        return self.running().get(id)

    def logs(self) -> list[StreamLog]:
        """All streams, newest first."""
        return sorted(self._logs.values(), key=lambda log: -log.about["created"])

    def log(self, id: str) -> StreamLog:
        """
        Raises:
            Refused: there is no such stream.
        """
        if id not in self._logs:
            raise Refused(404, f"{shown(id)}: no such stream", "id")
        return self._logs[id]

    def describe(self, log: StreamLog) -> Record:
        """What clients are told of a stream."""
        about = {name: value for name, value in log.about.items() if name != "path"}
        session = self.session(log.about["id"])
        if session is not None:
            view = session.since(0, 0, with_frame=False)
            settings = {"labels": session.labels, "threshold": session.threshold}
            return {**about, "state": "running", "error": None, "counters": view.counters, **settings}
        records = log.records()
        # Without an end in its log the server was killed meanwhile.
        end = records[-1] if records and records[-1]["type"] == "end" else {"state": "interrupted", "error": None}
        labels = [record["labels"] for record in records if record["type"] == "labels"]
        drift = log.drift()
        return {
            **about,
            "state": end["state"],
            "error": end["error"],
            "counters": end.get("counters"),
            "labels": labels[-1] if labels else [],
            "threshold": float(drift[-1, 2]) if len(drift) else None,
        }

    def remove(self, log: StreamLog) -> None:
        """Stop a stream if it runs, and forget it."""
        session = self.session(log.about["id"])
        if session is not None:
            session.stop()
            session.thread.join(self._config.time_limit)
        self._logs.pop(log.about["id"], None)
        self._running.pop(log.about["id"], None)
        shutil.rmtree(log.folder, ignore_errors=True)

    def ask(self, log: StreamLog, question: str, choices: Sequence[str], at: float | None) -> Record:
        """Answer a question on a stream: on the two seconds before ``at`` of a file, or on what is seen now.

        Raises:
            UserError: the question is blank, choices are empty or repeated, or there is nothing to ask about.
            Undecodable: the file cannot be read there.
            Busy: enough questions wait already.
        """
        if not question.strip():
            raise UserError("question: is empty; ask something")
        session = self.session(log.about["id"])
        path = log.about["path"]
        if path is not None and at is not None:
            answers = self._ask_file(log, path, question, choices, at)
        elif session is not None:
            answers = session.ask(question, choices)
            at = session.time
        else:
            raise UserError("the stream has ended; only a file can still be asked about, at a time of it")
        if session is not None:
            session.keep_answer(question, answers, at)
        return {"type": "answer", "time": at, "question": question, "answers": [asdict(one) for one in answers]}

    def close(self) -> None:
        """Stop all streams; each closes its open event."""
        sessions = list(self.running().values())
        for session in sessions:
            session.stop()
        for session in sessions:
            session.thread.join(self._config.time_limit)

    def _ask_file(self, log: StreamLog, path: str, question: str, choices: Sequence[str], at: float) -> list[Scored]:
        window = self._engine.network.config.x_encoder.num_frames / STREAM_RATE_HZ
        duration = log.about["duration"] or 0.0
        clip = Clip(media=(path,))
        if duration > window:
            end = min(max(at, window), duration)
            clip = Clip(media=(path,), start=end - window, end=end)
        frames = self._intake.frames(Given(clip=clip, name=log.about["name"]))
        look = Look(frames=frames, query=question, choices=tuple(choices), write=True)
        return self._worker.ask(self._engine.look, look).ranked

    def _resolve(self, source: str) -> tuple[str, Path | str | int]:
        """Name for people, and what ``open_source`` opens: a file, an address or the number of a camera."""
        kept = self._shelf.get(source)
        if kept is not None:
            return kept.name, self._shelf.path(kept)
        camera = source.isascii() and source.isdecimal() and len(source) < 3
        if not camera and not is_address(source):
            return shown(source), self._intake.local(source)
        if not self._config.allow_live:
            raise Refused(403, "cameras and addresses are off; start the server with --allow-live", "source")
        if camera:
            return f"camera {source}", int(source)
        if not source.lower().startswith(_SCHEMES):
            raise Refused(422, "source: an address begins with rtsp:// or http://", "source")
        # An address may hold a password.
        return shown(source.split("@")[-1]), source
