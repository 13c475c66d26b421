"""CLEVR: the release, and what its public generator writes."""

import json
from typing import Any

import pytest

from vljepa.errors import UserError


def question(number: int, answer: object, *steps: str, **fields: object) -> dict[str, object]:
    program = [{"function": step, "inputs": [], "value_inputs": []} for step in ("scene", *steps)]
    return {
        "image_index": number,
        "program": program,
        "question_index": number,
        "image_filename": f"CLEVR_val_{number:06d}.png",
        "question_family_index": 3,
        "split": "val",
        "answer": answer,
        "question": "How many things are there?",
        **fields,
    }


def put_questions(put: Any, *questions: object) -> None:
    info = {
        "split": "val",
        "license": "Creative Commons Attribution (CC-BY 4.0)",
        "version": "1.0",
        "date": "2/14/2017",
    }
    put("source/questions/CLEVR_val_questions.json", {"info": info, "questions": questions})
    for number in range(len(questions)):
        put(f"source/images/val/CLEVR_val_{number:06d}.png")


def test_kinds_of_questions(run: Any, put: Any, benchmark: Any, items: Any) -> None:
    steps = {
        "count": "count",
        "exist": "exist",
        "equal_integer": "compare integer",
        "less_than": "compare integer",
        "greater_than": "compare integer",
        "equal_size": "compare attribute",
        "query_material": "query attribute",
    }
    answers = ["10", "yes", "no", "no", "yes", "no", "rubber"]
    put_questions(
        put, *(question(i, answer, "unique", step) for i, (answer, step) in enumerate(zip(answers, steps, strict=True)))
    )
    (written,) = run("clevr")
    found = benchmark("clevr")
    assert (found.task, found.metric, len(found.info["answers"])) == ("choice", "accuracy", 28)
    assert (found.info["items"], found.official_items, len(written.repaired)) == (7, 149_991, 0)
    assert [item["group"] for item in items("clevr")] == list(steps.values())
    assert [item.truth for item in found.items] == answers
    assert items("clevr")[0] == {
        "id": "0",
        "media": "../../media/clevr/images/val/CLEVR_val_000000.png",
        "question": "How many things are there?",
        "answer": "10",
        "group": "count",
    }


def test_the_generators_form(run: Any, put: Any, items: Any) -> None:
    def generated(number: int, answer: object) -> dict[str, object]:
        program = [{"type": "scene", "inputs": []}, {"type": "exist", "inputs": [0]}]
        made = question(number, answer, program=program, image=f"CLEVR_val_{number:06d}", template_filename="x.json")
        del made["question_index"]
        return made

    put_questions(put, generated(0, True), generated(1, False), generated(2, 3), question(3, "1", program=[]))
    run("clevr")
    assert [(item["id"], item["answer"], item.get("group")) for item in items("clevr")] == [
        ("0", "yes", "exist"),
        ("1", "no", "exist"),
        ("2", "3", "exist"),
        ("3", "1", None),
    ]


def test_broken_records(run: Any, put: Any, tmp_path: Any) -> None:
    put_questions(
        put,
        question(0, "yes", "exist"),
        question(1, "shiny", "query_material"),
        question(2, None, "exist"),
        question(3, "no", "exist", question="  "),
        question(0, "yes", "exist"),
        "no record",
        question(6, "yes", "exist", program=[{}]),
        question(99, "yes", "exist"),
        question(8, "yes", "exist", split="train"),
    )
    (written,) = run("clevr")
    path = tmp_path / "source" / "questions" / "CLEVR_val_questions.json"
    assert written.left_out.examples == {
        "answer: is none of CLEVR's 28": [f"{path}: record 1: 'shiny'"],
        "answer: is missing": [f"{path}: record 2"],
        "question: is empty": [f"{path}: record 3"],
        "id: is taken by an earlier item": [f"{path}: record 4: 0"],
        "record: is no object": [f"{path}: record 5"],
        "function: is missing": [f"{path}: record 6"],
        "media: is missing": [f"{path}: record 7: no file is called CLEVR_val_000099"],
    }
    assert written.missing and written.missing.read_text() == "CLEVR_val_000099\n"


def test_broken_files(run: Any, put: Any, tmp_path: Any) -> None:
    put_questions(put, question(0, "yes", "exist"), question(1, "no", "exist"))
    path = tmp_path / "source" / "questions" / "CLEVR_val_questions.json"
    whole = path.read_text()
    path.write_text(whole[:-30])
    with pytest.raises(UserError, match=r"CLEVR_val_questions.json:1: column \d+: is not whole JSON"):
        run("clevr")
    path.write_text(json.dumps({"scenes": []}))
    with pytest.raises(UserError, match=r"CLEVR_val_questions.json: questions: is missing; is it the right file\?"):
        run("clevr")
    path.write_text(whole)
    with pytest.raises(UserError, match=r"^clevr: 2 items found, the official split has 149,991; give --partial"):
        run("clevr", partial=False)
    assert list((tmp_path / "out" / "test").iterdir()) == []
