"""Results by hand."""

from collections.abc import Callable
from typing import Any

import pytest

from vljepa.evaluation.result import Evaluation, Outcome, Result

MakeResult = Callable[..., Result]


@pytest.fixture
def make_result() -> MakeResult:
    def make(benchmark: str, system: str = "nano", **fields: Any) -> Result:
        values: dict[str, Any] = {
            "task": "classification",
            "metric": "top-1",
            "value": 0.5,
            "interval": (0.4, 0.6),
            "chance": 0.1,
            "count": 4,
            "left_out": [],
            "synthetic": False,
        }
        return Result(system=system, benchmark=benchmark, **(values | fields))

    return make


@pytest.fixture
def make_outcome() -> Callable[..., Outcome]:
    def make(number: int, expected: str, found: str, score: float | None = None, **fields: Any) -> Outcome:
        score = float(expected == found) if score is None else score
        return Outcome(id=str(number), media=f"{number}.mp4", expected=expected, found=found, score=score, **fields)

    return make


@pytest.fixture
def make_evaluation() -> Callable[..., Evaluation]:
    def make(*results: Result) -> Evaluation:
        return Evaluation(systems={r.system: f"what {r.system} is" for r in results}, results=list(results))

    return make
