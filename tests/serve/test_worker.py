"""The queue before the model: its bound, its turns, its batches."""

import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest
from serving import wait_for

from vljepa.serve.worker import BATCH, Busy, ModelWorker


class Gate:
    """A job that holds the model until it is opened."""

    def __init__(self, worker: ModelWorker) -> None:
        self.opened, self.entered = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=worker.follow, args=(self._hold, None))
        self._thread.start()
        assert self.entered.wait(10)

    def open(self) -> None:
        self.opened.set()
        self._thread.join(10)

    def _hold(self, items: list[None]) -> list[None]:
        self.entered.set()
        assert self.opened.wait(10)
        return items


def double(items: list[int]) -> list[int]:
    return [2 * item for item in items]


def test_more_than_the_limit_is_refused_and_nothing_waiting_is_lost() -> None:
    worker = ModelWorker(limit=3, time_limit=10.0)
    gate = Gate(worker)
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(worker.ask, double, n) for n in range(3)]
        wait_for(lambda: worker.waiting == 3)
        with pytest.raises(Busy):
            worker.ask(double, 3)
        gate.open()
        assert [future.result(10) for future in waiting] == [0, 2, 4]
    worker.close()


def test_one_that_gave_up_makes_room() -> None:
    worker = ModelWorker(limit=1, time_limit=0.05)
    gate = Gate(worker)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            worker.ask(double, 1)
    assert worker.waiting == 1
    gate.open()
    worker.close()


def test_requests_of_a_kind_run_together_and_in_order() -> None:
    worker = ModelWorker(limit=100, time_limit=10.0)
    sizes: list[int] = []

    def run(items: list[int]) -> list[int]:
        sizes.append(len(items))
        return double(items)

    gate = Gate(worker)
    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(worker.ask, run, n) for n in range(20)]
        wait_for(lambda: worker.waiting == 20)
        gate.open()
        assert [future.result(10) for future in waiting] == [2 * n for n in range(20)]
    assert sizes == [BATCH, BATCH, 20 - 2 * BATCH]
    worker.close()


def test_a_bad_item_fails_alone() -> None:
    worker = ModelWorker(limit=10, time_limit=10.0)

    def invert(items: list[int]) -> list[float]:
        return [1 / item for item in items]

    gate = Gate(worker)
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(worker.ask, invert, n) for n in (1, 0, 2)]
        wait_for(lambda: worker.waiting == 3)
        gate.open()
        assert (waiting[0].result(10), waiting[2].result(10)) == (1.0, 0.5)
        assert isinstance(waiting[1].exception(10), ZeroDivisionError)
    worker.close()


def test_streams_and_requests_take_turns() -> None:
    worker = ModelWorker(limit=100, time_limit=10.0)
    order: list[str] = []

    def stream(items: list[int]) -> list[int]:
        order.append("stream")
        return items

    def request(items: list[int]) -> list[int]:
        order.append("request")
        return items

    gate = Gate(worker)
    with ThreadPoolExecutor(2 * BATCH + 3) as threads:
        for n in range(2 * BATCH):
            threads.submit(worker.ask, request, n)
        for n in range(3):
            threads.submit(worker.follow, stream, n)
        wait_for(lambda: worker.waiting == 2 * BATCH)
        gate.open()
    assert order[:4] == ["request", "stream", "request", "stream"]
    worker.close()


def test_a_closed_worker_cancels() -> None:
    worker = ModelWorker(limit=1, time_limit=10.0)
    worker.close()
    with pytest.raises(CancelledError):
        worker.ask(double, 1)
