"""``vljepa eval`` on a folder of images: all systems, all files, the exit codes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from peer_models import write_clip, write_llava
from PIL import Image

from vljepa.cli import main
from vljepa.config import ModelConfig
from vljepa.model.token_vlm import TokenVLM
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.recipes.models import token_vlm

COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200), "white": (230, 230, 230)}


def write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def save(folder: Path, config: ModelConfig) -> str:
    torch.manual_seed(0)
    VLJEPA(config).save(folder, card="A test.")
    return str(folder)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Pictures of one colour; those of the test are a little darker than those of the training."""
    data = tmp_path / "data"
    for split, shade in (("train", 1.0), ("test", 0.95)):
        (data / split / "media").mkdir(parents=True)
        for name, colour in COLOURS.items():
            picture = np.full((64, 64, 3), np.array(colour) * shade, np.uint8)
            Image.fromarray(picture).save(data / split / "media" / f"{name}.png")
    write_lines(
        data / "train" / "sft_images.jsonl",
        [{"id": n, "media": f"media/{n}.png", "query": "Which colour?", "target": n} for n in COLOURS],
    )
    benchmark = {"name": "colours", "task": "classification", "query": "Which colour?", "classes": list(COLOURS)}
    write_lines(data / "test" / "colours" / "benchmark.json", [benchmark])
    write_lines(
        data / "test" / "colours" / "items.jsonl",
        [{"id": n, "media": f"../media/{n}.png", "label": n} for n in COLOURS],
    )
    write_lines(data / "test" / "words" / "benchmark.json", [{"name": "words", "task": "caption"}])
    write_lines(
        data / "test" / "words" / "items.jsonl",
        [{"id": n, "media": f"../media/{n}.png", "references": [n]} for n in COLOURS],
    )
    return data


def test_baselines_stand_beside_the_model(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_config: ModelConfig
) -> None:
    model = save(tmp_path / "model", tiny_config)
    other = save(tmp_path / "other", replace(tiny_config, kind="dual_encoder"))
    benchmarks = [str(data / "test" / name) for name in ("colours", "words")]
    writer = tmp_path / "writer"
    TokenVLM(token_vlm(tiny_config), train_tokenizer(list(COLOURS), 300)).save(writer, card="A test.")
    options = ["--nearest", str(data), "--against", other, str(writer), "--out", str(tmp_path / "out")]
    code = main(["eval", model, *benchmarks, *options, "--cache", str(tmp_path / "features"), "--json"])
    printed = json.loads(capsys.readouterr().out)
    # What lacks a Y-Decoder is left out of captions, which is no failure.
    assert code == 0
    assert list(printed["systems"]) == ["nearest neighbour", "dual encoder", "token-space VLM", "VL-JEPA"]
    assert "sha256" in printed["systems"]["VL-JEPA"]
    values = {(r["benchmark"], r["system"]): r["value"] for r in printed["results"]}
    assert values["colours", "nearest neighbour"] == 1.0 and ("colours", "dual encoder") in values
    assert {("colours", "token-space VLM"), ("words", "token-space VLM")} <= values.keys()
    assert {(o["benchmark"], o["system"]) for o in printed["omissions"]} == {
        ("words", "dual encoder"),
        ("words", "VL-JEPA"),
    }
    assert "no Y-Decoder" in (tmp_path / "out" / "report.html").read_text()
    assert json.loads((tmp_path / "out" / "results.json").read_text())["systems"] == printed["systems"]


def test_models_of_others_stand_beside_ours_or_alone(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_config: ModelConfig
) -> None:
    ours = save(tmp_path / "model", tiny_config)
    clip, llava = str(write_clip(tmp_path / "clip")), str(write_llava(tmp_path / "llava"))
    benchmarks = [str(data / "test" / name) for name in ("colours", "words")]
    options = ["--cache", str(tmp_path / "cache"), "--json"]
    out = ["--out", str(tmp_path / "out")]
    assert main(["eval", llava, *benchmarks, "--against", clip, ours, *out, *options]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed["systems"]) == [clip, "VL-JEPA", llava], "last the one that the report is on"
    assert "sha256" in printed["systems"][clip] and "8 frames of a video" in printed["systems"][llava]
    values = {(r["benchmark"], r["system"]): r["value"] for r in printed["results"]}
    assert {("colours", clip), ("colours", llava), ("words", llava)} <= values.keys()

    alone = ["--out", str(tmp_path / "alone")]
    assert main(["eval", clip, benchmarks[0], *alone, *options]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["value"] == values["colours", clip]

    assert main(["eval", clip, benchmarks[0], "--nearest", str(data), *alone, *options]) == 2
    assert "name one of them too" in capsys.readouterr().err


def test_a_folder_that_is_no_benchmark_is_a_failure(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_config: ModelConfig
) -> None:
    model = save(tmp_path / "model", tiny_config)
    benchmarks = [str(tmp_path / "absent"), str(data / "test" / "colours")]
    options = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "features")]
    assert main(["eval", model, *benchmarks, *options]) == 1
    captured = capsys.readouterr()
    assert "absent: no benchmark here" in captured.err and "colours, VL-JEPA: top-1" in captured.out


def test_a_folder_of_benchmarks_stands_for_all_of_them(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_config: ModelConfig
) -> None:
    model = save(tmp_path / "model", tiny_config)
    options = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "features")]
    # In the order of their names, and media, which is none, is passed over.
    (data / "test" / "words").rename(data / "test" / "a_words")
    assert main(["eval", model, str(data / "test"), *options, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [o["benchmark"] for o in printed["omissions"]] == ["words"] and printed["left_out"] == 0
    assert [r["benchmark"] for r in printed["results"]] == ["colours"]
    # Named itself it is a mistake, and so is a folder above those of the splits.
    assert main(["eval", model, str(data / "test" / "media"), str(data), str(data / "test"), *options]) == 1
    errors = capsys.readouterr().err.splitlines()
    said = [line for line in errors if line.startswith("vljepa: left out:")]
    assert len(said) == 2 and all("no benchmark here and none in its folders; name a folder with" in s for s in said)


def test_training_data_that_are_none_are_bad_input(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_config: ModelConfig
) -> None:
    model = save(tmp_path / "model", tiny_config)
    options = ["--nearest", str(tmp_path), "--cache", str(tmp_path / "features"), "--out", str(tmp_path / "out")]
    assert main(["eval", model, str(data / "test" / "colours"), *options]) == 2
    assert "no training data here" in capsys.readouterr().err
