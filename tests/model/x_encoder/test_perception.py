"""Perception Encoder against the network written out in functions, on a tiny random checkpoint under official names."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vljepa.config import XEncoderConfig
from vljepa.errors import UserError
from vljepa.model.x_encoder import load_x_encoder, perception
from vljepa.model.x_encoder.perception import PerceptionConfig

DIM, HEADS, GRID, LAYERS = 48, 2, 3, 2


def state(class_token: bool) -> dict[str, Tensor]:
    """Both towers, as the official file holds them; of the text tower one tensor stands for all."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) / math.sqrt(shape[-1])

    tensors = {
        "visual.conv1.weight": normal(DIM, 3, 8, 8),
        "visual.positional_embedding": normal(class_token + GRID**2, DIM),
        "visual.proj": normal(DIM, 16),
        "visual.attn_pool.probe": normal(1, 1, DIM),
        "token_embedding.weight": normal(10, 4),
        "logit_scale": torch.ones(()),
    }
    if class_token:
        tensors["visual.class_embedding"] = normal(DIM)
    norms = ["ln_pre", "ln_post"]
    for i in range(LAYERS):
        block = f"transformer.resblocks.{i}"
        norms += [f"{block}.ln_1", f"{block}.ln_2"]
        for name, shape in {"attn.in_proj_": (3 * DIM, DIM), "attn.out_proj.": (DIM, DIM)}.items():
            tensors[f"visual.{block}.{name}weight"] = 2 * normal(*shape)
            tensors[f"visual.{block}.{name}bias"] = normal(shape[0])
        for name, shape in {"c_fc": (96, DIM), "c_proj": (DIM, 96)}.items():
            tensors[f"visual.{block}.mlp.{name}.weight"] = normal(*shape)
            tensors[f"visual.{block}.mlp.{name}.bias"] = normal(shape[0])
    for norm in norms:
        tensors |= {f"visual.{norm}.weight": 1 + normal(DIM), f"visual.{norm}.bias": normal(DIM)}
    return tensors


def reference(images: Tensor, weights: dict[str, Tensor], class_token: bool) -> Tensor:
    """The tower one image, one head and one token at a time where that is clearer."""

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, (DIM,), weights[f"visual.{name}.weight"], weights[f"visual.{name}.bias"])

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[f"visual.{name}weight"], weights[f"visual.{name}bias"])

    places = [(row + class_token, column + class_token) for row in range(GRID) for column in range(GRID)]
    places = [(0, 0)] * class_token + places
    head_dim = DIM // HEADS

    def rotate(x: Tensor, place: tuple[int, int]) -> Tensor:
        """One head of one token: columns turn the pairs of its first half, rows those of its second."""
        turned = x.clone()
        for pair in range(head_dim // 2):
            axis, order = (1, pair) if pair < head_dim // 4 else (0, pair - head_dim // 4)
            angle = place[axis] * 10_000 ** (-2 * order / (head_dim // 2))
            a, b = x[2 * pair], x[2 * pair + 1]
            turned[2 * pair] = a * math.cos(angle) - b * math.sin(angle)
            turned[2 * pair + 1] = b * math.cos(angle) + a * math.sin(angle)
        return turned

    outputs = []
    for image in images:
        x = F.conv2d(image[None], weights["visual.conv1.weight"], stride=8)[0].flatten(1).T
        if class_token:
            x = torch.cat((weights["visual.class_embedding"][None], x))
        x = norm(x + weights["visual.positional_embedding"], "ln_pre")
        for i in range(LAYERS):
            block = f"transformer.resblocks.{i}"
            q, k, v = linear(norm(x, f"{block}.ln_1"), f"{block}.attn.in_proj_").chunk(3, dim=-1)
            heads = []
            for h in range(HEADS):
                part = slice(h * head_dim, (h + 1) * head_dim)
                turned_q = torch.stack([rotate(t, place) for t, place in zip(q[:, part], places, strict=True)])
                turned_k = torch.stack([rotate(t, place) for t, place in zip(k[:, part], places, strict=True)])
                heads.append((turned_q @ turned_k.T / math.sqrt(head_dim)).softmax(-1) @ v[:, part])
            x = x + linear(torch.cat(heads, dim=-1), f"{block}.attn.out_proj.")
            inner = F.gelu(linear(norm(x, f"{block}.ln_2"), f"{block}.mlp.c_fc."))
            x = x + linear(inner, f"{block}.mlp.c_proj.")
        outputs.append(norm(x, "ln_post")[int(class_token) :])
    return torch.stack(outputs)


@pytest.mark.parametrize("class_token", [True, False])
def test_tokens_equal_the_network_written_out(
    class_token: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = PerceptionConfig(
        image_size=24, patch_size=8, dim=DIM, num_layers=LAYERS, num_heads=HEADS, ffn_dim=96, class_token=class_token
    )
    monkeypatch.setitem(perception.ARCHITECTURES, "PE-Tiny", sizes)
    weights = state(class_token)
    torch.save(weights, tmp_path / "PE-Tiny.pt")
    encoder = load_x_encoder(XEncoderConfig(name=str(tmp_path), frame_size=24))
    frames = torch.randint(0, 256, (2, 2, 24, 24, 3), dtype=torch.uint8)
    tokens = encoder(frames)
    assert tokens.shape == (2, 2, encoder.tokens_per_frame, encoder.token_dim) == (2, 2, 9, DIM)
    expected = reference(frames.flatten(0, 1).permute(0, 3, 1, 2) / 127.5 - 1, weights, class_token)
    torch.testing.assert_close(tokens.flatten(0, 1), expected, atol=1e-4, rtol=1e-4)
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_incomplete_and_unknown_ones_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = PerceptionConfig(image_size=24, patch_size=8, dim=DIM, num_layers=LAYERS, num_heads=HEADS, ffn_dim=96)
    monkeypatch.setitem(perception.ARCHITECTURES, "PE-Tiny", sizes)
    weights = state(class_token=True)
    del weights["visual.transformer.resblocks.1.mlp.c_fc.bias"]
    torch.save(weights, tmp_path / "PE-Tiny.pt")
    with pytest.raises(UserError, match=r"'visual\.transformer\.resblocks\.1\.mlp\.c_fc\.bias'.* incomplete"):
        load_x_encoder(XEncoderConfig(name=str(tmp_path), frame_size=24))
    with pytest.raises(UserError, match="PE-Core-Z99 is no known Perception Encoder; read are PE-Core-B16-224"):
        load_x_encoder(XEncoderConfig(name="facebook/PE-Core-Z99"))
