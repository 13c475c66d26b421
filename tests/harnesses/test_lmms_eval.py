"""lmms-eval's own evaluation of our model, found by its entry point, finds what our runner finds."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lmms_eval", reason="lmms-eval is not installed; see docs/harnesses.md")

from lmms_eval.api.instance import Instance
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager

from vljepa.api import Model
from vljepa.errors import UserError
from vljepa.harnesses.lmms_eval import Answerer

pytestmark = pytest.mark.filterwarnings("ignore")
SHOWN = "def shown(doc, lmms_eval_specific_kwargs=None):\n    return [doc['video']]\n"
HEAD = """
task: NAME
dataset_path: json
dataset_kwargs:
  data_files:
    test: DOCS
  cache_dir: CACHE
test_split: test
doc_to_visual: !function utils.shown
"""
CHOICE = """
output_type: multiple_choice
doc_to_text: question
doc_to_target: answer
doc_to_choice: candidates
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
"""
LETTER = """
output_type: generate_until
doc_to_text: !function utils.mvbench_doc_to_text
doc_to_target: answer
process_results: !function utils.mvbench_process_results
lmms_eval_specific_kwargs: {default: {post_prompt: "Only give the best option."}}
metric_list:
  - {metric: mvbench_accuracy, aggregation: !function utils.mvbench_aggregate_results, higher_is_better: true}
"""


@pytest.fixture(scope="module")
def checkpoint(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("harness") / "tiny"
    model.network.save(folder, card="", dtype="float32")
    return folder


@pytest.fixture
def result(videos: Sequence[Any], ours: Callable[..., Any]) -> Any:
    return ours("choice", lambda v: {"question": v.question, "answer": v.label, "choices": v.choices})


def scores(folder: Path, videos: Sequence[Any], checkpoint: Path, task: str, lettered: bool = False) -> dict[str, Any]:
    """What the harness finds of a task with the videos' documents."""
    docs = [
        {
            "video": str(v.path),
            "question": v.question,
            "candidates": [f"{'ABC'[i]}. {text}" if lettered else text for i, text in enumerate(v.choices)],
            "answer": v.label,
        }
        for v in videos
    ]
    (folder / "docs.jsonl").write_text("\n".join(map(json.dumps, docs)))
    (folder / "utils.py").write_text(f"from lmms_eval.tasks.mvbench.utils import *\n\n\n{SHOWN}")
    head = HEAD.replace("NAME", "local").replace("DOCS", str(folder / "docs.jsonl"))
    (folder / "local.yaml").write_text(head.replace("CACHE", str(folder / "cache")) + task)
    found = simple_evaluate(
        "vljepa",
        f"checkpoint={checkpoint}",
        tasks=["local"],
        batch_size=1,
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        bootstrap_iters=0,
    )
    return found["results"]["local"]


def test_choice_by_loss_is_ours(videos: Sequence[Any], checkpoint: Path, result: Any, tmp_path: Path) -> None:
    found = scores(tmp_path, videos, checkpoint, CHOICE)
    assert found["acc,none"] == pytest.approx(result.value, abs=1e-6)


def test_choice_by_letter_is_ours(videos: Sequence[Any], checkpoint: Path, result: Any, tmp_path: Path) -> None:
    """By the functions of the harness's task MVBench, whose figure is in percent."""
    found = scores(tmp_path, videos, checkpoint, LETTER)
    assert found["mvbench_accuracy,none"] / 100 == pytest.approx(result.value, abs=1e-6)


def test_letters_before_candidates_are_no_part_of_them(videos: Sequence[Any], checkpoint: Path) -> None:
    answerer = Answerer(str(checkpoint))
    plain = {"question": "What is it?", "options": videos[0].choices}
    lettered = {**plain, "options": [f"({'ABC'[i]}) {text}" for i, text in enumerate(videos[0].choices)]}
    answerer.task_dict = {"local": {"test": [plain, lettered, {"question": "Why?"}]}}

    def request(doc_id: int) -> Instance:
        arguments = ("What is it? Options: ...", {}, lambda _: [str(videos[0].path)], doc_id, "local", "test")
        about = {"task": "local", "doc_id": doc_id, "repeats": 1}
        return Instance("generate_until", arguments, 0, metadata=about)

    first, second = answerer.generate_until([request(0), request(1)])
    best = answerer._model.ask(str(videos[0].path), "What is it?", videos[0].choices)[0].text
    assert first == second == "ABC"[videos[0].choices.index(best)]
    with pytest.raises(UserError, match="local: gives no candidate answers"):
        answerer.generate_until([request(2)])
