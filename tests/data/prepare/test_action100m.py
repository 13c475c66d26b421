"""Action100M: the wrapped JSON of the repository and the rows of the Parquet files give the same samples."""

from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from vljepa.errors import UserError

WHOLE = {
    "node_id": "n0",
    "parent_id": None,
    "level": 0,
    "start": 0.0,
    "end": 12.5,
    "plm_action": "Baking",
    "plm_caption": None,
    "llama3_caption": None,
    "gpt": {
        "summary": {"brief": "A cake is baked.", "detailed": "Flour is mixed, then a cake is baked."},
        "action": {"brief": "bake a cake", "detailed": "Mix flour and bake it.", "actor": "A cook"},
    },
}
SHORT = {
    "node_id": "n1",
    "parent_id": "n0",
    "level": 1,
    "start": 1.0,
    "end": 2.0,
    "plm_action": None,
    "plm_caption": "A hand holds a spoon.",
    "llama3_caption": "The image shows a spoon.",
    "gpt": None,
}
VIDEO = {"video_uid": "abc", "metadata": {"title": "Cake"}, "nodes": [WHOLE, SHORT]}
WRAPPED = {name: [value] for name, value in VIDEO.items()}


def sample(kind: str, node: dict[str, Any], **more: str) -> dict[str, Any]:
    name = f"abc/{node['node_id']}/{kind}"
    return {"id": name, "media": "../videos/abc.webm", "start": node["start"], "end": node["end"], **more}


SFT = [
    sample("action", WHOLE, query="What is the action shown?", target="bake a cake"),
    sample("action_detailed", WHOLE, query="How is the action performed?", target="Mix flour and bake it."),
    sample("summary", WHOLE, query="Describe this video in one sentence.", target="A cake is baked."),
    sample(
        "summary_detailed",
        WHOLE,
        query="Describe this video in detail.",
        target="Flour is mixed, then a cake is baked.",
    ),
    sample("plm_action", WHOLE, query="What is the action shown?", target="Baking"),
    sample("plm_caption", SHORT, query="Describe this video.", target="A hand holds a spoon."),
]
QUERY_FREE = [{name: value for name, value in line.items() if name != "query"} for line in SFT]


@pytest.mark.parametrize("form", ["wrapped", "plain", "parquet"])
def test_every_form_gives_the_same_samples(run: Any, lines: Any, put: Any, tmp_path: Any, form: str) -> None:
    put("videos/abc.webm")
    if form == "parquet":
        (tmp_path / "official").mkdir()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([VIDEO]), tmp_path / "official" / "0.parquet")
    else:
        put("official/abc.json", WRAPPED if form == "wrapped" else VIDEO)
    report = run("action100m", "official", media=tmp_path / "videos")
    assert lines("action100m_sft") == SFT and lines("action100m") == QUERY_FREE
    assert list(report.samples.values()) == [6, 6] and not report.left_out


def test_what_is_left_out_is_counted(run: Any, lines: Any, put: Any) -> None:
    put("official/abc.mp4")
    bad = [
        WHOLE | {"node_id": "late", "start": 3.0, "end": 3.0, "gpt": None},
        SHORT | {"node_id": "endless", "end": None},
        SHORT | {"node_id": "silent", "plm_caption": None},
        SHORT | {"node_id": "still", "plm_action": "N/A.", "plm_caption": None},
        "no node",
    ]
    put("official/a.json", {"video_uid": "abc", "nodes": [SHORT, *bad]})
    put("official/b.json", {"video_uid": "gone", "nodes": []})
    put("official/c.json", {"nodes": []})
    put("official/d.json", {"video_uid": "abc"})
    put("official/e.json", "{not json")
    put("official/f.parquet", b"PAR1 and no more")
    put("official/g.json", {"video_uid": ["abc"], "nodes": []})
    report = run("action100m", "official")
    assert [line["id"] for line in lines("action100m")] == ["abc/n1/plm_caption"]
    assert report.left_out.counts == {
        "end: is not what a manifest may hold": 2,  # without a query and with one
        "end: is missing": 1,
        "gpt, plm_action, plm_caption: none of them is there": 1,
        "plm_action: N/A, nothing of the kind is shown": 1,
        "node_id: is missing": 1,
        "media: is missing": 1,
        "video_uid: is missing": 1,
        "nodes: is no list": 1,
        "file: cannot be read": 3,
    }
    assert report.left_out.examples["media: is missing"][0].endswith("b.json: no video is called gone")


def test_parquet_without_pyarrow(run: Any, put: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put("official/a.parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"pip install 'open-vl-jepa\[prepare\]'"):
        run("action100m", "official")


def test_a_folder_without_annotations(run: Any, put: Any) -> None:
    put("official/readme.txt")
    with pytest.raises(UserError, match=r"holds no file that ends in \.json or \.parquet"):
        run("action100m", "official")
