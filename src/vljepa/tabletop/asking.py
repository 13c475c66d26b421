"""Questions about a scene as rows of a benchmark or of a training manifest."""

from collections.abc import Callable
from typing import Any

import numpy as np

from vljepa.tabletop import questions
from vljepa.tabletop.scene import Item, State

Row = dict[str, Any]
_Asker = Callable[[tuple[Item, ...], State, str, np.random.Generator], questions.Question | None]
_ASKERS: dict[str, tuple[_Asker, tuple[str, ...]]] = {
    "counting": (questions.counting, questions.COUNTING_GROUPS),
    "existence": (questions.existence, questions.EXISTENCE_GROUPS),
    "compositional": (questions.compositional, questions.COMPOSITIONAL_GROUPS),
}
"""Of the benchmarks."""
_TRAIN_ASKERS: dict[str, tuple[_Asker, tuple[str, ...]]] = {
    **_ASKERS,
    "lookup": (questions.lookup, questions.LOOKUP_GROUPS),
}


def _ask(
    asker: _Asker, group: str, items: tuple[Item, ...], state: State, rng: np.random.Generator
) -> questions.Question | None:
    """The first question the scene offers in a few draws."""
    drawn = (asker(items, state, group, rng) for _ in range(5))
    return next((question for question in drawn if question is not None), None)


def choice_rows(
    scene: str, media: str, items: tuple[Item, ...], state: State, rng: np.random.Generator, count: int
) -> dict[str, list[Row]]:
    """Items of each question benchmark about the medium of the scene named, at most ``count`` groups of each."""
    rows: dict[str, list[Row]] = {name: [] for name in _ASKERS}
    for name, (asker, groups) in _ASKERS.items():
        for group in rng.permutation(groups)[:count]:
            q = _ask(asker, str(group), items, state, rng)
            if q is not None:
                rows[name].append(
                    {"id": f"{scene}-{q.group}", "media": media, "question": q.question, "answer": q.answer,
                     "choices": list(q.choices), "group": q.group}
                )  # fmt: skip
    return rows


def question_rows(
    scene: str, media: str, items: tuple[Item, ...], state: State, rng: np.random.Generator, rounds: int
) -> list[Row]:
    """Training samples: distinct questions of every group, ``rounds`` of each at most."""
    rows: dict[str, Row] = {}
    for number in range(rounds):
        for asker, groups in _TRAIN_ASKERS.values():
            for group in groups:
                q = _ask(asker, group, items, state, rng)
                if q is not None:
                    row = {"id": f"{scene}-{group}-{number}", "media": media, "query": q.question}
                    rows.setdefault(q.question, row | {"targets": [q.answer]})
    return list(rows.values())
