"""GQA: one object keyed by question ids, and candidates from other splits."""

from typing import Any

import pytest

from vljepa.errors import UserError


def question(image: str, answer: str | None, structural: str = "query", **fields: object) -> dict[str, object]:
    return {
        "semantic": [{"operation": "select", "dependencies": [], "argument": "scene"}],
        "entailed": [],
        "equivalent": ["20644644"],
        "question": "Which room is it?",
        "imageId": image,
        "isBalanced": True,
        "groups": {"global": "room", "local": "02q-room"},
        **({} if answer is None else {"answer": answer, "fullAnswer": f"It is a {answer}."}),
        "annotations": {"answer": {}, "question": {}, "fullAnswer": {}},
        "types": {"structural": structural, "semantic": "global", "detailed": "place"},
        **fields,
    }


def train(put: Any) -> None:
    put(
        "source/train_balanced_questions.json",
        {"02930152": question("2354786", "yes", "verify"), "07333408": question("2375429", "kitchen")},
    )
    put("source/val_balanced_questions.json", {"05451384": question("2382986", "t-shirt")})


def test_candidates_are_the_answers_of_training_and_validation(
    run: Any, put: Any, benchmark: Any, items: Any, tmp_path: Any
) -> None:
    train(put)
    testdev = {
        "20644644": question("n250821", "kitchen"),
        "001": question("n250821", "yes", "verify"),
        "201": question("n250821", "bottle cap", "choose"),
        "202": question("n250821", "bottle cap", "choose", isBalanced=False),
    }
    put("source/testdev_balanced_questions.json", testdev)
    put("source/images/n250821.jpg")
    (written,) = run("gqa")
    found = benchmark("gqa")
    assert (found.task, found.metric, found.info["paper"], found.official_items) == ("choice", "gqa", 0.615, 12_578)
    assert list(found.info["answers"]) == ["bottle cap", "kitchen", "t-shirt", "yes"]
    assert written.repaired.examples == {
        "answer: is none of a training question's, added to the candidates": ["bottle cap"]
    }
    assert items("gqa")[1] == {
        "id": "001",
        "media": "../../media/gqa/images/n250821.jpg",
        "question": "Which room is it?",
        "answer": "yes",
        "group": ["verify", "global"],
    }
    assert [item["id"] for item in items("gqa")] == ["20644644", "001", "201"]


def test_a_list_of_candidates(run: Any, put: Any, benchmark: Any) -> None:
    put("source/trainval_label2ans.json", ["yes", "no", "kitchen"])
    put("source/testdev_all_questions.json", {"1": question("n1", "no"), "2": question("n1", "no", isBalanced=False)})
    put("source/n1.jpg")
    run("gqa")
    found = benchmark("gqa")
    assert list(found.info["answers"]) == ["kitchen", "no", "yes"] and len(found.items) == 1
    put("source/trainval_label2ans.json", {"yes": 0})
    with pytest.raises(UserError, match=r"trainval_label2ans.json: is no list of answers; is it the right file\?"):
        run("gqa")


def test_no_candidates(run: Any, put: Any, tmp_path: Any) -> None:
    train(put)
    put("source/testdev_balanced_questions.json", {"1": question("n1", "no")})
    path = tmp_path / "source" / "val_balanced_questions.json"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match=r"val_balanced_questions.json:1: column \d+: is not whole JSON"):
        run("gqa")
    path.unlink()
    with pytest.raises(
        UserError, match=r"^candidate answers: SOURCE holds no val_balanced_questions.json, nor LXMERT's"
    ):
        run("gqa")


def test_broken_records(run: Any, put: Any, tmp_path: Any) -> None:
    train(put)
    testdev = {
        "1": question("n1", "yes"),
        "2": question("n1", None),
        "3": question("n1", "yes", types=None),
        "4": question("n1", "yes", imageId=None),
        "5": question("n2", "yes"),
        "6": "no record",
    }
    put("source/testdev_balanced_questions.json", testdev)
    put("source/n1.jpg")
    (written,) = run("gqa")
    path = tmp_path / "source" / "testdev_balanced_questions.json"
    assert written.left_out.examples == {
        "record: is no object": [f"{path}: 6"],
        "answer: is missing": [f"{path}: 2"],
        "structural: is missing": [f"{path}: 3"],
        "imageId: is missing": [f"{path}: 4"],
        "media: is missing": [f"{path}: 5: no file is called n2"],
    }
