"""Batches of captions in two wordings: what trains the Y-Encoder to tell the same from almost the same."""

import numpy as np

from vljepa.everyday.scene import Scene, altered, draw, facts
from vljepa.everyday.wording import caption

Pair = tuple[str, str]
"""Two wordings of one scene."""


def pairs(num_scenes: int, num_alterations: int, seed: int, step: int) -> list[Pair]:
    """The pairs of a step, a pure function of the arguments: each scene's, followed by those of its alterations.

    A scene and its alterations share two styles, either of which comes first by chance. So of a pair's negatives, which
    are all other pairs of the batch, some differ from either wording in nothing but meaning.

    Returns:
        ``num_scenes * (1 + num_alterations)`` pairs.
    """
    rng = np.random.default_rng([seed, step])
    found: list[Pair] = []
    for _ in range(num_scenes):
        first, second = (int(style) for style in rng.integers(2**62, size=2))
        for scene in _family(rng, num_alterations):
            pair = caption(scene, first), caption(scene, second)
            # Were the near negatives always in the wording's own style, another style alone would tell the positive.
            found.append(pair if rng.random() < 0.5 else pair[::-1])
    return found


def _family(rng: np.random.Generator, num_alterations: int) -> list[Scene]:
    """A scene and its alterations, no two of the same meaning."""
    while True:
        scene = draw(rng)
        family = {facts(scene): scene}
        for _ in range(8 * num_alterations):
            if len(family) > num_alterations:
                break
            other = altered(scene, rng)
            family.setdefault(facts(other), other)
        # A small scene may not have as many alterations.
        if len(family) == 1 + num_alterations:
            return list(family.values())
