"""GQA: exact answers, and what kind of question they answer."""

from collections.abc import Collection, Sequence

import numpy as np

OPEN = "query"
"""The structural type that asks for an open answer."""
BINARY = ("verify", "logical", "choose", "compare")
"""The structural types that give the answers away."""


def exact_matches(found: Sequence[str], truth: Sequence[str]) -> np.ndarray:
    """Whether each answer equals the truth to the letter, (n,) of 0.0 and 1.0: so do GQA's and CLEVR's scorers."""
    return np.array([float(one == other) for one, other in zip(found, truth, strict=True)])


def question_kind(types: Collection[str]) -> str | None:
    """``open`` or ``binary`` by a question's structural type, as GQA's scorer tells them apart; None without one."""
    if OPEN in types:
        return "open"
    return "binary" if any(one in BINARY for one in types) else None
