"""Processes that decode clips, each clip within a time limit.

Endless, slow and crashing media cost the process that decodes them and nothing else: it is killed and replaced. A
decoder inside this process could not be stopped.
"""

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from vljepa.clip import Clip
from vljepa.data.video import read_clip
from vljepa.errors import UserError

UNREADABLE, TIME_LIMIT, CRASH = "unreadable", "over the time limit", "crash of the decoder"
"""Reasons for which a clip cannot be decoded."""


class Undecodable(Exception):
    """A clip that cannot be decoded; the message is one line that names it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Closed(Exception):
    """The decoders were closed while, or before, they were asked for a clip."""


@runtime_checkable
class Decode(Protocol):
    """What the processes run; it must be importable by them."""

    def __call__(self, clip: Clip, num_frames: int, *, size: int) -> np.ndarray:
        """(num_frames, size, size, 3) uint8, or a ``UserError``."""


class Decoders:
    """A fixed number of processes. Threads of this process ask for clips; each waits for its own.

    The processes are spawned, so that the program's main module must not start work when it is imported. They end
    with ``close``, and with this process, however it ends.
    """

    def __init__(self, num_processes: int, time_limit: float, decode: Decode = read_clip) -> None:
        """
        Args:
            time_limit: seconds for one clip, of wall-clock time.
        """
        self.time_limit = time_limit
        self._decode = decode
        self._closed = False
        self._lock = threading.Lock()
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._workers = [_Worker(decode) for _ in range(num_processes)]
        for worker in self._workers:
            self._idle.put(worker)

    def decode(self, clip: Clip, num_frames: int, size: int) -> UInt8[np.ndarray, "F size size 3"]:
        """Frames of a clip, as ``read_clip`` gives them.

        Raises:
            Undecodable: the clip is at fault.
            Closed: ``close`` was called.
            RuntimeError: a process cannot start.
        """
        worker = self._idle.get()
        try:
            return worker.decode(clip, num_frames, size, self.time_limit)
        except Undecodable as error:
            if error.reason != UNREADABLE:
                worker = self._replace(worker)
            raise
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """Kill the processes, in the middle of their work if need be, and wait for their end."""
        with self._lock:
            self._closed = True
            for worker in self._workers:
                worker.kill()

    def __enter__(self) -> "Decoders":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _replace(self, worker: "_Worker") -> "_Worker":
        with self._lock:
            if self._closed:
                raise Closed
            worker.kill()
            new = _Worker(self._decode)
            self._workers[self._workers.index(worker)] = new
            return new


class _Worker:
    """One process and this side of its pipe."""

    def __init__(self, decode: Decode) -> None:
        # Forked, a process would take over locks that threads of this one hold and nobody there frees.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, decode), name="decoder", daemon=True)
        self._process.start()
        # Now the process alone holds its end, and reading from this one fails when it ends.
        theirs.close()
        self._ready = False

    def decode(self, clip: Clip, num_frames: int, size: int, time_limit: float) -> np.ndarray:
        if not self._ready:
            # Starting takes seconds, for which no clip is to blame.
            try:
                self._ready = self._pipe.recv()
            except (EOFError, OSError) as error:
                raise RuntimeError("a decoding process ended before its first clip; its message is above") from error
        try:
            self._pipe.send((clip, num_frames, size))
            if not self._pipe.poll(time_limit):
                raise Undecodable(TIME_LIMIT, f"{clip}: is not decoded after {time_limit:g} s; re-encode or remove it")
            result = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise Undecodable(CRASH, f"{clip}: ends the decoder; re-encode or remove it") from error
        if isinstance(result, str):
            raise Undecodable(UNREADABLE, result)
        return result

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def _work(pipe: Connection, decode: Decode) -> None:
    """Decode clip after clip until the other end is closed."""
    # Ctrl-C reaches every process of the terminal; the first one decides what becomes of the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    pipe.send(True)
    while True:
        try:
            clip, num_frames, size = pipe.recv()
        except EOFError:
            return
        try:
            result: np.ndarray | str = decode(clip, num_frames, size=size)
        except UserError as error:
            result = str(error)
        pipe.send(result)


def _end_with_parent() -> None:
    """A process that hangs in a clip does not see its pipe close, and a killed parent cannot kill it."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "runs in a spawned process"
    wait([parent.sentinel])
    os._exit(1)
