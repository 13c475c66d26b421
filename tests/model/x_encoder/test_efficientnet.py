"""The X-Encoder against the unfolded network written out in functions, and on a real photograph."""

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from vljepa.config import XEncoderConfig
from vljepa.errors import UserError
from vljepa.model.weights import find_weights
from vljepa.model.x_encoder import load_x_encoder

BLOCKS_WITH_STRIDE_2 = (1, 3, 5, 11)


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    return torch.load(find_weights("efficientnet-lite0").files[0], weights_only=True)


def reference(frames: Tensor, weights: dict[str, Tensor]) -> list[Tensor]:
    """Outputs of the 16 blocks; convolution and batch norm apart, TensorFlow's padding written out."""

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = weights[f"{name}.weight"]
        kernel, groups = weight.shape[-1], x.shape[1] // weight.shape[1]
        total = max((-(-x.shape[-1] // stride) - 1) * stride + kernel - x.shape[-1], 0)
        before, after = total // 2, total - total // 2
        return F.conv2d(F.pad(x, (before, after, before, after)), weight, stride=stride, groups=groups)

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
        return F.batch_norm(x, mean, var, weights[f"{name}.weight"], weights[f"{name}.bias"], eps=1e-3)

    x = (frames.permute(0, 3, 1, 2).float() - 127) / 128
    x = F.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
    outputs = []
    for i in range(16):
        name, stride = f"_blocks.{i}.", 2 if i in BLOCKS_WITH_STRIDE_2 else 1
        y = F.relu6(norm(conv(x, f"{name}_expand_conv"), f"{name}_bn0")) if i else x
        y = F.relu6(norm(conv(y, f"{name}_depthwise_conv", stride), f"{name}_bn1"))
        y = norm(conv(y, f"{name}_project_conv"), f"{name}_bn2")
        x = x + y if x.shape == y.shape else y
        outputs.append(x)
    return outputs


def photograph(name: str, size: int) -> Tensor:
    spec = importlib.util.find_spec("sklearn")
    assert spec is not None and spec.origin is not None
    image = Image.open(Path(spec.origin).parent / "datasets" / "images" / name)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(image.convert("RGB")))


def test_tokens_equal_the_unfolded_network(published: dict[str, Tensor]) -> None:
    encoder = load_x_encoder(XEncoderConfig(taps=(15,), frame_size=128))
    frames = torch.stack([photograph("china.jpg", 128), photograph("flower.jpg", 128)])
    expected = reference(frames, published)[15].flatten(2).transpose(1, 2)
    torch.testing.assert_close(encoder(frames[None])[0], expected, atol=1e-3, rtol=1e-3)


def test_a_finer_tap_is_folded_so_that_a_token_holds_its_own_cell(published: dict[str, Tensor]) -> None:
    encoder = load_x_encoder(XEncoderConfig(taps=(10, 15), frame_size=128))
    frames = photograph("flower.jpg", 128)[None]
    fine = reference(frames, published)[10][0]
    assert encoder.token_dim == 112 * 4 + 320
    tokens = encoder(frames[None])[0, 0]
    assert tokens.shape == (16, 768)
    row, column = 1, 2
    cell = fine[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].flatten()
    torch.testing.assert_close(tokens[4 * row + column, : 4 * 112], cell, atol=1e-3, rtol=1e-3)


def test_the_published_classifier_names_a_photograph_on_top_of_our_trunk(published: dict[str, Tensor]) -> None:
    encoder = load_x_encoder(XEncoderConfig(taps=(15,), frame_size=224, grid=7))
    tokens = encoder(photograph("flower.jpg", 224)[None, None])[0, 0]
    x = F.linear(tokens, published["_conv_head.weight"][:, :, 0, 0])
    stats = (published["_bn1.running_mean"], published["_bn1.running_var"])
    x = F.batch_norm(x, *stats, published["_bn1.weight"], published["_bn1.bias"], eps=1e-3)
    logits = F.linear(F.relu6(x).mean(0), published["_fc.weight"], published["_fc.bias"])
    assert logits.argmax() == 985  # daisy, the only flower besides orchids among ImageNet's classes


def test_frames_are_encoded_one_by_one_and_nothing_trains() -> None:
    encoder = load_x_encoder(XEncoderConfig())
    frames = torch.randint(0, 256, (2, 3, 192, 192, 3), dtype=torch.uint8)
    tokens = encoder(frames)
    assert tokens.shape == (2, 3, encoder.tokens_per_frame, encoder.token_dim)
    assert tokens.dtype == torch.float32
    torch.testing.assert_close(tokens[1, 2], encoder(frames[1:, 2:])[0, 0], atol=1e-3, rtol=1e-3)
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_fingerprint_changes_with_the_settings_only() -> None:
    config = XEncoderConfig(taps=(15,), frame_size=128)
    first = load_x_encoder(config).fingerprint
    assert load_x_encoder(config).fingerprint == first
    assert load_x_encoder(dataclasses.replace(config, grid=2)).fingerprint != first


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (XEncoderConfig(name="resnet"), "resnet"),
        (XEncoderConfig(taps=(16,)), "taps"),
        (XEncoderConfig(taps=()), "taps"),
        (XEncoderConfig(grid=5), "does not fold onto 5 x 5"),
        (XEncoderConfig(taps=(10, 15)), "block 15"),
    ],
)
def test_bad_settings_are_named(config: XEncoderConfig, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_x_encoder(config)


def test_frames_of_another_size_are_refused() -> None:
    with pytest.raises(UserError, match="64 x 64"):
        load_x_encoder(XEncoderConfig())(torch.zeros(1, 1, 64, 64, 3, dtype=torch.uint8))
