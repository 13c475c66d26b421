"""``vljepa eval`` under torchrun: two processes share the work and find what one finds."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from ranks import run_ranks

from vljepa.cli import main
from vljepa.config import ModelConfig
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer

COLOURS = ("red", "green", "blue", "white", "black", "yellow")


@pytest.fixture
def world(tmp_path: Path, tiny_config: ModelConfig) -> Path:
    """Pictures, short animations, benchmarks of all that ranks share, and an untrained model that can speak."""
    torch.manual_seed(0)
    model = VLJEPA(tiny_config, train_tokenizer(["a red cube", "a blue ball"], tiny_config.y_decoder.vocab_size))
    model.save(tmp_path / "model", card="A test.")
    rng = np.random.default_rng(0)
    (tmp_path / "data" / "test" / "media").mkdir(parents=True)
    for name in COLOURS:
        frames = [Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(12)]
        frames[0].save(tmp_path / "data" / "test" / "media" / f"{name}.png")
        clip = tmp_path / "data" / "test" / "media" / f"{name}-moves.png"
        frames[0].save(clip, save_all=True, append_images=frames[1:], duration=250)
    (tmp_path / "data" / "test" / "media" / "broken.png").write_text("no picture")

    def item(name: str, **fields: object) -> dict[str, object]:
        return {"id": name, "media": f"../media/{name}.png", **fields}

    labels = [item(name, label=name) for name in (*COLOURS, "broken")]
    pair = {"initial": "../media/red.png", "final": "../media/blue.png"}
    candidates = [{"media": f"../media/{name}-moves.png"} for name in COLOURS[:4]]
    notes = [{"time": i, "text": f"a {name} cube"} for i, name in enumerate(COLOURS[:3])]
    tasks = {
        "classification": ({"classes": [*COLOURS, "broken"], "query": "Which colour?"}, labels),
        "caption": ({}, [item(name, references=[f"a {name} cube"]) for name in COLOURS]),
        "world_model": ({}, [{"id": "0", **pair, "candidates": candidates, "answer": 0}]),
        "stream": ({}, [item(f"{name}-moves", annotations=notes) for name in COLOURS[:3]]),
    }
    for task, (info, rows) in tasks.items():
        folder = tmp_path / "data" / "test" / task
        folder.mkdir()
        (folder / "benchmark.json").write_text(json.dumps({"name": task, "task": task, **info}))
        (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "data" / "train").mkdir()
    rows = [{"id": n, "media": f"../test/media/{n}.png", "query": "Which?", "target": n} for n in COLOURS]
    rows_of = {"sft_images": rows, "sft_videos": [{**r, "media": str(r["media"])[:-4] + "-moves.png"} for r in rows]}
    for name, some in rows_of.items():
        (tmp_path / "data" / "train" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some))
    return tmp_path


def evaluate(world: Path, name: str) -> int:
    benchmarks = sorted(str(folder.parent) for folder in (world / "data" / "test").glob("*/benchmark.json"))
    options = ["--nearest", str(world / "data"), "--out", str(world / name), "--cache", str(world / name / "cache")]
    return main(["eval", str(world / "model"), *benchmarks, *options])


@pytest.mark.timeout(180)
def test_two_ranks_find_what_one_finds(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Nearest neighbour has no training sample of two frames for the world model's pairs, which all of them report.
    assert run_ranks(evaluate, world, world, "two") == [1, 1]
    assert evaluate(world, "one") == 1
    one, two = (json.loads((world / name / "results.json").read_text()) for name in ("one", "two"))
    assert one == two
    assert len(one["results"]) == 8 and not one["omissions"]
    assert (world / "two" / "report.html").exists()
