"""The eight tasks on small folders, with a system whose right answers are known."""

import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.evaluation.benchmark import benchmark_folders, read_benchmark
from vljepa.evaluation.result import Omission, Result
from vljepa.evaluation.runner import clips_of, evaluate, evaluate_all
from vljepa.evaluation.system import System
from vljepa.types import Clip


def text_vector(text: str) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(text.encode())).normal(size=64)


def encode_text(texts: list[str]) -> np.ndarray:
    return np.stack([text_vector(text) for text in texts])


def embed_clips(clips: list[Clip], queries: list[str]) -> np.ndarray:
    """A clip's file name is its meaning, so every answer is known; files named 'broken' cannot be read."""
    if any("broken" in clip.media[0] for clip in clips):
        raise UserError("broken.mp4: not a video")
    return encode_text([Path(clip.media[-1]).stem.replace("_", " ") for clip in clips])


KNOWN = ["a cube is pushed", "a ball is lifted", "a cup is turned"]


def decode(rows: Any) -> list[str]:
    known = encode_text(KNOWN)
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    return [KNOWN[i] for i in (np.asarray(rows) @ known.T).argmax(axis=1)]


def embed_stream(path: str, rate_hz: float, query: str) -> tuple[list[float], np.ndarray]:
    """Sixty seconds: each known meaning for 5 s in turn, with noise."""
    count = int(60 * rate_hz)
    times = [i / rate_hz for i in range(count)]
    noise = np.random.default_rng(0).normal(0, 0.1, (count, 64))
    return times, np.stack([text_vector(KNOWN[int(t // 5) % 3]) for t in times]) + noise


SYSTEM = System(
    name="known", embed_clips=embed_clips, encode_text=encode_text, decode=decode, embed_stream=embed_stream
)


def write(folder: Path, info: dict[str, Any], items: list[Any]) -> Path:
    folder = folder / "test" / "one"
    folder.mkdir(parents=True)
    (folder / "benchmark.json").write_text(json.dumps({"name": "one", "synthetic": True, **info}))
    lines = [item if isinstance(item, str) else json.dumps(item) for item in items]
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def item(number: int, name: str, **fields: Any) -> dict[str, Any]:
    return {"id": str(number), "media": f"../../media/{name}.mp4", **fields}


def test_classification_counts_right_and_wrong(tmp_path: Path) -> None:
    items = [item(0, "left", label="left"), item(1, "right", label="right"), item(2, "left", label="right")]
    folder = write(tmp_path, {"task": "classification", "classes": ["left", "right", "up", "down"]}, items)
    result = evaluate(folder, SYSTEM)
    assert result.value == pytest.approx(2 / 3) and result.chance == 0.25 and result.count == 3
    assert result.interval[0] <= result.value <= result.interval[1]
    assert [o.score for o in result.outcomes] == [1, 1, 0] and result.outcomes[2].found == "left"
    assert result.synthetic


def test_bad_lines_and_bad_media_are_left_out_and_counted(tmp_path: Path) -> None:
    items = [
        "{not json",
        "[]",
        {"id": "x", "label": "left"},
        item(1, "left", label="left", start=3, end=2),
        item(2, "left", label="sideways"),
        {"id": "3", "media": "../../../secret.mp4", "label": "left"},
        item(4, "broken", label="left"),
        item(5, "left", label="left"),
        item(5, "left", label="left"),
    ]
    folder = write(tmp_path, {"task": "classification", "classes": ["left", "right"]}, items)
    result = evaluate(folder, SYSTEM)
    assert result.count == 1 and result.value == 1.0
    expected = ["not JSON", "holds list", "media: is missing", "end: 2", "label: 'sideways'", "outside", "twice"]
    for line, words, number in zip(result.left_out[:7], expected, [1, 2, 3, 4, 5, 6, 9], strict=True):
        assert words in line and f"items.jsonl:{number}:" in line
    assert "broken.mp4" in result.left_out[7]


def test_retrieval_counts_each_text_as_a_query(tmp_path: Path) -> None:
    items = [item(0, "red", texts=["red", "green"]), item(1, "green", texts=["blue"]), item(2, "grey", texts=["grey"])]
    result = evaluate(write(tmp_path, {"task": "retrieval"}, items), SYSTEM)
    # 'red' and 'grey' find their clips, 'green' finds the other clip; 'blue' is like none, so its rank is open.
    assert result.value in (0.5, 0.75) and result.chance == pytest.approx(1 / 3)
    assert result.outcomes[1].found.startswith("rank") and result.outcomes[1].score == 0


def test_choice_reports_groups(tmp_path: Path) -> None:
    items = [
        item(0, "yes", question="Is it?", answer="yes", group="simple"),
        item(1, "no", question="Is it?", answer="yes", group="complex"),
        item(2, "two", question="How many?", answer="two", choices=["one", "two", "three"], group="simple"),
    ]
    result = evaluate(write(tmp_path, {"task": "choice", "answers": ["yes", "no"]}, items), SYSTEM)
    assert {name: result.figures[name] for name in ("complex", "simple")} == {"complex": 0.0, "simple": 1.0}
    assert result.chance == pytest.approx((0.5 + 0.5 + 1 / 3) / 3)


def test_caption_scores_cider(tmp_path: Path) -> None:
    items = [item(i, text.replace(" ", "_"), references=[text]) for i, text in enumerate(KNOWN)]
    folder = write(tmp_path, {"task": "caption"}, items)
    assert evaluate(folder, SYSTEM).value == pytest.approx(10.0)
    mute = System(name="mute", embed_clips=embed_clips, encode_text=encode_text)
    with pytest.raises(UserError, match="no Y-Decoder"):
        evaluate(folder, mute)


def test_what_a_system_lacks_is_an_omission_and_no_failure(tmp_path: Path) -> None:
    write(tmp_path / "a", {"name": "said", "task": "caption"}, [item(0, "left", references=["left"])])
    write(tmp_path / "b", {"name": "seen", "task": "classification", "classes": ["a"]}, [item(0, "a", label="a")])
    write(tmp_path / "c", {"name": "gone", "task": "retrieval"}, [item(0, "broken", texts=["a"])])
    benchmarks = [read_benchmark(tmp_path / name / "test" / "one") for name in "abc"]
    mute = System(name="mute", embed_clips=embed_clips, encode_text=encode_text)
    captioner = replace(SYSTEM, variant="other words", tasks=("caption",))
    told: list[tuple[int, int]] = []
    found = list(evaluate_all(benchmarks, [mute, captioner], lambda _, done, total: told.append((done, total))))
    omission, said, seen, gone = found
    assert isinstance(omission, Omission) and omission.benchmark == "said" and "no Y-Decoder" in omission.reason
    assert isinstance(said, Result) and said.variant == "other words" and said.benchmark == "said"
    assert isinstance(seen, Result) and seen.system == "mute"
    assert isinstance(gone, UserError) and "broken.mp4" in str(gone)
    assert told == sorted(told) and told[-1] == (4, 4)


def test_clips_are_listed_once_with_candidates_and_without_streams(tmp_path: Path) -> None:
    pair = {"initial": "../../media/a.png", "final": "../../media/b.png"}
    candidates = [{"media": "../../media/x.mp4"}, {"media": "../../media/y.mp4"}]
    write(tmp_path / "a", {"task": "world_model"}, [{"id": "0", **pair, "candidates": candidates, "answer": 0}])
    write(tmp_path / "b", {"task": "retrieval"}, [item(0, "x", texts=["x"]), item(1, "x", texts=["y"])])
    write(tmp_path / "c", {"task": "stream"}, [item(0, "long", annotations=[{"time": 1, "text": "a"}])])
    benchmarks = [read_benchmark(tmp_path / name / "test" / "one") for name in "abc"]
    names = [[Path(path).name for path in clip.media] for clip in clips_of(benchmarks)]
    assert names == [["a.png", "b.png"], ["x.mp4"], ["y.mp4"], ["x.mp4"]]


def test_anticipation_is_classified(tmp_path: Path) -> None:
    items = [item(0, "left", label="left", horizon=1.0), item(1, "up", label="up", horizon=1.0)]
    folder = write(tmp_path, {"task": "anticipation", "classes": ["left", "up"], "query": "What next?"}, items)
    assert evaluate(folder, SYSTEM).value == 1.0


def test_world_model_chooses_among_candidates(tmp_path: Path) -> None:
    candidates = [{"media": f"../../media/{name}.mp4"} for name in ("lift", "drop", "turn")]
    pair = {"initial": "../../media/before.png", "final": "../../media/drop.png", "candidates": candidates}
    broken = {**pair, "candidates": [*candidates, {"media": "../../media/broken.mp4"}]}
    items = [{"id": "0", **pair, "answer": 1}, {"id": "1", **pair, "answer": 0}, {"id": "2", **broken, "answer": 0}]
    result = evaluate(write(tmp_path, {"task": "world_model"}, items), SYSTEM)
    assert result.value == 0.5 and result.count == 2 and result.chance == pytest.approx(1 / 3)
    assert result.outcomes[1].found == "drop.mp4" and len(result.left_out) == 1


def test_stream_needs_fewer_decodings_where_meaning_is_constant(tmp_path: Path) -> None:
    notes = [{"time": 5 * i + 2.5, "text": KNOWN[i % 3]} for i in range(12)]
    result = evaluate(write(tmp_path, {"task": "stream"}, [item(0, "long", annotations=notes)]), SYSTEM)
    # Twelve stretches in 60 s: 0.2 Hz says everything, uniform 1 Hz no more.
    assert result.value >= 1 / 0.25 * 0.99
    best = {p.method: max(q.cider for q in result.curve if q.method == p.method) for p in result.curve}
    assert best["ward pooled"] == pytest.approx(10.0)
    assert "fewer decodings, ward pooled than uniform exact at 1 Hz" in result.figures
    assert "fewer decodings, online than uniform exact at 1 Hz, 97.5 %" in result.figures
    assert result.metric.startswith("times fewer decodings, ward exact than uniform exact at 1 Hz")


def test_triplet_uses_text_alone(tmp_path: Path) -> None:
    items = [
        {"id": "0", "p1": "a", "p2": "a", "n": "b", "group": "swap"},
        {"id": "1", "p1": "a", "p2": "b", "n": "a", "group": "replace"},
    ]
    result = evaluate(write(tmp_path, {"task": "triplet"}, items), SYSTEM)
    assert (result.figures["replace"], result.figures["swap"]) == (0.0, 1.0) and result.chance == pytest.approx(1 / 3)


def test_limit_is_spread_over_the_file(tmp_path: Path) -> None:
    items = [item(i, "left", label="left") for i in range(10)]
    folder = write(tmp_path, {"task": "classification", "classes": ["left", "right"]}, items)
    assert [i.id for i in read_benchmark(folder, limit=5).items] == ["0", "2", "4", "6", "8"]


@pytest.mark.parametrize(
    ("info", "message"), [({"task": "dance"}, "task: 'dance'"), ({"task": "classification"}, "classes: missing")]
)
def test_bad_head_is_refused(tmp_path: Path, info: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        evaluate(write(tmp_path, info, [item(0, "left", label="left")]), SYSTEM)


def test_a_folder_stands_for_the_benchmarks_in_it(tmp_path: Path) -> None:
    for name in ("step", "action", "media", "media/deeper"):
        (tmp_path / name).mkdir()
    for name in ("step", "action", "media/deeper"):
        (tmp_path / name / "benchmark.json").write_text("{}")
    assert benchmark_folders(tmp_path) == [tmp_path / "action", tmp_path / "step"]
    assert benchmark_folders(tmp_path / "step") == [tmp_path / "step"]
    # A benchmark is itself, whatever lies in it.
    (tmp_path / "benchmark.json").write_text("{}")
    assert benchmark_folders(tmp_path) == [tmp_path]
    with pytest.raises(UserError, match=r"absent: no benchmark here and none in its folders"):
        benchmark_folders(tmp_path / "absent")


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no benchmark here"):
        evaluate(tmp_path / "absent", SYSTEM)
