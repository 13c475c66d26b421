"""Image backbones against transformers, on tiny random checkpoints in the hub's format."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

from vljepa.config import XEncoderConfig
from vljepa.errors import UserError
from vljepa.model.x_encoder import load_x_encoder

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "patch_size": 8}
VISION = TINY | {"intermediate_size": 64, "image_size": 32}
TEXT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 50}
CROPPED = CLIPImageProcessorPil(size={"shortest_edge": 36}, crop_size=32)
WHOLE = SiglipImageProcessorPil(size={"height": 32, "width": 32})


def clip() -> Any:
    return CLIPModel(CLIPConfig(vision_config=VISION, text_config=TEXT))


def siglip() -> Any:
    return SiglipModel(SiglipConfig(vision_config=VISION, text_config=TEXT))


def dinov2() -> Any:
    return Dinov2Model(Dinov2Config(image_size=56, mlp_ratio=2, **TINY))


def dinov2_with_registers() -> Any:
    return Dinov2WithRegistersModel(Dinov2WithRegistersConfig(image_size=32, mlp_ratio=2, **TINY))


def dinov3() -> Any:
    return DINOv3ViTModel(DINOv3ViTConfig(num_register_tokens=4, **VISION))


@pytest.mark.parametrize(
    ("build", "processor", "extra"),
    [
        (clip, CROPPED, 1),
        (siglip, WHOLE, 0),
        (dinov2, CROPPED, 1),
        (dinov2_with_registers, CROPPED, 5),
        (dinov3, WHOLE, 5),
    ],
)
def test_tokens_are_the_patches_of_transformers(build: Any, processor: Any, extra: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = build().eval()
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    size = 36 if processor is CROPPED else 32
    encoder = load_x_encoder(XEncoderConfig(name=str(tmp_path), frame_size=size))
    frames = torch.randint(0, 256, (2, 3, size, size, 3), dtype=torch.uint8)
    pixels = processor(list(frames.flatten(0, 1).numpy()), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        expected = getattr(model, "vision_model", model)(pixels).last_hidden_state
    assert expected.shape[1] == extra + 16
    tokens = encoder(frames)
    assert tokens.shape == (2, 3, encoder.tokens_per_frame, encoder.token_dim) == (2, 3, 16, 32)
    assert encoder.tubelet == 1
    torch.testing.assert_close(tokens.flatten(0, 1), expected[:, extra:], atol=1e-4, rtol=1e-4)


def test_incomplete_and_foreign_checkpoints_are_named(tmp_path: Path) -> None:
    clip().save_pretrained(tmp_path)
    config = XEncoderConfig(name=str(tmp_path), frame_size=32)
    with pytest.raises(UserError, match=r"preprocessor_config\.json is missing"):
        load_x_encoder(config)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": 32, "image_mean": [0.5] * 3}))
    with pytest.raises(UserError, match="field 'image_std' is missing"):
        load_x_encoder(config)
    WHOLE.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    lost = next(name for name in tensors if "vision" in name and "fc1.weight" in name)
    del tensors[lost]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"fc1\.weight.* incomplete"):
        load_x_encoder(config)


def test_another_kind_of_network_is_refused() -> None:
    with pytest.raises(UserError, match="all-MiniLM-L6-v2 is a 'bert'; read are vjepa2, Perception Encoder, clip"):
        load_x_encoder(XEncoderConfig(name="all-MiniLM-L6-v2"))


def test_preprocessing_is_that_of_the_folder(tmp_path: Path) -> None:
    model = siglip()
    fingerprints = set()
    for mean in (0.5, 0.4):
        model.save_pretrained(tmp_path)
        SiglipImageProcessorPil(size={"height": 32, "width": 32}, image_mean=[mean] * 3).save_pretrained(tmp_path)
        fingerprints.add(load_x_encoder(XEncoderConfig(name=str(tmp_path), frame_size=32)).fingerprint)
    assert len(fingerprints) == 2
