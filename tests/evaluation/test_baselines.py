"""Nearest neighbour answers with the target of the sample that is nearest in sight and in question."""

from collections.abc import Sequence

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.evaluation.baselines import TrainingSet, nearest_neighbour
from vljepa.types import Clip

SIGHT = {"cube": [1.0, 0.0], "ball": [0.0, 1.0]}
WORDS = ["What?", "How many?", "a cube", "a ball", "one", "two", "still", "."]
TRAINING = {
    8: TrainingSet(
        visual=np.array([SIGHT["cube"], SIGHT["ball"]]),
        clip_of=[0, 1, 0, 1],
        queries=["What?", "What?", "How many?", ""],
        targets=["a cube", "a ball", "one", "two"],
    ),
    1: TrainingSet(visual=np.ones((1, 1)), clip_of=[0], queries=["What?"], targets=["still"]),
}


def describe(clips: list[Clip]) -> list[tuple[list[int], int, np.ndarray]]:
    moving = [row for row, clip in enumerate(clips) if clip.media[0] in SIGHT]
    images = [row for row in range(len(clips)) if row not in moving]
    groups: list[tuple[list[int], int, np.ndarray]] = []
    if moving:
        groups.append((moving, 8, np.array([SIGHT[clips[row].media[0]] for row in moving])))
    if images:
        groups.append((images, 1 if clips[images[0]].media[0] == "image" else 2, np.ones((len(images), 1))))
    return groups


def describe_stream(path: str, rate_hz: float) -> tuple[Sequence[float], int, np.ndarray]:
    return [0.0, 1.0, 2.0], 8, np.array([SIGHT["ball"], SIGHT["cube"], SIGHT["cube"]])


def encode_text(texts: list[str]) -> np.ndarray:
    return np.eye(len(WORDS))[[WORDS.index(text) for text in texts]]


def clip(name: str) -> Clip:
    return Clip(media=(name,))


def test_nearest_by_sight_and_question_among_clips_of_as_many_frames() -> None:
    system = nearest_neighbour(TRAINING, describe, encode_text)
    clips = [clip(name) for name in ("ball", "image", "cube", "cube", "ball")]
    predicted = system.embed_clips(clips, ["What?", "What?", "What?", "How many?", ""])
    assert system.decode is not None and system.embed_stream is None
    assert system.decode(predicted) == ["a ball", "still", "a cube", "one", "two"]
    np.testing.assert_array_equal(predicted, encode_text(["a ball", "still", "a cube", "one", "two"]))


def test_more_clips_than_are_compared_together() -> None:
    system = nearest_neighbour(TRAINING, describe, encode_text)
    names = ["ball", "cube", "cube"] * 50
    predicted = system.embed_clips([clip(name) for name in names], ["What?"] * 150)
    assert system.decode is not None
    assert system.decode(predicted) == [f"a {name}" for name in names]


def test_stream_is_answered_instant_by_instant() -> None:
    system = nearest_neighbour(TRAINING, describe, encode_text, describe_stream)
    assert system.embed_stream is not None and system.decode is not None
    times, predicted = system.embed_stream("long.mp4", 1.0, "What?")
    assert times == [0.0, 1.0, 2.0] and system.decode(predicted) == ["a ball", "a cube", "a cube"]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UserError, match="2 clips, 1 queries"):
        TrainingSet(visual=np.eye(2), clip_of=[0, 1], queries=["What?"], targets=["one"])
    with pytest.raises(UserError, match="no training clip has 2 frames"):
        nearest_neighbour(TRAINING, describe, encode_text).embed_clips([clip("pair")], ["What?"])
