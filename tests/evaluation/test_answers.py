"""Systems that only rank and write texts: right answers are known, and a bad clip costs itself alone."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.evaluation.benchmark import read_benchmark
from vljepa.evaluation.result import Omission, Result
from vljepa.evaluation.runner import evaluate, evaluate_all
from vljepa.evaluation.system import System
from vljepa.types import Clip


def meaning(clip: Clip) -> str:
    """A clip's file name; files named 'broken' cannot be read."""
    name = Path(clip.media[0]).stem
    if name == "broken":
        raise UserError("broken.mp4: not a video")
    return name


def rank_candidates(clips: list[Clip], queries: list[str], candidates: list[Sequence[str]]) -> list[np.ndarray]:
    """The likelier, the more of its words a text has in common with the clip's name; asked otherwise, the other way."""
    assert len(clips) == len(queries) == len(candidates)
    signs = [-1.0 if query == "What is it not?" else 1.0 for query in queries]
    return [
        np.array([sign * (meaning(clip) in text) for text in texts])
        for clip, texts, sign in zip(clips, candidates, signs, strict=True)
    ]


def caption_clips(clips: list[Clip], queries: list[str]) -> list[str]:
    return [f"{meaning(clip)} moves on" for clip in clips]


SYSTEM = System(name="writer", rank_candidates=rank_candidates, caption_clips=caption_clips)


def write(folder: Path, info: dict[str, Any], items: list[dict[str, Any]]) -> Path:
    folder = folder / "test" / info["task"]
    folder.mkdir(parents=True)
    (folder / "benchmark.json").write_text(json.dumps({"name": info["task"], **info}))
    lines = [
        json.dumps({"id": str(i), "media": f"../../media/{item.pop('name')}.mp4", **item})
        for i, item in enumerate(items)
    ]
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def classification(folder: Path) -> Path:
    items = [{"name": "left", "label": "left"}, {"name": "broken", "label": "left"}, {"name": "up", "label": "left"}]
    templates = ["{} it goes", "not {}"]
    return write(folder, {"task": "classification", "classes": ["up", "left", "down"], "templates": templates}, items)


def test_classes_are_ranked_over_templates_and_bad_clips_left_out(tmp_path: Path) -> None:
    result = evaluate(classification(tmp_path), SYSTEM)
    assert [outcome.found for outcome in result.outcomes] == ["left", "up"]
    assert result.value == 0.5 and result.count == 2 and result.left_out == ["broken.mp4: not a video"]


def test_each_question_has_its_choices(tmp_path: Path) -> None:
    choices = ["a cube", "a ball", "a cup"]
    items = [
        {"name": "ball", "question": "What is it?", "choices": choices, "answer": "a ball"},
        {"name": "cube", "question": "What is it not?", "choices": choices[:2], "answer": "a ball"},
    ]
    result = evaluate(write(tmp_path, {"task": "choice"}, items), SYSTEM)
    assert result.value == 1.0 and result.chance == pytest.approx((1 / 3 + 1 / 2) / 2)


def test_captions_are_those_that_it_writes(tmp_path: Path) -> None:
    items = [{"name": name, "references": [f"{name} moves on"]} for name in ("ball", "broken", "cube")]
    result = evaluate(write(tmp_path, {"task": "caption"}, items), SYSTEM)
    assert [outcome.found for outcome in result.outcomes] == ["ball moves on", "cube moves on"]
    assert result.value > 0 and len(result.left_out) == 1


def test_what_needs_embeddings_is_omitted_and_progress_is_told(tmp_path: Path) -> None:
    retrieval = write(tmp_path, {"task": "retrieval"}, [{"name": "ball", "texts": ["a ball"]}])
    folders = [classification(tmp_path), retrieval]
    told: list[tuple[str, int, int]] = []
    found = list(evaluate_all([read_benchmark(f) for f in folders], [SYSTEM], lambda *progress: told.append(progress)))
    assert isinstance(found[0], Result)
    assert isinstance(found[1], Omission) and "makes no embeddings" in found[1].reason
    assert told[-1][1:] == (4, 4)
    with pytest.raises(UserError, match="makes no embeddings"):
        evaluate(retrieval, SYSTEM)
    with pytest.raises(UserError, match="makes no embeddings"):
        SYSTEM.embed_clips([], [])
    assert replace(SYSTEM, rank_candidates=None, caption_clips=None).lacks("caption")
