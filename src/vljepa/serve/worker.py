"""The one thread that runs the model, and the bounded queue before it."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Run = Callable[[list[Item]], list[Result]]
"""What is done with items: several of them together cost less than one after the other."""

BATCH = 8
"""Requests of one kind that pass the model together."""


class Busy(Exception):
    """The queue is full."""


@dataclass(frozen=True, slots=True)
class _Job:
    run: Callable[[list[Any]], list[Any]]
    item: Any
    future: Future[Any]


class ModelWorker:
    """Runs requests and streams by turns, so that neither starves the other.

    Requests of one kind that wait are run together. Streams put in one job each and wait for it, so that their
    number bounds their lane.

    Args:
        limit: requests that may wait.
        time_limit: for one of them, seconds.
    """

    def __init__(self, limit: int, time_limit: float) -> None:
        self.limit = limit
        self.time_limit = time_limit
        self.num_done = 0
        self._requests: deque[_Job] = deque()
        self._streams: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._requests)

    def ask(self, run: Run[Item, Result], item: Item) -> Result:
        """Have a request done, and wait for it.

        Raises:
            Busy: as many wait as may.
            TimeoutError: it was not done in time, and is given up.
            CancelledError: the worker was closed.
        """
        with self._changed:
            if len(self._requests) >= self.limit:
                # Whoever gave up waiting makes room.
                self._requests = deque(job for job in self._requests if not job.future.cancelled())
            if len(self._requests) >= self.limit:
                raise Busy
            future = self._put(self._requests, run, item)
        try:
            return future.result(self.time_limit)
        except TimeoutError:
            future.cancel()
            raise

    def follow(self, run: Run[Item, Result], item: Item) -> Result:
        """Have a stream's next piece of work done, and wait for it.

        Raises:
            CancelledError: the worker was closed.
        """
        with self._changed:
            future = self._put(self._streams, run, item)
        return future.result()

    def close(self) -> None:
        """Finish what is at work, cancel what waits."""
        with self._changed:
            self._closed = True
            for job in (*self._requests, *self._streams):
                job.future.cancel()
            self._changed.notify()
        self._thread.join()

    def _put(self, lane: deque[_Job], run: Run[Item, Result], item: Item) -> "Future[Result]":
        future: Future[Result] = Future()
        if self._closed:
            future.cancel()
            return future
        lane.append(_Job(run, item, future))
        self._changed.notify()
        return future

    def _work(self) -> None:
        while True:
            for take in (self._take_requests, self._take_stream):
                with self._changed:
                    while not (self._requests or self._streams or self._closed):
                        self._changed.wait()
                    if self._closed:
                        return
                    jobs = take()
                jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
                if jobs:
                    _run(jobs)
                    self.num_done += len(jobs)

    def _take_requests(self) -> list[_Job]:
        if not self._requests:
            return []
        kind = self._requests[0].run
        together = [job for job in self._requests if job.run == kind][:BATCH]
        taken = set(map(id, together))
        self._requests = deque(job for job in self._requests if id(job) not in taken)
        return together

    def _take_stream(self) -> list[_Job]:
        return [self._streams.popleft()] if self._streams else []


def _run(jobs: list[_Job]) -> None:
    try:
        results = jobs[0].run([job.item for job in jobs])
    except Exception as error:  # noqa: BLE001 - it belongs to whoever asked, and this thread must go on
        if len(jobs) == 1:
            jobs[0].future.set_exception(error)
        else:
            # One item's fault is not the others'.
            for job in jobs:
                _run([job])
        return
    for job, result in zip(jobs, results, strict=True):
        job.future.set_result(result)
