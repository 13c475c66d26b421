"""A whole VL-JEPA of hub backbones, tiny and random: an X-Encoder that joins frames, through every way that uses it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hub import write_llama, write_vjepa2
from PIL import Image

from vljepa.api import Model
from vljepa.config import ModelConfig, PredictorConfig, TransformerConfig, XEncoderConfig
from vljepa.errors import UserError
from vljepa.evaluation.features import Features
from vljepa.model import bulk
from vljepa.model.vljepa import VLJEPA
from vljepa.model.weights import find_weights
from vljepa.model.window import SlidingWindow
from vljepa.types import Clip

SIZE = 32


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """V-JEPA 2 and a Llama as the hub has them."""
    vjepa2, llama = tmp_path_factory.mktemp("vjepa2"), tmp_path_factory.mktemp("llama")
    write_vjepa2(vjepa2, SIZE)
    write_llama(llama)
    return vjepa2, llama


@pytest.fixture(scope="module")
def config(folders: tuple[Path, Path], tiny_config: ModelConfig) -> ModelConfig:
    vjepa2, llama = map(str, folders)
    block = TransformerConfig(dim=16, num_layers=2, num_heads=2, num_kv_heads=2, ffn_dim=32)
    return replace(
        tiny_config,
        x_encoder=XEncoderConfig(name=vjepa2, frame_size=SIZE, num_frames=4),
        predictor=PredictorConfig(transformer=block, tokenizer=llama, tubelet=1, init=llama, init_first_layer=1),
    )


@pytest.fixture(scope="module")
def network(config: ModelConfig) -> VLJEPA:
    torch.manual_seed(0)
    return VLJEPA(config).eval()


def test_two_frames_become_one_step_and_the_cache_holds_steps(network: VLJEPA, tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
    paths = [str(tmp_path / f"{i}.png") for i in range(4)]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture).save(path)
    clip, image = Clip(media=tuple(paths)), Clip(media=(paths[0],))
    expected = network.encode_frames(torch.from_numpy(pictures)[None])
    assert expected.shape == (1, 2, 4, 48)
    cached = bulk.cache_features(network, tmp_path / "features", [clip], 4, "float32").read([clip])
    torch.testing.assert_close(torch.from_numpy(cached).float(), expected, atol=1e-2, rtol=1e-2)
    still = bulk.cache_features(network, tmp_path / "features", [image], 1, "float32").read([image])
    assert still.shape == (1, 1, 4, 48)
    with torch.no_grad():
        assert network.predict(torch.from_numpy(still).float(), ["a b"]).isfinite().all()
        assert network.predictor.time_position.shape[0] == 2


def test_a_streams_windows_are_seen_whole(network: VLJEPA, tmp_path: Path) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (6, SIZE, SIZE, 3), dtype=np.uint8)
    model = Model(network)
    live = torch.stack([embedding for _, embedding in model.embed_stream(pictures, fps=4.0, query="a")])
    with torch.no_grad():
        window = network.encode_frames(torch.from_numpy(pictures)[None, 2:6])
        torch.testing.assert_close(live[-1:], network.predict(window, ["a"]), atol=1e-5, rtol=1e-4)

    path = tmp_path / "stream.gif"
    first, *rest = [Image.fromarray(picture) for picture in pictures]
    first.save(path, save_all=True, append_images=rest, duration=250)
    times, at_once = model.encode_stream(path, query="a")
    one_by_one = list(model.embed_stream(path, query="a"))
    torch.testing.assert_close(at_once, torch.stack([row for _, row in one_by_one]), atol=1e-5, rtol=1e-4)
    _, parts = Features(model, tmp_path / "kept").stream(str(path), 4.0)
    torch.testing.assert_close(bulk.embed_windows(network, parts, "a"), at_once, atol=1e-5, rtol=1e-4)
    assert len(times) == len(parts)


def test_a_stream_pays_only_for_the_windows_that_are_asked(network: VLJEPA, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = torch.randint(0, 256, (9, SIZE, SIZE, 3), dtype=torch.uint8)
    encode, seen = network.encode_frames, []
    monkeypatch.setattr(network, "encode_frames", lambda batch: seen.append(batch.shape[:2]) or encode(batch))
    window = SlidingWindow(network)
    for index, frame in enumerate(frames):
        window.push(frame)
        if index in (4, 8):
            both = torch.cat([window.embed(["a"]), window.embed(["b", "a b"])])
    assert seen == [(1, 4), (1, 4)]
    with torch.no_grad():
        tokens = encode(frames[None, 5:9])
        expected = torch.cat([network.predict(tokens, [query]) for query in ("a", "b", "a b")])
    torch.testing.assert_close(both, expected, atol=1e-5, rtol=1e-4)


def test_a_checkpoint_names_its_backbones_and_refuses_others(
    network: VLJEPA, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    network.save(tmp_path / "model", card="", dtype="float32")
    document = json.loads((tmp_path / "model" / "config.json").read_text())
    for folder in map(str, folders):
        assert document["backbones"][folder] == {"package": folder, "sha256": find_weights(folder).sha256}
    loaded = VLJEPA.load(tmp_path / "model")
    frames = torch.randint(0, 256, (1, 4, SIZE, SIZE, 3), dtype=torch.uint8)
    with torch.no_grad():
        expected = network.predict(network.encode_frames(frames), ["a b"])
        assert torch.equal(loaded.predict(loaded.encode_frames(frames), ["a b"]), expected)
    assert not [name for name in loaded.trained_state() if name.startswith("x_encoder.") or "token_table" in name]

    document["backbones"][str(folders[0])]["sha256"] = "0"
    (tmp_path / "model" / "config.json").write_text(json.dumps(document))
    with pytest.raises(UserError, match="is another file here than in training"):
        VLJEPA.load(tmp_path / "model")
