"""CrossTask: steps counted from 1, task ids that are texts, ids of videos with underscores."""

from typing import Any

import pytest

from vljepa.errors import UserError

TASKS = """23521
Make Jello Shots
https://www.wikihow.com/Make-Jello-Shots
3
boil water,pour water, stir

16815
Jack Up a Car
https://www.wikihow.com/Jack-Up-a-Car
2
brake on,stir

"""


@pytest.fixture
def files(put: Any, film: Any) -> None:
    put("source/tasks_primary.txt", TASKS)
    put("source/annotations/23521_-a_b.csv", "2,1.5,2.5\r\n3,2.5,99\r\n2,3,4\r\n")
    put("source/annotations/16815_c.csv", "2;0;1\n3;1;2\n0;1;2\n")
    put("source/annotations/99_related.csv", "1,0,1\n")
    put("source/annotations/16815_empty.csv")
    put("source/videos_val.csv", "16815,c,https://x\n")
    for name in ("-a_b", "c", "empty"):
        film(f"source/videos/{name}.mp4", 5)


def test_steps(files: None, run: Any, benchmark: Any, items: Any, tmp_path: Any) -> None:
    written = run("crosstask")[0]
    assert benchmark("crosstask_step").classes == ["boil water", "pour water", "stir", "brake on"]
    assert items("crosstask_step") == [
        {
            "id": f"{task}/{video}/{i}",
            "media": f"../../media/crosstask/videos/{video}.mp4",
            "start": start,
            "end": end,
            "label": label,
        }
        for task, video, i, start, end, label in [
            ("16815", "c", 0, 0.0, 1.0, "stir"),
            ("23521", "-a_b", 0, 1.5, 2.5, "pour water"),
            ("23521", "-a_b", 1, 2.5, 5.0, "stir"),
            ("23521", "-a_b", 2, 3.0, 4.0, "pour water"),
        ]
    ]
    folder = tmp_path / "source" / "annotations"
    assert written.left_out.examples == {
        "annotations: a file cannot be read": [f"{folder / '16815_empty.csv'}: is empty (0 bytes); fetch it again"],
        "step: is not among the task's steps": [
            f"{folder / '16815_c.csv'}:2: 3 of 2",
            f"{folder / '16815_c.csv'}:3: 0 of 2",
        ],
    }
    assert written.repaired.counts["delimiter: is a semicolon, not a comma"] == 1


def test_tasks(files: None, run: Any, benchmark: Any, items: Any) -> None:
    run("crosstask")
    assert benchmark("crosstask_task").classes == ["Make Jello Shots", "Jack Up a Car"]
    labels = {item["id"]: item["label"] for item in items("crosstask_task")}
    assert labels == {"16815/c": "Jack Up a Car", "16815/empty": "Jack Up a Car", "23521/-a_b": "Make Jello Shots"}


def test_the_validation_list(files: None, run: Any, items: Any) -> None:
    run("crosstask", options={"split": "val"})
    assert [item["id"] for item in items("crosstask_task")] == ["16815/c"]


@pytest.mark.parametrize(
    ("tasks", "problem"),
    [
        (TASKS.replace("\n3\n", "\n4\n"), "task 23521: number of steps: is 4, but 3 steps are listed"),
        (TASKS.replace("16815\n", ""), "holds 9 lines that are not empty, no multiple of 5"),
    ],
)
def test_broken_tasks(files: None, run: Any, put: Any, tasks: str, problem: str) -> None:
    put("source/tasks_primary.txt", tasks)
    with pytest.raises(UserError, match=problem):
        run("crosstask")


def test_fewer_tasks(files: None, run: Any) -> None:
    with pytest.raises(
        UserError, match=r"^crosstask: primary tasks: 2 found, the official release has 18; give --partial"
    ):
        run("crosstask", partial=False)
