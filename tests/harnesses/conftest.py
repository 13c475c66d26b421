"""Sixteen short videos, and what our own runner finds of them: every harness must find the same."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from media import write_video

from vljepa.api import Model
from vljepa.config import ModelConfig
from vljepa.evaluation.benchmark import read_benchmark
from vljepa.evaluation.features import Features
from vljepa.evaluation.result import Result
from vljepa.evaluation.runner import evaluate_all
from vljepa.evaluation.systems import model_system
from vljepa.model.vljepa import VLJEPA
from vljepa.types import Clip

Run = Callable[..., Result]

QUERY = "What is done?"
LABELS = ["pushing a cube", "lifting a ball", "turning a cup", "opening a box", "closing a door", "pouring water"]


@dataclass(frozen=True, eq=False)
class Shown:
    """A video with what is said of it."""

    path: Path
    label: str
    captions: list[str]
    question: str
    choices: list[str]


@pytest.fixture(scope="session")
def query() -> str:
    """What all are asked, where they have no questions."""
    return QUERY


@pytest.fixture(scope="session")
def labels() -> list[str]:
    return LABELS


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Shown]:
    folder = tmp_path_factory.mktemp("harness") / "media"
    folder.mkdir()
    draw = np.random.default_rng(0)
    shown = []
    for i in range(16):
        # Coarse patches: what the X-Encoder sees differs from video to video.
        frames = draw.integers(0, 256, (8, 4, 4, 3), dtype=np.uint8).repeat(16, axis=1).repeat(16, axis=2)
        path = write_video(folder / f"{i}.mp4", list(frames))
        label = LABELS[i % len(LABELS)]
        others = [one for one in LABELS if one != label]
        captions = [f"someone is {label} at {i} o'clock", f"view {i}: {label}"]
        choices = [others[i % 5], label, others[(i + 1) % 5]]
        shown.append(Shown(path, label, captions, f"What happens in video {i}?", choices))
    return shown


@pytest.fixture(scope="session")
def model(tiny_config: ModelConfig, videos: Sequence[Shown]) -> Model:
    """An untrained model: what it finds is chance, but the same by every way."""
    torch.manual_seed(0)
    network = VLJEPA(replace(tiny_config, x_encoder=replace(tiny_config.x_encoder, num_frames=4)))
    model = Model(network)
    # Untrained, it predicts nearly the same of all videos: without the mean, what is found depends on video and query.
    predicted: list[torch.Tensor] = []
    head = network.predictor.head
    hook = head.register_forward_hook(lambda module, inputs, output: predicted.append(output))
    clips = [Clip(media=(str(v.path),)) for v in videos]
    model.encode_clips(clips * 2, [QUERY] * len(videos) + [v.question for v in videos])
    hook.remove()
    with torch.no_grad():
        head.bias -= torch.cat(predicted).mean(dim=0)
    return model


@pytest.fixture
def ours(model: Model, videos: Sequence[Shown], tmp_path: Path) -> Run:
    """``ours(task, fields, **head)``: our runner's result on the videos; ``fields`` gives what an item has beside its
    medium."""

    def run(task: str, fields: Callable[[Shown], dict[str, Any]], **head: Any) -> Result:
        folder = videos[0].path.parents[1] / "test" / tmp_path.name
        folder.mkdir(parents=True)
        (folder / "benchmark.json").write_text(json.dumps({"name": "harness", "task": task, **head}))
        items = [{"id": str(i), "media": f"../../media/{v.path.name}", **fields(v)} for i, v in enumerate(videos)]
        (folder / "items.jsonl").write_text("\n".join(map(json.dumps, items)))
        system = model_system(model, Features(model, tmp_path / "features"), name="tiny")
        (result,) = evaluate_all([read_benchmark(folder)], [system])
        assert isinstance(result, Result) and result.count == len(videos)
        return result

    return run
