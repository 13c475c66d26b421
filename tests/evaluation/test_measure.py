"""What each benchmark.json's metric makes of the same outcomes, and the options of a run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.evaluation.answers import nearest_choices
from vljepa.evaluation.benchmark import Benchmark, read_benchmark
from vljepa.evaluation.measure import MEASURES
from vljepa.evaluation.result import HIGH, LOW, Result
from vljepa.evaluation.runner import with_templates
from vljepa.evaluation.system import System
from vljepa.tasks.answer import answer
from vljepa.types import Clip

TEXTS: list[list[str]] = []
"""The calls of ``encode_text``."""


def vector(text: str) -> np.ndarray:
    return np.random.default_rng(list(text.encode())).normal(size=32)


def embed_clips(clips: list[Clip], queries: list[str]) -> np.ndarray:
    """A clip means what its file is called."""
    return np.stack([vector(Path(clip.media[-1]).stem.replace("_", " ")) for clip in clips])


def encode_text(texts: list[str]) -> np.ndarray:
    TEXTS.append(texts)
    return np.stack([vector(text) for text in texts])


SYSTEM = System(name="known", embed_clips=embed_clips, encode_text=encode_text)


def benchmark(folder: Path, info: dict[str, Any], items: list[tuple[str, dict[str, Any]]]) -> Benchmark:
    folder = folder / "test" / "one"
    folder.mkdir(parents=True)
    (folder / "benchmark.json").write_text(json.dumps({"name": "one", **info}))
    rows = [{"id": str(i), "media": f"../../media/{name}.mp4", **fields} for i, (name, fields) in enumerate(items)]
    (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_benchmark(folder)


def measure(one: Benchmark) -> Result:
    TEXTS.clear()
    return MEASURES[one.task](one, SYSTEM)


def asked(said: str, truth: str, group: str | list[str]) -> tuple[str, dict[str, Any]]:
    return said, {"question": "Is there?", "answer": truth, "group": group}


def test_pope(tmp_path: Path) -> None:
    items = [asked("yes", "yes", "random"), asked("yes", "no", "random"), asked("no", "no", "random")]
    items += [asked("no", "yes", "popular")]
    result = measure(benchmark(tmp_path, {"task": "choice", "metric": "pope", "answers": ["yes", "no"]}, items))
    # The mean over groups of 2/3 and 0, not that over items.
    assert (result.metric, result.value) == ("accuracy", pytest.approx(1 / 3))
    assert result.figures["random"] == pytest.approx(2 / 3) and result.figures["popular"] == 0
    assert result.figures["random precision"] == 0.5 and result.figures["random recall"] == 1.0
    assert result.figures["random F1"] == pytest.approx(2 / 3) and result.figures["yes ratio"] == 0.5


def test_tallyqa_counts_an_item_in_all_its_groups(tmp_path: Path) -> None:
    items = [asked("3", "1", ["simple", "imported_genome"]), asked("2", "2", ["complex", "amt"])]
    items += [asked("two", "2", "complex")]
    info = {"task": "choice", "metric": "tallyqa", "answers": ["1", "2", "3", "two"]}
    result = measure(benchmark(tmp_path, info, items))
    # The number counts, not how it is written.
    assert result.value == pytest.approx(2 / 3) and result.figures["RMSE"] == pytest.approx(np.sqrt(4 / 3))
    assert [result.figures[name] for name in ("simple", "imported_genome", "complex", "amt")] == [0, 0, 1, 1]
    assert result.figures["simple RMSE"] == 2 and result.figures["complex RMSE"] == 0


def test_gqa_tells_open_from_binary_questions(tmp_path: Path) -> None:
    items = [asked("dog", "dog", ["query", "obj"]), asked("yes", "no", "verify"), asked("no", "no", "logical")]
    info = {"task": "choice", "metric": "gqa", "answers": ["dog", "yes", "no"]}
    result = measure(benchmark(tmp_path, info, items))
    assert result.figures["open"] == 1.0 and result.figures["binary"] == 0.5 and result.figures["logical"] == 1.0
    assert TEXTS == [["dog", "yes", "no"]]


def test_nearest_choice_is_the_first_of_the_ranked_answers() -> None:
    rng = np.random.default_rng(0)
    names = [f"answer {i}" for i in range(9)]
    choices = [tuple(rng.choice(names, rng.integers(2, 9), replace=False)) for _ in range(2000)]
    rows = rng.normal(size=(2000, 32))
    ranked = answer(rows, choices, encode_text)
    assert nearest_choices(rows, choices, encode_text) == [row[0].text for row in ranked]


def labelled(said: str, truth: str, group: str = "all") -> tuple[str, dict[str, Any]]:
    return said, {"label": truth, "group": group}


def test_anticipation_by_class_mean_recall(tmp_path: Path) -> None:
    classes = [f"class {i}" for i in range(12)]
    items = [labelled("class_0", "class 0")] * 3 + [labelled("class_1", "class 1", "tail")]
    # Found nowhere near the top: of a class that training has not seen.
    far = min(
        range(12), key=lambda i: float(vector("class 0") @ vector(f"class {i}") / np.linalg.norm(vector(f"class {i}")))
    )
    items += [labelled("class_0", f"class {far}", "tail")]
    info = {"task": "anticipation", "metric": "class_mean_recall@5", "classes": classes}
    seen = [name for name in classes if name != f"class {far}"]
    result = measure(benchmark(tmp_path, info | {"train_classes": seen}, items))
    assert result.metric == "class-mean recall@5" and result.value == pytest.approx(2 / 3)
    assert result.chance == pytest.approx(5 / 12) and result.figures["top-1"] == pytest.approx(4 / 5)
    assert result.figures["class-mean recall@5 of trained classes"] == 1.0
    assert result.figures["tail"] == 0.5 and result.figures["all"] == 1.0


def test_train_classes_must_be_classes(tmp_path: Path) -> None:
    info = {"task": "classification", "classes": ["a", "b"], "train_classes": ["c"]}
    with pytest.raises(UserError, match=r"benchmark\.json: train_classes: 'c'"):
        measure(benchmark(tmp_path, info, [labelled("a", "a")]))


@pytest.mark.parametrize(("shared", "to_video", "to_text"), [(False, 3 / 4, 2 / 3), (True, 1.0, 1.0)])
def test_texts_that_several_clips_have(tmp_path: Path, shared: bool, to_video: float, to_text: float) -> None:
    items = [("red", ["red", "blue"]), ("blue", ["blue"]), ("green", ["green"])]
    info = {"task": "retrieval", "metric": "text to video R@1", "shared_texts": shared}
    result = measure(benchmark(tmp_path, info, [(name, {"texts": texts}) for name, texts in items]))
    # Of the two that say blue one clip shows it: strictly, the other one's is a miss. The other way the two tie, which
    # counts against us.
    assert result.value == pytest.approx(to_video)
    assert result.figures["video to text R@1"] == pytest.approx(to_text)
    assert TEXTS == [["red", "blue", "green"]]


def test_every_figure_has_its_interval(tmp_path: Path) -> None:
    items = [(name, {"texts": [name, f"{name} again"]}) for name in ("red", "green", "blue", "white")]
    result = measure(benchmark(tmp_path, {"task": "retrieval"}, items))
    names = [name for name in result.figures if not name.endswith((LOW, HIGH))]
    assert len(names) == 7
    for name in names:
        assert result.figures[name + LOW] <= result.figures[name] <= result.figures[name + HIGH]


@pytest.mark.parametrize("task", ["classification", "retrieval", "choice", "triplet", "world_model"])
def test_a_metric_of_another_kind_is_refused(tmp_path: Path, task: str) -> None:
    fields: dict[str, Any] = {"label": "a", "texts": ["a"], "question": "a?", "p1": "a", "p2": "b", "n": "c"}
    fields |= {"initial": "a.png", "final": "b.png", "candidates": [{"media": "x.mp4"}]}
    info = {"task": task, "metric": "loudness", "classes": ["a", "b"], "answers": ["a", "b"]}
    items = [("a", {**fields, "answer": 0 if task == "world_model" else "a"})]
    with pytest.raises(UserError, match=r"benchmark\.json: metric: 'loudness' is none of a"):
        measure(benchmark(tmp_path, info, items))


def test_templates_are_averaged(tmp_path: Path) -> None:
    one = benchmark(tmp_path, {"task": "classification", "classes": ["cat", "dog"]}, [labelled("cat", "cat")])
    measure(one)
    assert TEXTS == [["cat", "dog"]]
    measure(with_templates(one, ["a {}", "the {}"]))
    assert TEXTS == [["a cat", "a dog", "the cat", "the dog"]]
    with pytest.raises(UserError, match="needs the place of the class"):
        with_templates(one, ["a cat"])
