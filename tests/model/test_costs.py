"""The formulas against torch's own counter of operations, and against the bytes that autograd keeps."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from counting import Live, operations, saved_bytes
from hub import write_gemma, write_qwen
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import CLIPVisionConfig, CLIPVisionModel, VJEPA2Config, VJEPA2Model

from vljepa.config import ModelConfig, RunConfig, TransformerConfig, XEncoderConfig, YEncoderConfig
from vljepa.model.costs import Costs
from vljepa.model.llama import load_token_embedder
from vljepa.model.predictor import Predictor
from vljepa.model.token_vlm import LanguageModel
from vljepa.model.vljepa import VLJEPA
from vljepa.model.x_encoder import load_x_encoder
from vljepa.model.y_decoder import YDecoder, train_tokenizer
from vljepa.model.y_encoder import load_y_encoder
from vljepa.recipes import nano, paper_model
from vljepa.recipes.models import token_vlm
from vljepa.training.parallel import prepare

BLOCK = TransformerConfig(dim=64, num_layers=2, num_heads=4, num_kv_heads=2, ffn_dim=176)
QUERY, TARGET = "How many red cubes are there?", "a red cube is pushed to the left"


def small(**predictor: object) -> ModelConfig:
    config = nano().model
    return replace(config, predictor=replace(config.predictor, **{"transformer": BLOCK, **predictor}))


@pytest.fixture(scope="module")
def model() -> VLJEPA:
    torch.manual_seed(0)
    return VLJEPA(small())


def query_tokens(predictor: Predictor) -> int:
    return len(predictor._tokenize(QUERY))


def features(num_frames: int, model: VLJEPA) -> Tensor:
    return torch.randn(2, num_frames, model.x_encoder.tokens_per_frame, model.x_encoder.token_dim)


@pytest.mark.parametrize("grid", [4, 6])
def test_convolutions(grid: int) -> None:
    config = XEncoderConfig(grid=grid)
    encoder, costs = load_x_encoder(config), Costs.of(replace(nano().model, x_encoder=config))
    frames = torch.zeros(1, 3, 192, 192, 3, dtype=torch.uint8)
    assert operations(lambda: encoder(frames)) == costs.x_encoder(3)


@pytest.mark.parametrize(("kind", "num_frames"), [("vjepa2", 1), ("vjepa2", 5), ("clip", 3)])
def test_vision_transformers(kind: str, num_frames: int, tmp_path: Path) -> None:
    sizes = {"hidden_size": 96, "num_attention_heads": 2, "num_hidden_layers": 2}
    if kind == "vjepa2":
        predictor = {f"pred_{name}": value for name, value in sizes.items()}
        VJEPA2Model(VJEPA2Config(crop_size=64, frames_per_clip=8, **sizes, **predictor)).save_pretrained(tmp_path)
    else:
        vision = CLIPVisionConfig(image_size=64, patch_size=8, intermediate_size=192, **sizes)
        CLIPVisionModel(vision).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text('{"size": 64, "image_mean": [0.5], "image_std": [0.5]}')
    config = XEncoderConfig(name=str(tmp_path), frame_size=64)
    encoder, costs = load_x_encoder(config), Costs.of(replace(nano().model, x_encoder=config))
    frames = torch.zeros(1, num_frames, 64, 64, 3, dtype=torch.uint8)
    assert encoder(frames)[0].numel() == costs.num_features(num_frames)
    # The class token is left out.
    assert operations(lambda: encoder(frames)) == pytest.approx(costs.x_encoder(num_frames), rel=0.03)


def test_predictor(model: VLJEPA) -> None:
    costs, tokens = Costs.of(model.config), query_tokens(model.predictor)
    for num_frames in (8, 1):
        visual = features(num_frames, model)
        forward = 2 * costs.predictor(num_frames, tokens)
        assert operations(lambda v=visual: model.predictor(v, [QUERY] * 2)) == forward
        both = operations(lambda v=visual: model.predictor(v, [QUERY] * 2).sum().backward())
        assert both == 3 * forward - 2 * costs.query(tokens)


def test_plain_predictor_and_dual_encoder(model: VLJEPA) -> None:
    plain = small(inputs="plain", tubelet=1, transformer=replace(BLOCK, dim=384))
    predictor = Predictor(plain.predictor, model.x_encoder.token_dim, 16, 8, 384)
    costs, visual = Costs.of(plain), features(8, model)
    forward = 2 * costs.predictor(8, query_tokens(predictor))
    both = operations(lambda: predictor(visual, [QUERY] * 2).sum().backward())
    assert both == 3 * forward - 2 * costs.unneeded(8)
    saved = saved_bytes(lambda: predictor(visual, [QUERY] * 2), predictor.parameters())
    kept = costs.predictor_kept(8, query_tokens(predictor), 4, recompute=False)
    assert saved == pytest.approx(2 * kept, rel=0.005)

    dual = VLJEPA(replace(small(), kind="dual_encoder"))
    assert operations(lambda: dual.predictor(visual, ["", ""])) == 2 * Costs.of(dual.config).predictor(8, 0)


@pytest.mark.parametrize("inputs", ["normalized", "plain"])
def test_token_space_vlm(model: VLJEPA, inputs: Literal["normalized", "plain"]) -> None:
    jepa = small(inputs=inputs, transformer=replace(BLOCK, dim=384))
    words = load_token_embedder(jepa.predictor.tokenizer)
    tokenizer = train_tokenizer([TARGET], jepa.y_decoder.vocab_size)
    learned = replace(jepa.y_decoder, vocab_size=tokenizer.get_vocab_size())
    config = token_vlm(replace(jepa, y_decoder=learned))
    vlm = LanguageModel(
        config.predictor, model.x_encoder.token_dim, 16, 8, 48, tokenizer, embedder=replace(words, end=0)
    )
    costs, visual, query = Costs.of(config), features(8, model), query_tokens(vlm)
    target = vlm.num_tokens([TARGET])
    forward = 2 * costs.language_model(8, query, target)
    both = operations(lambda: vlm(visual, [QUERY] * 2, [TARGET] * 2)[0].sum().backward())
    assert both == 3 * forward - 2 * (costs.query(query) + costs.unneeded(8))
    saved = saved_bytes(lambda: vlm(visual, [QUERY] * 2, [TARGET] * 2)[0], vlm.parameters())
    # What the loss keeps of the logits is theirs again, in float32.
    logits = 2 * target * costs.vocabulary * 4
    kept = 2 * costs.language_model_kept(8, query, target, 4, recompute=False) - 2 * logits
    assert saved == pytest.approx(kept, rel=0.1)


@pytest.mark.parametrize(("precision", "size"), [(torch.float32, 4), (torch.bfloat16, 2)])
def test_what_the_predictor_keeps(
    model: VLJEPA, precision: torch.dtype, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The fused kernel, as on a GPU; a CPU writes attention out in bfloat16, and keeps its weights.
    def fused(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, causal: bool) -> torch.Tensor:
        return scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True)

    monkeypatch.setattr("vljepa.model.transformer._written_out", fused)
    visual, tokens = features(8, model), query_tokens(model.predictor)
    with torch.autocast("cpu", dtype=precision, enabled=size == 2):
        saved = saved_bytes(lambda: model.predictor(visual, [QUERY] * 2), model.parameters())
    kept = Costs.of(model.config).predictor_kept(8, tokens, size, recompute=False)
    assert saved == pytest.approx(2 * kept, rel=0.005)


def test_what_it_keeps_with_recomputation() -> None:
    config = small(transformer=replace(BLOCK, num_layers=6))
    model = VLJEPA(config)
    prepare(model, RunConfig(name="", model=config, stages=(), recompute=True))
    visual, tokens = features(8, model), query_tokens(model.predictor)
    with Live([*model.parameters(), visual]) as live:
        out = model.predictor(visual, [QUERY] * 2)
        alive = live.num_bytes()
    assert out.requires_grad
    costs = Costs.of(config)
    # The layer that is computed again is so only later, and the visual tokens were there before.
    layer = costs.predictor_kept(8, tokens, 4, recompute=False) - Costs.of(
        small(transformer=replace(BLOCK, num_layers=5))
    ).predictor_kept(8, tokens, 4, recompute=False)
    expected = 2 * (costs.predictor_kept(8, tokens, 4, recompute=True) - layer) - visual.nbytes
    assert alive == pytest.approx(expected, rel=0.02)
    assert alive < costs.predictor_kept(8, tokens, 4, recompute=False)


def test_minilm(model: VLJEPA) -> None:
    tokens = len(model.y_encoder._tokenizer.encode(TARGET).ids)
    costs = Costs.of(model.config)
    assert operations(lambda: model.y_encoder([TARGET]).sum().backward()) == 3 * costs.y_encoder(tokens)
    for precision, size in ((torch.float32, 4), (torch.bfloat16, 2)):
        with torch.autocast("cpu", dtype=precision, enabled=size == 2):
            saved = saved_bytes(lambda: model.y_encoder([TARGET]), model.y_encoder.parameters())
        assert saved == pytest.approx(costs.y_encoder_kept(tokens, size), rel=0.05)


@pytest.mark.parametrize("write", [write_gemma, write_qwen])
def test_sentence_encoders(write: Callable[[Path], object], tmp_path: Path) -> None:
    write(tmp_path)
    config = YEncoderConfig(name=str(tmp_path))
    encoder, text = load_y_encoder(config, 8), "a red cube rolls the ball a red"
    tokens = len(encoder._tokenizer(text)["input_ids"])
    costs = Costs.of(replace(nano().model, y_encoder=config, embed_dim=8))
    # Gemma's two linear layers after pooling, known of a model on the hub by its name alone.
    dense = 2 * (24 * 40 + 40 * 20) + 2 * 8 * (20 - 24)
    forward = costs.y_encoder(tokens) + (dense if write is write_gemma else 0)
    # Rotations are made by a product of their own, which counts at these sizes alone.
    assert operations(lambda: encoder([text]).sum().backward()) == pytest.approx(3 * forward, rel=0.01)
    saved = saved_bytes(lambda: encoder([text]), encoder.parameters())
    # Keys and values are repeated for all heads, norms of single heads apart.
    assert costs.y_encoder_kept(tokens, 4) == pytest.approx(saved, rel=0.2)


def test_y_decoder() -> None:
    config = small()
    tokenizer = train_tokenizer([TARGET], config.y_decoder.vocab_size)
    config = replace(config, y_decoder=replace(config.y_decoder, vocab_size=tokenizer.get_vocab_size()))
    decoder, costs = YDecoder(config.y_decoder, config.embed_dim, tokenizer), Costs.of(config)
    assert sum(parameter.numel() for parameter in decoder.parameters()) == costs.y_decoder_parameters
    tokens, embeddings = decoder.num_tokens([TARGET] * 2) // 2, torch.randn(2, config.embed_dim)
    # The last token is predicted and not read.
    found = operations(lambda: decoder.loss(embeddings, [TARGET] * 2).backward())
    spared = 2 * config.embed_dim * config.y_decoder.prefix_tokens * config.y_decoder.transformer.dim
    assert found == pytest.approx(2 * (3 * costs.y_decoder(tokens) - spared), rel=0.06)
    saved = saved_bytes(lambda: decoder.loss(embeddings, [TARGET] * 2), decoder.parameters())
    assert costs.y_decoder_kept(tokens, 4) == pytest.approx(saved / 2, rel=0.2)


def test_the_papers_instance_by_hand() -> None:
    costs = Costs.of(paper_model())
    # 16 steps of 256 tokens; a layer of ViT-L has 12 D^2 weights, one of Llama 60.8 M.
    tokens, weights = 4096, 2 * 2048 * (2048 + 512) + 3 * 2048 * 8192
    vision = 24 * (2 * 12 * 1024**2 * tokens + 4 * tokens**2 * 1024) + 2 * 3 * 2 * 16 * 16 * 1024 * tokens
    assert costs.x_encoder(32) == vision
    layers = 8 * (2 * weights * (tokens + 10) + 4 * (tokens + 10) ** 2 * 2048)
    ends = 2 * (tokens * 1024 * 2048 + 10 * 2048 * 2048 + 2048 * 1536)
    assert costs.predictor(32, 10) == layers + ends
    assert costs.num_features(32) == tokens * 1024
