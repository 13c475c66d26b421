"""Somebody's training loop, one step at a time."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_a_loop_goes_on_by_one_step_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from peer_steps import Turns

    done: list[str] = []
    ended: list[bool] = []

    def loop(loader: Turns) -> None:
        try:
            for batch in loader:
                done.append(batch)
        finally:
            ended.append(True)

    turns = Turns(["a", "b"], loop)
    assert done == []
    for count in range(1, 4):
        turns.step()
        assert done == ["a", "b", "a"][:count]
    turns.close()
    assert ended == [True]
    assert len(done) == 3


def test_what_goes_wrong_in_a_loop_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from peer_steps import Turns

    def loop(loader: Turns) -> None:
        for _ in loader:
            raise ValueError("no such thing")

    turns = Turns(["a"], loop)
    with pytest.raises(ValueError, match="no such thing"):
        turns.step()
    with pytest.raises(RuntimeError, match="ended by itself"):
        Turns(["a"], lambda loader: None)
