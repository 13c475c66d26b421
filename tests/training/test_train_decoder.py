"""A new Y-Decoder for a trained checkpoint, by the same loop."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pictures import Killed, write_pictures
from safetensors.torch import load_file

from vljepa.cli import main
from vljepa.errors import UserError
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.recipes import RECIPES
from vljepa.recipes.models import decoder
from vljepa.training import checkpoint
from vljepa.training.prepare import build_model, text_tokenizer


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder with a Y-Decoder of other texts, matrices in float32; the pictures lie beside it."""
    folder = tmp_path_factory.mktemp("trained")
    torch.manual_seed(1)
    config = RECIPES["tiny"]()
    write_pictures(folder / "data", config)
    model = VLJEPA(config.model, train_tokenizer(["something else", "entirely"], 300))
    model.familiarity.fit(torch.randn(9, model.x_encoder.token_dim), torch.randn(4, model.x_encoder.token_dim))
    model.save(folder / "model", card="# Before\n\n## Data", dtype="float32")
    return folder / "model"


def command(trained: Path, out: Path) -> list[str]:
    return ["train-decoder", str(trained), "--recipe", "tiny", "--data", f"{trained.parent}/data", "--out", str(out)]


@pytest.fixture(scope="module")
def result(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of an uninterrupted run of the command."""
    out = tmp_path_factory.mktemp("out") / "run"
    assert main(command(trained, out)) == 0
    return out / "model"


def test_all_but_the_decoder_stays_bit_for_bit(trained: Path, result: Path) -> None:
    before, after = load_file(trained / "model.safetensors"), load_file(result / "model.safetensors")
    kept = {name for name in before if not name.startswith("y_decoder.")}
    assert kept == {name for name in after if not name.startswith("y_decoder.")}
    for name in kept:
        assert before[name].dtype == after[name].dtype
        assert torch.equal(before[name], after[name]), name
    loaded = VLJEPA.load(result)
    assert loaded.config == RECIPES["tiny"]().model
    assert loaded.y_decoder is not None
    # Its tokenizer is learned anew, from these targets.
    assert len(loaded.y_decoder.tokenizer.encode("a purple picture").ids) < len("a purple picture") / 2


def test_card_keeps_that_of_the_checkpoint(trained: Path, result: Path) -> None:
    card = (result / "README.md").read_text()
    assert f"vljepa train-decoder {trained} --recipe tiny --data" in card
    assert "| y_decoder | y_decoder | 8 | 8 |" in card
    assert card.endswith("### Before\n\n#### Data")


def test_killed_run_ends_with_the_same_weights(
    trained: Path, result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = checkpoint.Saver.save

    def save_and_die(saver: checkpoint.Saver, step: int, *state: Any) -> None:
        save(saver, step, *state)
        raise Killed

    monkeypatch.setattr(checkpoint.Saver, "save", save_and_die)
    with pytest.raises(Killed):
        main(command(trained, tmp_path / "run"))
    monkeypatch.setattr(checkpoint.Saver, "save", save)
    assert main(command(trained, tmp_path / "run")) == 0
    expected, actual = (load_file(m / "model.safetensors") for m in (result, tmp_path / "run" / "model"))
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--recipe", "nano-dual-encoder"), "recipe 'nano-dual-encoder' has no stage that trains a y_decoder"),
        (("--recipe", "none"), "no recipe 'none'"),
        (("--data", "no/such/folder"), "no/such/folder: no such data folder"),
    ],
)
def test_mistakes_are_one_line(
    trained: Path, tmp_path: Path, change: tuple[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command(trained, tmp_path / "run"), *change]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"vljepa: {message}")
    assert error.count("\n") == 1
    assert main(["train-decoder", str(tmp_path / "none")]) == 2


def test_a_decoder_goes_on_where_another_stopped(trained: Path, result: Path) -> None:
    run = replace(RECIPES["tiny"](), start_from=str(trained), y_decoder_from=str(result))
    assert text_tokenizer(run, {}, trained) is None, "it has one"
    model = build_model(run, None)
    assert isinstance(model, VLJEPA) and model.y_decoder is not None
    trained_decoder = VLJEPA.load(result).y_decoder
    assert trained_decoder is not None
    theirs = trained_decoder.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in model.y_decoder.state_dict().items())
    model.save(trained.parent / "again", card="# Again")
    assert VLJEPA.load(trained.parent / "again").y_decoder is not None, "it is saved with the rest"
    with pytest.raises(UserError, match="start_from"):
        replace(run, start_from=None)
    with pytest.raises(UserError, match="no Y-Decoder of the run's architecture"):
        build_model(replace(run, model=replace(run.model, y_decoder=decoder(32, 1))), None)
