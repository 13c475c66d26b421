"""What a system takes for what, and the items that show it at its best and at its worst."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from vljepa.evaluation.result import Outcome, Result

LABELLED = ("classification", "anticipation", "choice")
"""Tasks whose items have one right label of several."""
MATRIX_CLASSES = 40
"""A matrix of more is a picture of nothing."""
_RANK = re.compile(r"rank (\d+) of \d+")


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """One label taken for another."""

    truth: str
    found: str
    count: int
    of: int
    """Items of that truth."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """How often each label was found for each truth."""

    labels: list[str]
    counts: list[list[int]]
    """Rows are truths."""


def confusions(result: Result, most: int = 15) -> list[Confusion]:
    """The most frequent wrong pairs; none for tasks without labels."""
    if result.task not in LABELLED:
        return []
    pairs = Counter((o.expected, o.found) for o in result.outcomes)
    truths = Counter(o.expected for o in result.outcomes)
    wrong = sorted(((n, pair) for pair, n in pairs.items() if pair[0] != pair[1]), key=lambda one: (-one[0], one[1]))
    return [Confusion(truth=t, found=f, count=n, of=truths[t]) for n, (t, f) in wrong[:most]]


def matrix(result: Result) -> Matrix | None:
    """The whole of it; None for tasks without labels, or with too many."""
    if result.task not in LABELLED:
        return None
    labels = sorted({label for o in result.outcomes for label in (o.expected, o.found)}, key=_natural)
    if not 2 <= len(labels) <= MATRIX_CLASSES:
        return None
    pairs = Counter((o.expected, o.found) for o in result.outcomes)
    return Matrix(labels=labels, counts=[[pairs[truth, found] for found in labels] for truth in labels])


def worst(result: Result, count: int) -> list[Outcome]:
    """Wrong items: the farthest rank, the lowest score, or one of each of the most frequent confusions."""
    wrong = [o for o in result.outcomes if o.score < 1] if result.task != "caption" else list(result.outcomes)
    if result.task == "caption":
        return sorted(wrong, key=lambda o: o.score)[:count]
    if result.task == "retrieval":
        return sorted(wrong, key=lambda o: -_rank(o))[:count]
    pairs = Counter((o.expected, o.found) for o in wrong)
    return _one_of_each(sorted(wrong, key=lambda o: -pairs[o.expected, o.found]), count)


def best(result: Result, count: int) -> list[Outcome]:
    """Right items, of as many labels as there are; captions of the highest score."""
    if result.task == "caption":
        return sorted(result.outcomes, key=lambda o: -o.score)[:count]
    right = [o for o in result.outcomes if o.score == 1]
    if result.task in LABELLED:
        return _one_of_each(right, count)
    count = min(count, len(right))
    return [right[i * len(right) // count] for i in range(count)]


def _one_of_each(outcomes: Sequence[Outcome], count: int) -> list[Outcome]:
    """In their order, those of a pair of labels that already has one after all others."""
    seen: Counter[tuple[str, str]] = Counter()
    turns = []
    for place, outcome in enumerate(outcomes):
        pair = (outcome.expected, outcome.found)
        turns.append((seen[pair], place))
        seen[pair] += 1
    return [outcomes[place] for _, place in sorted(turns)[:count]]


def _rank(outcome: Outcome) -> int:
    found = _RANK.fullmatch(outcome.found)
    return int(found[1]) if found else 0


def _natural(label: str) -> tuple[int, str]:
    """Numbers in their order, before words."""
    return (int(label), "") if label.isdecimal() else (10**9, label)
