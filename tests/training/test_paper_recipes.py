"""The paper's stages, one command each, with everything but the sizes of backbones, batches and runs as published."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hub import write_gemma, write_llama, write_vjepa2
from pictures import line, write_pictures
from safetensors.torch import load_file
from tars import trio, write_tar

from vljepa.api import load
from vljepa.config import RunConfig, TransformerConfig
from vljepa.recipes import RECIPES
from vljepa.token_api import TokenModel, load_any
from vljepa.training.loop import train

SIZE = 32
"""Pixels of the frames, of which V-JEPA 2 sees four patches."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with tiny backbones and a little of every source."""
    monkeypatch.chdir(tmp_path)
    for name in ("vjepa2", "llama", "gemma"):
        (tmp_path / name).mkdir()
    write_vjepa2(tmp_path / "vjepa2", SIZE)
    write_llama(tmp_path / "llama")
    write_gemma(tmp_path / "gemma")
    data = tmp_path / "data" / "paper"
    write_pictures(data, small(RECIPES["paper-sft"]()))
    (data / "train" / "yfcc100m.jsonl").write_text("\n".join(map(line, ("red", "blue"))))
    (data / "datacomp").unlink()
    (data / "datacomp").mkdir()
    write_tar(data / "datacomp" / "0.tar", [m for i in range(4) for m in trio(str(i), 60 * i, f"grey of {i}")])
    return tmp_path


def small(config: RunConfig) -> RunConfig:
    """The recipe on tiny backbones, for a few steps."""
    model = config.model
    block = TransformerConfig(dim=16, num_layers=2, num_heads=2, num_kv_heads=2, ffn_dim=32)
    decoder = replace(model.y_decoder, vocab_size=300, transformer=replace(model.y_decoder.transformer, num_layers=1))
    model = replace(
        model,
        x_encoder=replace(model.x_encoder, name="vjepa2", frame_size=SIZE, num_frames=8, dtype="float32"),
        predictor=replace(model.predictor, transformer=block, tokenizer="llama", init="llama", init_first_layer=1),
        y_encoder=replace(model.y_encoder, name="gemma"),
        y_decoder=decoder,
        embed_dim=24,
    )
    stages = tuple(
        replace(
            stage,
            num_steps=4,
            global_batch_size=4,
            on_targets_steps=2 if stage.trains == "y_decoder" else 0,
            sources=tuple(replace(source, num_frames=min(source.num_frames, 8)) for source in stage.sources),
        )
        for stage in config.stages
    )
    return replace(config, model=model, stages=stages, decode_processes=1, save_every=4, log_every=1)


def test_fine_tuning_goes_on_from_pretraining_and_ends_in_a_model_that_captions(root: Path) -> None:
    before = load_file(train(small(RECIPES["paper-image"]())) / "model.safetensors")
    sft = small(replace(RECIPES["paper-sft"](), start_from="runs/paper-image/model"))
    folder = train(sft)
    after = load_file(folder / "model.safetensors")
    joint = {name for name in after if name.split(".")[0] in ("predictor", "y_encoder")}
    assert joint == {name for name in before if name.split(".")[0] in ("predictor", "y_encoder")}
    # Three of four steps at a rate of at most 2e-7: where it ends is where the other began.
    assert all(torch.allclose(before[name].float(), after[name].float(), atol=1e-3) for name in joint)
    log = [json.loads(row) for row in (folder.parent / "log.jsonl").read_text().splitlines()]
    assert [row["stage"] for row in log] == ["sft"] * 4 + ["y_decoder"] * 4
    model = load(folder)
    assert isinstance(model.caption(root / "data" / "paper" / "red.png"), str)
    assert model.encode_video([root / "data" / "paper" / "red.png"]).shape == (1, 24)


def test_the_token_space_vlm_of_the_control_is_a_whole_llama_that_captions(root: Path) -> None:
    (root / "tied").mkdir()
    write_llama(root / "tied", tied=True)
    config = small(RECIPES["paper-control-vlm"]())
    block = replace(config.model.predictor.transformer, num_layers=3, causal=True)
    llama = replace(config.model.predictor, transformer=block, tokenizer="tied", init="tied", init_first_layer=0)
    folder = train(replace(config, model=replace(config.model, predictor=llama)))
    model = load_any(folder)
    assert isinstance(model, TokenModel)
    # Its rate is 2e-7 at most: it is Llama still, its token table among what was trained.
    start = load_file(root / "tied" / "model.safetensors")["model.embed_tokens.weight"]
    assert torch.allclose(model.network.language_model.tokens.weight, start, atol=1e-3)
    assert "language_model.tokens.weight" in load_file(folder / "model.safetensors")
    assert isinstance(model.caption(root / "data" / "paper" / "red.png", beams=2), str)
    assert {one.text for one in model.classify(root / "data" / "paper" / "red.png", ["a", "b"])} == {"a", "b"}
