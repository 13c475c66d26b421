"""POPE and POPEv2: JSON Lines under the name of JSON, numbers that begin anew, two pictures of one name."""

import json
from typing import Any

import pytest

from vljepa.errors import UserError


def question(number: int, image: str, thing: str, label: object) -> dict[str, object]:
    return {"question_id": number, "image": f"COCO_val2014_{image}.jpg", "text": f"Is there {thing}?", "label": label}


def files(put: Any, rows: list[dict[str, object]], more: str = "") -> None:
    for group in ("random", "popular", "adversarial"):
        put(f"source/output/coco/coco_pope_{group}.json", "".join(f"{json.dumps(row)}\n" for row in rows) + more)


def test_three_files_are_one_benchmark(run: Any, put: Any, benchmark: Any, items: Any, tmp_path: Any) -> None:
    rows = [
        question(1, "000000310196", "a snowboard in the image", "yes"),
        # As the files of 2023 have it.
        question(2, "000000310196", "an orange in the imange", "no"),
    ]
    files(put, rows)
    put("coco/val2014/COCO_val2014_000000310196.jpg")
    (written,) = run("pope", media=tmp_path / "coco")
    found = benchmark("pope")
    assert (found.task, found.metric, list(found.info["answers"])) == ("choice", "pope", ["yes", "no"])
    assert (found.info["items"], found.official_items, found.info["paper"]) == (6, 9_000, 0.857)
    media = "../../media/pope/val2014/COCO_val2014_000000310196.jpg"
    assert items("pope")[2:4] == [
        {
            "id": "popular-1",
            "media": media,
            "question": "Is there a snowboard in the image?",
            "answer": "yes",
            "group": "popular",
        },
        {
            "id": "popular-2",
            "media": media,
            "question": "Is there an orange in the image?",
            "answer": "no",
            "group": "popular",
        },
    ]
    assert written.repaired.counts == {"text: says imange, mended to image": 3}


def test_pictures_of_2017_are_the_same(run: Any, put: Any, items: Any, tmp_path: Any) -> None:
    files(put, [question(1, "000000000042", "a dog", "yes"), question(2, "000000000007", "a dog", "no")])
    put("coco/train2017/000000000042.jpg")
    put("coco/elsewhere/000000000007.jpg")
    (written,) = run("pope", media=tmp_path / "coco")
    assert [item["media"] for item in items("pope")] == ["../../media/pope/train2017/000000000042.jpg"] * 3
    assert written.missing and written.missing.read_text() == "COCO_val2014_000000000007\n"


def test_broken_files(run: Any, put: Any, tmp_path: Any) -> None:
    files(
        put,
        [
            question(1, "000000000042", "a dog", "yes"),
            question(2, "000000000042", "a cat", "maybe"),
            question(3, "000000000042", "a cow", None),
            question(1, "000000000042", "a dog", "yes"),
        ],
        '{"question_id": 5, "image": "COCO_va',
    )
    put("source/COCO_val2014_000000000042.jpg")
    (written,) = run("pope")
    path = tmp_path / "source" / "output" / "coco" / "coco_pope_random.json"
    assert written.left_out.counts == {
        "label: is neither yes nor no": 3,
        "label: is missing": 3,
        "id: is taken by an earlier item": 3,
        "line: is not whole JSON": 3,
    }
    assert written.left_out.examples["label: is neither yes nor no"][0] == f"{path}:2: maybe"
    assert written.left_out.examples["line: is not whole JSON"][0].startswith(f"{path}:5: ")
    with pytest.raises(UserError, match=r"^pope: 3 items found, the official split has 9,000; give --partial"):
        run("pope", partial=False)
    path.unlink()
    with pytest.raises(UserError, match=r"source: holds no coco_pope_random.json; check SOURCE"):
        run("pope")


def pair(number: int, thing: str) -> list[dict[str, object]]:
    query = f"Is there a {thing} in the image?"
    return [
        {
            "image_id": number,
            "image_name": f"{folder}/{number:012d}.jpg",
            "target_object": thing,
            "query": query,
            "label": label,
        }
        for folder, label in (("/images", "No"), ("/coco/train2017", "Yes"))
    ]


@pytest.mark.parametrize("original", ["train2017/", "train2014/COCO_train2014_", "val2014/COCO_val2014_"])
def test_pairs_keep_their_pictures_apart(
    run: Any, put: Any, benchmark: Any, items: Any, tmp_path: Any, original: str
) -> None:
    put("source/POPEv2/dataset/annotations.json", pair(46207, "remote") + pair(9, "pizza"))
    put("media/coco/images/000000046207.jpg")
    put("media/POPEv2/images/000000046207.jpg")
    put("media/images/000000000009.jpg")
    put(f"media/coco/{original}000000046207.jpg")
    (written,) = run("popev2", media=tmp_path / "media")
    assert benchmark("popev2").metric == "pope"
    media = "../../media/popev2"
    assert [(item["id"], item["media"], item["answer"]) for item in items("popev2")] == [
        ("46207-no", f"{media}/POPEv2/images/000000046207.jpg", "no"),
        ("46207-yes", f"{media}/coco/{original}000000046207.jpg", "yes"),
        ("9-no", f"{media}/images/000000000009.jpg", "no"),
    ]
    assert written.missing and written.missing.read_text() == "train2017/000000000009\n"


def test_the_file_alone_is_a_source(run: Any, put: Any, items: Any) -> None:
    put("source/renamed.json", pair(46207, "remote"))
    put("source/images/000000046207.jpg")
    run("popev2", source="source/renamed.json")
    assert [item["question"] for item in items("popev2")] == ["Is there a remote in the image?"]


def test_a_file_that_is_cut_short(run: Any, put: Any) -> None:
    put("source/annotations.json", json.dumps(pair(1, "cat"))[:-9])
    with pytest.raises(UserError, match=r"annotations.json:1: column \d+: is not whole JSON \(.*\); fetch it again$"):
        run("popev2")
