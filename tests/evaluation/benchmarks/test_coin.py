"""COIN: subsets under both names, equal steps of several tasks, and the step after the next."""

from typing import Any

import pytest

from vljepa.errors import UserError


def step(number: int, label: object, *segment: object) -> dict[str, object]:
    return {"id": str(number), "segment": list(segment), "label": label}


def video(task: str, kind: int, subset: str, *steps: object) -> dict[str, object]:
    return {"duration": 9.0, "class": task, "subset": subset, "recipe_type": kind, "annotation": list(steps)}


DATABASE = {
    # In the file out of order of time; one label differs from another by a blank alone.
    "-a_1": video(
        "ReplaceCDDriveWithSSD", 131, "testing", step(216, "insert the  tray", 5.0, 7.0), step(212, "take out", 1, 3.5)
    ),
    "b2": video(
        "Sow", 7, "Validation", step(9, "insert the tray", 1, 9), step(10, "water", 4, 20), step(11, "dig", 30, 40)
    ),
    "c3": video("MakeRJ45Cable", 8, "training", step(12, "cut", 1, 2), step(13, "dig", 1, 2)),
    "d4": video(
        "Sow", 7, "testing", step(9, "", 1, 2), step(9, "dig", 2), step(9, "dig", "x", 2), step(9, "dig", 3, 2)
    ),
    "e5": video("Sow", 7, "testing"),
}


@pytest.fixture
def converted(run: Any, put: Any, film: Any) -> Any:
    put("source/COIN.json", {"database": DATABASE})
    film("source/videos/131/-a_1.mp4", 9)
    film("source/b2.webm.mp4", 9)
    film("source/videos/7/d4.mkv", 9)
    return run("coin")


def test_steps(converted: Any, benchmark: Any, items: Any) -> None:
    assert benchmark("coin_step").classes == ["insert the tray", "take out", "water", "dig", "cut"]
    a, b = "../../media/coin/videos/131/-a_1.mp4", "../../media/coin/b2.webm.mp4"
    assert items("coin_step") == [
        {"id": "-a_1/1", "media": a, "start": 1.0, "end": 3.5, "label": "take out"},
        {"id": "-a_1/0", "media": a, "start": 5.0, "end": 7.0, "label": "insert the tray"},
        {"id": "b2/0", "media": b, "start": 1.0, "end": 9.0, "label": "insert the tray"},
        {"id": "b2/1", "media": b, "start": 4.0, "end": 9.0, "label": "water"},
    ]
    assert converted[0].left_out.counts == {
        "start: lies past the end of the video": 1,
        "label: is empty": 1,
        "segment: is no start and end": 1,
        "segment start: is no number": 1,
        "end: is not what a benchmark may hold": 1,
        "annotation: holds no step": 1,
    }


def test_tasks(converted: Any, benchmark: Any, items: Any) -> None:
    found = benchmark("coin_task")
    assert found.classes == ["make RJ45 cable", "replace CD drive with SSD", "sow"]
    assert [(i["id"], i["label"]) for i in items("coin_task")] == [
        ("-a_1", "replace CD drive with SSD"),
        ("b2", "sow"),
        ("d4", "sow"),
    ]
    assert found.official_items == 2_797 and converted[1].missing.read_text() == "e5\n"


def test_next_steps(converted: Any, benchmark: Any, items: Any) -> None:
    assert benchmark("coin_next_step").task == "anticipation"
    # b2's second step begins while the first goes on; its third is the truth, though the video ends before it.
    assert [(i["id"], i["start"], i["end"], i["label"], i["horizon"]) for i in items("coin_next_step")] == [
        ("-a_1/1", 1.0, 3.5, "insert the tray", 1.5),
        ("b2/0", 1.0, 9.0, "water", 0.0),
        ("b2/1", 4.0, 9.0, "dig", 10.0),
        # What a step without a label is followed by is known.
        ("d4/0", 1.0, 2.0, "dig", 1.0),
    ]


def test_another_release(run: Any, put: Any) -> None:
    put("source/COIN.json", {"database": DATABASE})
    with pytest.raises(UserError, match=r"^coin: ids of steps: 7 found, the official release has 778; give --partial"):
        run("coin", partial=False)
    put("source/COIN.json", {"videos": {}})
    with pytest.raises(UserError, match=r"COIN.json: database: is missing; is it the right file\?$"):
        run("coin")
