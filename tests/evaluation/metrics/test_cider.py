"""CIDEr-D against figures of pycocoevalcap on the same words."""

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.evaluation.metrics.cider import cider

REFERENCES = [
    ["a cat sits on a mat", "the cat is on the mat"],
    ["a dog runs in the park", "the dog is running"],
    ["two men play ball", "men playing with a ball"],
]
CAPTIONS = ["a cat is on the mat", "a dog runs in the park", "two men play ball"]


def test_two_items_equal_the_reference_implementation() -> None:
    scores = cider(CAPTIONS[:2], REFERENCES[:2])
    np.testing.assert_allclose(scores, [5.353365088063882, 5.418058971994749], atol=1e-9)
    assert scores.mean() == pytest.approx(5.385712030029316, abs=1e-9)


def test_three_items_equal_the_reference_implementation() -> None:
    scores = cider(CAPTIONS, REFERENCES)
    np.testing.assert_allclose(scores, [5.284961638529477, 5.438223791534559, 5.616379447964947], atol=1e-9)


def test_single_item_scores_zero() -> None:
    assert cider(CAPTIONS[:1], REFERENCES[:1]).tolist() == [0.0]


def test_empty_caption_scores_zero() -> None:
    assert cider(["", CAPTIONS[1]], REFERENCES[:2])[0] == 0.0


def test_item_without_reference_is_refused() -> None:
    with pytest.raises(UserError, match="at least one reference"):
        cider(["a cat"], [[]])
