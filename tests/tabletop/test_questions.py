"""Questions against answers worked out by hand on one scene."""

import numpy as np

from vljepa.tabletop import questions
from vljepa.tabletop.scene import Item, Placement, State

RED_CUBE = Item(shape="cube", colour="red", size="small", material="matte")
BLUE_BALL = Item(shape="ball", colour="blue", size="large", material="shiny")
RED_CONE = Item(shape="cone", colour="red", size="large", material="matte")
ITEMS = (RED_CUBE, BLUE_BALL, RED_CONE)
STATE = State(placements=(Placement(x=0.2, y=0.2), Placement(x=0.5, y=0.8), Placement(x=0.8, y=0.5)))


def _answers(ask, group: str) -> dict[str, str]:
    found = {}
    for seed in range(600):
        question = ask(ITEMS, STATE, group, np.random.default_rng(seed))
        if question is not None:
            assert question.group == group and (question.answer in question.choices or not question.choices)
            assert found.setdefault(question.question, question.answer) == question.answer
    return found


def test_simple_counts() -> None:
    found = _answers(questions.counting, "simple")
    assert found["How many objects are there?"] == "3"
    assert found["How many red objects are on the table?"] == "2"
    assert found["Count the cubes."] == "1"
    assert found["How many stars are there?"] == "0"


def test_complex_counts() -> None:
    found = _answers(questions.counting, "complex")
    assert found["How many objects are to the left of the red cone?"] == "2"
    assert found["How many objects are to the right of the blue ball?"] == "1"
    assert found["How many large red objects are there?"] == "1"
    assert found["How many matte cubes are there?"] == "1"


def test_hidden_objects_do_not_count() -> None:
    state = State(placements=(STATE.placements[0], Placement(x=0.5, y=0.8, in_box=True), STATE.placements[2]))
    for seed in range(50):
        question = questions.counting(ITEMS, state, "simple", np.random.default_rng(seed))
        if question is not None and question.question == "How many objects are there?":
            assert question.answer == "2"


def test_existence_groups() -> None:
    adversarial = _answers(questions.existence, "adversarial")
    assert adversarial["Is there a red cube?"] == "yes"
    assert {q for q, a in adversarial.items() if a == "no" and q.endswith("cone on the table?")} == set()
    assert adversarial["Is there a blue cube?"] == "no"
    popular = _answers(questions.existence, "popular")
    assert popular["Is there a green cube?"] == "no"
    assert "Is there a blue cube?" not in popular
    random = _answers(questions.existence, "random")
    assert set(random.values()) == {"yes", "no"}


def test_compositional() -> None:
    assert _answers(questions.compositional, "query")["What colour is the ball?"] == "blue"
    verify = _answers(questions.compositional, "verify")
    assert verify["Is the red cube to the left of the blue ball?"] == "yes"
    assert verify["Is the red cone behind the blue ball?"] == "no"
    compare = _answers(questions.compositional, "compare")
    assert compare["Are the red cube and the blue ball the same size?"] == "no"
    choose = _answers(questions.compositional, "choose")
    assert choose["Which is further right, the red cube or the red cone?"] == "the red cone"


def test_lookups_name_what_is_there_from_left_to_right() -> None:
    assert _answers(questions.lookup, "of_colour")["Which objects are red?"] == "a red cube and a red cone"
    assert _answers(questions.lookup, "of_colour")["Which objects are green?"] == "nothing"
    assert _answers(questions.lookup, "of_shape")["What colours are the balls?"] == "blue"
    assert _answers(questions.lookup, "of_shape")["What colours are the stars?"] == "none"
    assert _answers(questions.lookup, "of_kind")["Which objects are large?"] == "a blue ball and a red cone"
    assert _answers(questions.lookup, "outermost")["Which object is furthest from the camera?"] == "the blue ball"
    assert _answers(questions.lookup, "looks")["What does the red cone look like?"] == "a large matte red cone"
    beside = _answers(questions.lookup, "beside")
    assert beside["What is to the left of the red cone?"] == "a red cube and a blue ball"
    assert beside["What is to the right of the red cone?"] == "nothing"


def test_lookups_skip_what_the_eye_cannot_settle() -> None:
    close = State(placements=(Placement(x=0.2, y=0.2), Placement(x=0.24, y=0.8), Placement(x=0.8, y=0.5)))
    for seed in range(50):
        for group in ("beside", "outermost"):
            question = questions.lookup(ITEMS, close, group, np.random.default_rng(seed))
            if question is not None:
                assert question.question != "Which object is furthest left?"
                assert "left of the blue" not in question.question and "right of the red cube" not in question.question
    empty = State(placements=tuple(Placement(x=0.5, y=0.5, on_table=False) for _ in ITEMS))
    for group in questions.LOOKUP_GROUPS:
        assert questions.lookup(ITEMS, empty, group, np.random.default_rng(0)) is None
