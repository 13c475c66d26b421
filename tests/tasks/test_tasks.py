"""Classification, answering, retrieval and world modelling on made-up embeddings."""

import numpy as np
import pytest
import torch

from vljepa.errors import UserError
from vljepa.tasks.answer import answer
from vljepa.tasks.classify import classify
from vljepa.tasks.retrieve import rank
from vljepa.tasks.world_model import choose_action

WORDS = {"left": [1.0, 0.0, 0.0], "right": [0.0, 2.0, 0.0], "up": [0.0, 0.0, 3.0], "yes": [1.0, 1.0, 0.0]}


def encode_text(texts: list[str]) -> np.ndarray:
    return np.array([WORDS[text.removeprefix("moving ")] for text in texts])


def test_classify_ranks_by_cosine() -> None:
    ranked = classify(torch.tensor([[0.6, 0.8, 0.0], [5.0, 0.0, 0.0]]), ["left", "right", "up"], encode_text)
    assert [[s.text for s in row] for row in ranked] == [["right", "left", "up"], ["left", "right", "up"]]
    assert [s.score for s in ranked[0]] == pytest.approx([0.8, 0.6, 0.0])


def test_classify_averages_templates() -> None:
    ranked = classify(np.eye(3)[:1], ["left", "up"], encode_text, templates=["{}", "moving {}"])
    assert ranked[0][0].text == "left" and ranked[0][0].score == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "is empty"),
        (["left", "left"], "'left' is given 2 times"),
        (["left", " "], "number 2"),
        ("left", "is one text"),
    ],
)
def test_bad_labels_are_refused(labels: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        classify(np.eye(3), labels, encode_text)


def test_template_without_place_is_refused() -> None:
    with pytest.raises(UserError, match="place of the label"):
        classify(np.eye(3), ["left"], encode_text, templates=["a video"])


def test_answer_ranks_each_questions_own_choices() -> None:
    ranked = answer(np.eye(3)[:2], [["up", "yes"], ["left", "right", "up"]], encode_text)
    assert ranked[0][0].text == "yes" and ranked[0][0].score == pytest.approx(2**-0.5)
    assert ranked[1][0].text == "right" and len(ranked[1]) == 3


def test_rank_orders_the_pool() -> None:
    indices, scores = rank(np.array([[0.6, 0.8, 0.0]]), np.eye(3), k=2)
    assert indices.tolist() == [[1, 0]]
    assert scores[0].tolist() == pytest.approx([0.8, 0.6])
    with pytest.raises(UserError, match="at least 1"):
        rank(np.eye(3), np.eye(3), k=0)


def test_world_model_prefers_the_likest_action() -> None:
    scores = choose_action(np.eye(3)[:2], [np.eye(3), np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])])
    assert [int(s.argmax()) for s in scores] == [0, 1]
    with pytest.raises(UserError, match="candidate"):
        choose_action(np.eye(3), [np.eye(3)])
