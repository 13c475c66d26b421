"""Descriptions keep what a mean over places and frames loses, and drop what every clip has."""

import torch

from vljepa.embedding import normalize
from vljepa.evaluation.description import Description

FRAMES, PLACES, WIDTH = 4, 4, 8


def clip(places: list[int], seed: int) -> torch.Tensor:
    """A bright spot at one place a frame, on a table that looks different at every place but always the same."""
    table = torch.randn(PLACES, WIDTH, generator=torch.Generator().manual_seed(0)) * 5
    tokens = table.expand(FRAMES, -1, -1).clone()
    tokens += torch.randn(tokens.shape, generator=torch.Generator().manual_seed(seed)) * 0.05
    for frame, place in enumerate(places):
        tokens[frame, place, 0] += 1
    return tokens


def test_direction_of_motion_is_seen() -> None:
    left, right, again = clip([3, 2, 1, 0], 1), clip([0, 1, 2, 3], 2), clip([3, 2, 1, 0], 3)
    tokens = torch.stack([left, right, again])
    description = Description.fit(tokens)
    rows = normalize(torch.from_numpy(description(tokens)))
    assert rows[0] @ rows[2] > 0.8 and rows[0] @ rows[1] < 0.2
    # The same three as means over places and frames are one and the same.
    means = normalize(tokens.mean(dim=(1, 2)))
    assert means[0] @ means[1] > 0.99
