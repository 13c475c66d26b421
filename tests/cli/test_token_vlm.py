"""The commands with a checkpoint of a token-space VLM: what it can do it does, the rest is refused in one line."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from vljepa.cli import main
from vljepa.config import ModelConfig
from vljepa.model.token_vlm import TokenVLM
from vljepa.model.y_decoder import train_tokenizer
from vljepa.recipes.models import token_vlm


@pytest.fixture(scope="module")
def checkpoint(tiny_config: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("writer") / "model"
    TokenVLM(token_vlm(tiny_config), train_tokenizer(["a red cube"], 300)).save(folder, card="")
    return str(folder)


@pytest.fixture
def picture(tmp_path: Path) -> str:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "red.png")
    return str(tmp_path / "red.png")


def test_it_answers(checkpoint: str, picture: str, capsys: pytest.CaptureFixture[str]) -> None:
    def asked(*command: str) -> dict:
        assert main([*command, "--model", checkpoint, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert isinstance(asked("caption", picture)["caption"], str)
    assert {one["text"] for one in asked("classify", picture, "red", "blue")["ranked"]} == {"red", "blue"}
    assert len(asked("ask", picture, "Which colour?", "--choices", "red", "blue")["ranked"]) == 2
    assert len(asked("ask", picture, "Which colour?")["ranked"]) == 1


def test_info_tells_of_the_checkpoint_and_of_both_recipes(checkpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", checkpoint, "--json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["kind"] == "token_vlm" and held["layers"] == 2 and "y_encoder" not in held
    for recipe in ("nano-token-vlm", "paper-control-vlm"):
        assert main(["info", recipe]) == 0
        assert "trains the language model" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        ["stream", "video.mp4", "--model"],
        ["index", "folder", "--library", "library", "--model"],
        ["train-decoder"],
    ],
)
def test_what_needs_embeddings_is_refused_in_one_line(
    checkpoint: str,
    command: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    Image.new("RGB", (64, 64), "red").save(tmp_path / "folder" / "red.png")
    assert main([*command, checkpoint]) == 2
    error = capsys.readouterr().err.strip()
    assert "token-space VLM" in error and "\n" not in error
