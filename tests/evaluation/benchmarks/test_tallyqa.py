"""TallyQA: two ways to tell simple from complex questions, and images in two folders."""

from typing import Any


def question(number: int, answer: object, simple: object, source: str = "imported_genome") -> dict[str, object]:
    return {
        "answer": answer,
        "data_source": source,
        "image": "VG_100K_2/2410408.jpg",
        "image_id": 92410408,
        "issimple": simple,
        "question": "How many headlights does the black bus have?",
        "question_id": number,
    }


def test_groups(run: Any, put: Any, benchmark: Any, items: Any, tmp_path: Any) -> None:
    rows = [question(30095774, 4, False), question(1, 0, True), question(2, 15, False, "amt"), question(3, "2", "true")]
    put("source/test.json", rows)
    put("genome/VG_100K/2410408.png")
    put("genome/VG_100K_2/2410408.jpg")
    (written,) = run("tallyqa", media=tmp_path / "genome")
    found = benchmark("tallyqa")
    assert (found.task, found.metric, found.info["paper"], found.official_items) == ("choice", "tallyqa", 0.699, 38_589)
    assert list(found.info["answers"]) == [str(number) for number in range(16)]
    assert items("tallyqa")[0] == {
        "id": "30095774",
        "media": "../../media/tallyqa/VG_100K_2/2410408.jpg",
        "question": "How many headlights does the black bus have?",
        "answer": "4",
        "group": ["complex", "imported_genome"],
    }
    assert [item["group"] for item in items("tallyqa")[1:]] == [
        ["simple", "imported_genome"],
        ["complex", "amt"],
        ["simple", "imported_genome"],
    ]
    # The authors' code counts this one in neither of its two groups.
    assert written.repaired.examples == {
        "issimple: is false, but the source is not amt; complex here": [f"{tmp_path}/source/test.json: record 0"]
    }


def test_images_in_one_folder(run: Any, put: Any, items: Any) -> None:
    put("source/test.json", [question(1, 1, True)])
    put("source/images/2410408.jpg")
    run("tallyqa")
    assert items("tallyqa")[0]["media"] == "../../media/tallyqa/images/2410408.jpg"


def test_broken_records(run: Any, put: Any, tmp_path: Any) -> None:
    training = question(6, 1, True)
    del training["issimple"]
    rows = [question(1, 1, True), question(2, 16, True), question(3, 1.5, True), question(4, 1, "perhaps"), training]
    put("source/test.json", [*rows, question(1, 1, True), {**question(7, 1, True), "image": "VG_100K/9.jpg"}])
    put("source/VG_100K_2/2410408.jpg")
    (written,) = run("tallyqa")
    path = tmp_path / "source" / "test.json"
    assert written.left_out.examples == {
        "answer: is no number from 0 to 15": [f"{path}: record 1: 16"],
        "answer: is no whole number": [f"{path}: record 2: 1.5"],
        "issimple: is neither true nor false": [f"{path}: record 3: 'perhaps'"],
        "issimple: is missing": [f"{path}: record 4"],
        "id: is taken by an earlier item": [f"{path}: record 5: 1"],
        "media: is missing": [f"{path}: record 6: no file is called VG_100K/9"],
    }
