"""Descriptions keep what a mean over places and frames loses, and drop what every clip has."""

import torch

from vljepa.embedding import normalize
from vljepa.evaluation.description import Description

FRAMES, PLACES, WIDTH = 4, 4, 8


def clip(places: list[int], seed: int) -> torch.Tensor:
    """A bright spot at one place a frame, on a table that looks different at every place but always the same."""
    table = torch.randn(PLACES, WIDTH, generator=torch.Generator().manual_seed(0)) * 5
    tokens = table.expand(FRAMES, -1, -1).clone()
    tokens += torch.randn(tokens.shape, generator=torch.Generator().manual_seed(seed)) * 0.01
    for frame, place in enumerate(places):
        tokens[frame, place, 0] += 1
    return tokens


def test_direction_of_motion_is_seen() -> None:
    left, right, again, still = clip([3, 2, 1, 0], 1), clip([0, 1, 2, 3], 2), clip([3, 2, 1, 0], 3), clip([1] * 4, 4)
    left[:, 2, 1] = right[:, 2, 1] = again[:, 2, 1] = 9.0
    tokens = torch.stack([left, right, again, still])
    rows = normalize(torch.from_numpy(Description.fit(tokens)(tokens)))
    # What stands still is alike in the first three, and half of the cosine; the motions are opposed.
    assert rows[0] @ rows[2] > 0.95 and rows[0] @ rows[1] < 0.6
    # As means over places and frames the three are one and the same.
    means = normalize(tokens.mean(dim=(1, 2)))
    assert means[0] @ means[1] > 0.99


def test_an_image_is_described_by_what_is_there() -> None:
    here, there, again = (clip([place] * FRAMES, seed)[:1] for place, seed in ((0, 1), (3, 2), (0, 3)))
    tokens = torch.stack([here, there, again])
    rows = normalize(torch.from_numpy(Description.fit(tokens)(tokens)))
    assert rows.isfinite().all() and rows[0] @ rows[2] > 0.8 > rows[0] @ rows[1]
