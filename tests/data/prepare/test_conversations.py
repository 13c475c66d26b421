"""PLM and LLaVA: each exchange of a conversation becomes a sample, other forms are counted."""

import json
from typing import Any

import pytest

from vljepa.errors import UserError

ASK = [
    {"from": "human", "value": "<video>\nWhat is done?"},
    {"from": "assistant", "value": "A cup is filled."},
    {"from": "human", "value": "By whom?"},
    {"from": "assistant", "value": "By a child.\n"},
]
OTHER_FORMS = {
    "image, video: neither is there, the record is text alone": {"conversations": ASK},
    "image, video: are several": {"image": ["a.jpg", "a.jpg"], "conversations": ASK},
    "image, video: is no path": {"image": 7, "conversations": ASK},
    "bbox, bbox_map, masklet_id: asks of a region": {"image": "a.jpg", "bbox": [[0, 0, 1, 1]], "conversations": ASK},
    "dense_captions: are captions of several segments": {"video": "a.mp4", "dense_captions": []},
    "conversations: is not question and answer by turns": {"image": "a.jpg", "conversations": ASK[:3]},
    "target: is not what a manifest may hold": {
        "image": "a.jpg",
        "conversations": [{"from": "human", "value": "Why?"}, {"from": "assistant", "value": "<image>"}],
    },
    "media: is missing": {"image": "gone.jpg", "conversations": ASK[:2]},
    "end: is not what a manifest may hold": {
        "video": "a.mp4",
        "start_time": 2,
        "end_time": 1,
        "conversations": ASK[:2],
    },
}


def jsonl(*records: Any) -> str:
    return "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)


def test_plm(run: Any, lines: Any, put: Any, tmp_path: Any) -> None:
    put("media/a.mp4")
    put("media/b.jpg")
    good = [
        {"video": "a.mp4", "start_time": 1.5, "end_time": 4, "conversations": ASK},
        {"image": ["b.jpg"], "text": "A cup."},
    ]
    put("official/set.jsonl", jsonl(*good, "", "{oops", *OTHER_FORMS.values()))
    report = run("plm", "official/set.jsonl", media=tmp_path / "media")
    clip = {"media": "../media/a.mp4", "start": 1.5, "end": 4}
    assert lines("plm_videos") == [
        {"id": "set/1-0", **clip, "query": "What is done?", "target": "A cup is filled."},
        {"id": "set/1-1", **clip, "query": "By whom?", "target": "By a child."},
    ]
    assert lines("plm_images") == [{"id": "set/2-0", "media": "../media/b.jpg", "query": "", "target": "A cup."}]
    # a.jpg is not there either, but only the record whose answer is fine gets as far as being looked up.
    assert report.left_out.counts == dict.fromkeys(OTHER_FORMS, 1) | {"line: holds no JSON object": 1}
    assert "set.jsonl:4: line: not JSON" in report.left_out.examples["line: holds no JSON object"][0]


def test_a_registry_of_plm(run: Any, lines: Any, put: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    put("one/media/a.mp4")
    put("two/media/a.mp4")
    record = {"video": "a.mp4", "conversations": ASK[:2]}
    for name in ("one", "two", "text"):
        put(f"{name}/x.jsonl", jsonl({"conversations": ASK} if name == "text" else record))
    put(
        "datasets.yaml",
        "one:\n  annotation: one/x.jsonl\n  root_dir: one/media\n"
        "two:\n  annotation: two/x.jsonl\n  root_dir: two/media\n"
        "text:\n  annotation: text/x.jsonl\n",
    )
    report = run("plm", "datasets.yaml")
    found = [(line["id"], line["media"]) for line in lines("plm_videos")]
    assert found == [("one/1-0", "../one/media/a.mp4"), ("two/1-0", "../two/media/a.mp4")]
    assert report.left_out.counts == {"image, video: neither is there, the record is text alone": 1}


@pytest.mark.parametrize(
    ("registry", "message"),
    [
        ("", "is no registry"),
        ("a: {annotation: 7}", "a: annotation: expected a path"),
        ("a: {annotation: none.jsonl}", "none.jsonl: is no file"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_bad_registry(run: Any, put: Any, registry: str, message: str) -> None:
    put("datasets.yaml", registry)
    with pytest.raises(UserError, match=message):
        run("plm", "datasets.yaml")


def test_llava(run: Any, lines: Any, put: Any) -> None:
    put("official/coco/1.jpg")
    turns = [turn | {"from": "gpt"} if turn["from"] == "assistant" else turn for turn in ASK]
    turns[0] = {"from": "human", "value": "<image>\nWhat is done?"}
    record = {"id": "000", "image": "coco/1.jpg", "conversations": turns}
    put("official/llava.json", [record, "no record", record])
    report = run("llava", "official/llava.json")
    assert [line["id"] for line in lines("llava")] == ["0-0", "0-1", "2-0", "2-1"]
    assert lines("llava")[0] == {
        "id": "0-0",
        "media": "../official/coco/1.jpg",
        "query": "What is done?",
        "target": "A cup is filled.",
    }
    assert report.left_out.counts == {"record: is no object": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is not JSON"), ("{}", "holds dict, not one JSON array"), ("[]", "nothing written: it holds no record")],
)
def test_a_bad_array(run: Any, put: Any, text: str, message: str) -> None:
    put("official/llava.json", text)
    with pytest.raises(UserError, match=message):
        run("llava", "official/llava.json")


def test_media_that_lead_out_of_the_data_set(run: Any, put: Any) -> None:
    put("official/llava.json", [{"image": "../../../etc/passwd", "conversations": ASK[:2]}])
    with pytest.raises(UserError, match="lies outside the data set"):
        run("llava", "official/llava.json")
