"""Nearest neighbour answers with the target of the sample that is nearest in sight and in question."""

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.evaluation.baselines import nearest_neighbour
from vljepa.types import Clip

SIGHT = {"cube": [1.0, 0.0], "ball": [0.0, 1.0]}
WORDS = ["What?", "How many?", "a cube", "a ball", "one", "two", "."]


def pool_clips(clips: list[Clip]) -> np.ndarray:
    return np.array([SIGHT[clip.media[0]] for clip in clips])


def encode_text(texts: list[str]) -> np.ndarray:
    return np.eye(len(WORDS))[[WORDS.index(text) for text in texts]]


def test_nearest_by_sight_and_question() -> None:
    sight = np.array([SIGHT["cube"], SIGHT["ball"], SIGHT["cube"], SIGHT["ball"]])
    queries = ["What?", "What?", "How many?", ""]
    system = nearest_neighbour(sight, queries, ["a cube", "a ball", "one", "two"], pool_clips, encode_text)
    clips = [Clip(media=(name,)) for name in ("ball", "cube", "cube", "ball")]
    predicted = system.embed_clips(clips, ["What?", "What?", "How many?", ""])
    assert system.decode is not None
    assert system.decode(predicted) == ["a ball", "a cube", "one", "two"]


def test_training_samples_must_match() -> None:
    with pytest.raises(UserError, match="2 features, 1 queries"):
        nearest_neighbour(np.eye(2), ["What?"], ["one"], pool_clips, encode_text)
