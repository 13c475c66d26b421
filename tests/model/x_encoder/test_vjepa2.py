"""V-JEPA 2 against transformers, on a tiny random checkpoint in the hub's format."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import VJEPA2Config, VJEPA2Model

from vljepa.config import XEncoderConfig
from vljepa.errors import UserError
from vljepa.model.x_encoder import XEncoder, load_x_encoder

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, VJEPA2Model]:
    folder = tmp_path_factory.mktemp("vjepa2")
    torch.manual_seed(0)
    config = VJEPA2Config(
        crop_size=32,
        frames_per_clip=8,
        hidden_size=48,
        num_attention_heads=2,
        num_hidden_layers=2,
        pred_hidden_size=24,
        pred_num_attention_heads=2,
        pred_num_hidden_layers=1,
    )
    model = VJEPA2Model(config).eval()
    model.save_pretrained(folder)
    preprocessor = {
        "do_center_crop": True,
        "crop_size": {"height": 32, "width": 32},
        "size": {"shortest_edge": 36},
        "image_mean": MEAN,
        "image_std": STD,
    }
    (folder / "video_preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder, model


@pytest.fixture(scope="module")
def encoder(checkpoint: tuple[Path, VJEPA2Model]) -> XEncoder:
    return load_x_encoder(XEncoderConfig(name=str(checkpoint[0]), frame_size=36))


def expected(model: VJEPA2Model, frames: Tensor) -> Tensor:
    """Centre crop and colours written out, then transformers' encoder."""
    pixels = frames[:, :, 2:34, 2:34].permute(0, 1, 4, 2, 3) / 255
    pixels = (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    with torch.no_grad():
        hidden: Tensor = model(pixels, skip_predictor=True).last_hidden_state
    return hidden


def test_tokens_equal_those_of_transformers(checkpoint: tuple[Path, VJEPA2Model], encoder: XEncoder) -> None:
    frames = torch.randint(0, 256, (2, 8, 36, 36, 3), dtype=torch.uint8)
    tokens = encoder(frames)
    assert (encoder.tubelet, encoder.tokens_per_frame, encoder.token_dim) == (2, 4, 48)
    assert tokens.shape == (2, 4, 4, 48)
    torch.testing.assert_close(tokens.flatten(1, 2), expected(checkpoint[1], frames), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("num_frames", [1, 3])
def test_an_image_and_an_odd_number_of_frames_fill_the_tubelet(
    checkpoint: tuple[Path, VJEPA2Model], encoder: XEncoder, num_frames: int
) -> None:
    frames = torch.randint(0, 256, (1, num_frames, 36, 36, 3), dtype=torch.uint8)
    filled = torch.cat((frames, frames[:, -1:]), dim=1)
    tokens = encoder(frames)
    assert tokens.shape[1] == (num_frames + 1) // 2
    torch.testing.assert_close(tokens.flatten(1, 2), expected(checkpoint[1], filled), atol=1e-5, rtol=1e-4)


def test_weights_are_frozen_in_the_dtype_asked_for_and_its_predictor_is_left_out(
    checkpoint: tuple[Path, VJEPA2Model], encoder: XEncoder
) -> None:
    low = load_x_encoder(XEncoderConfig(name=str(checkpoint[0]), frame_size=36, dtype="bfloat16"))
    assert {parameter.dtype for parameter in low.parameters()} == {torch.bfloat16}
    assert not any(parameter.requires_grad for parameter in low.parameters())
    assert low.fingerprint != encoder.fingerprint
    frames = torch.randint(0, 256, (1, 4, 36, 36, 3), dtype=torch.uint8)
    assert low(frames).dtype == torch.float32
    torch.testing.assert_close(low(frames), encoder(frames), atol=0.1, rtol=0.1)
    theirs = sum(parameter.numel() for parameter in checkpoint[1].encoder.parameters())
    assert sum(parameter.numel() for parameter in encoder.parameters()) == theirs


def test_frames_smaller_than_it_reads_are_refused(checkpoint: tuple[Path, VJEPA2Model]) -> None:
    with pytest.raises(UserError, match=r"frame_size: .* reads 32 pixels a side, found 16"):
        load_x_encoder(XEncoderConfig(name=str(checkpoint[0]), frame_size=16))
