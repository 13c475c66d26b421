"""World modelling: which of several action clips leads from the initial to the final image (paper, section 4.3)."""

from collections.abc import Sequence

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.unit import Embeddings, unit_rows


def choose_action(states: Embeddings, candidates: Sequence[Embeddings]) -> list[np.ndarray]:
    """Cosine similarity of each state transition with each of its candidate actions.

    Args:
        states: (n, E), embeddings of the pairs of initial and final image.
        candidates: n arrays (c, E), embeddings of the candidate action clips; c may differ.

    Returns:
        n arrays (c,); the largest entry is the choice.

    Raises:
        UserError: not one non-empty set of candidates for each state.
    """
    if len(candidates) != len(states) or any(len(one) == 0 for one in candidates):
        raise UserError(f"world model: {len(states)} states need as many lists of at least one candidate")
    return [unit_rows(one) @ state for one, state in zip(candidates, unit_rows(states), strict=True)]
