"""Exact numbers of parameters, without weights: of the paper's parts, and of models that can be built here."""

from collections.abc import Callable

import pytest

from vljepa.config import RunConfig
from vljepa.model.counts import count_parameters, trained_parameters
from vljepa.model.network import Network
from vljepa.model.token_vlm import TokenVLM
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.recipes import (
    nano,
    nano_dual_encoder,
    nano_token_vlm,
    open_model,
    paper_control_model,
    paper_control_vlm_model,
    paper_model,
)


def test_the_papers_parts() -> None:
    counts = count_parameters(paper_model())
    assert counts == {
        # The paper: 304 M.
        "x_encoder": 303_885_312,
        # 8 * (2 * 2048 * 2048 + 2 * 2048 * 512 + 3 * 2048 * 8192 + 2 * 2048); with what follows, the paper's 490 M.
        "predictor.layers": 486_572_032,
        # Llama's 128,256 tokens.
        "predictor.tokens": 262_668_288,
        # Visual norm and projection (1024 -> 2048), the query's, norms, positions (16 steps, 256 places), head.
        "predictor.rest": 2 * 1024
        + (1024 * 2048 + 2048)
        + (2048 * 2048 + 2048)
        + 3 * 2048
        + (16 + 256) * 2048
        + (2048 * 1536 + 1536),
        # The paper: 300 M. EmbeddingGemma's 302.9 M and its two linear layers.
        "y_encoder": 302_863_104 + 2 * 768 * 3072,
        "y_encoder.head": 768 * 1536 + 1536,
    }
    # The paper says 1.6 B in all and not what it counts.
    assert sum(counts.values()) == 1_371_896_576


def test_its_variants_differ_where_they_should() -> None:
    paper, control, free = (count_parameters(config()) for config in (paper_model, paper_control_model, open_model))
    assert {part for part in paper if paper[part] != control[part]} == {"x_encoder", "predictor.rest"}
    assert control["x_encoder"] == 303_507_456
    assert free["x_encoder"] == paper["x_encoder"]
    assert free["y_encoder"] == 595_776_512
    assert free["predictor.layers"] == 8 * (4 * 2048 * 2048 + 3 * 2048 * 8192 + 2 * 2048)


@pytest.mark.parametrize("recipe", [nano, nano_dual_encoder])
def test_they_are_those_of_the_model_itself(recipe: Callable[[], RunConfig]) -> None:
    config = recipe().model
    model = VLJEPA(config)
    assert sum(trained_parameters(config).values()) == learning(model)
    counts = count_parameters(config)
    parts = {"x_encoder": model.x_encoder, "y_encoder": model.y_encoder, "predictor": model.predictor}
    for name, module in parts.items():
        counted = sum(n for part, n in counts.items() if part.startswith(name) and part != "predictor.tokens")
        assert counted == sum(parameter.numel() for parameter in module.parameters())


def test_the_token_space_vlm_of_nano_is_the_one_that_is_built() -> None:
    config = nano_token_vlm().model
    # As many different tokens as the vocabulary has places for.
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    texts = [f"{first}{second}" for first in letters for second in letters]
    tokenizer = train_tokenizer(texts, config.y_decoder.vocab_size)
    assert tokenizer.get_vocab_size() == config.y_decoder.vocab_size
    model = TokenVLM(config, tokenizer)
    counts = count_parameters(config)
    assert trained_parameters(config) == {"language_model": learning(model)}
    assert counts["language_model.tokens"] == model.language_model.tokens.weight.numel() == 1024 * 256
    assert counts["language_model.queries"] == model.language_model.token_table.numel()


def test_the_token_space_vlm_trains_twice_what_the_predictor_does() -> None:
    """As the paper counts: 0.5 B against 1 B, the Y-Encoder on neither side."""
    predictor, llama = trained_parameters(paper_control_model()), trained_parameters(paper_control_vlm_model())
    layers, tokens = 2 * 486_572_032, 128_256 * 2048
    assert layers + tokens < llama["language_model"] < layers + tokens + 3e6
    assert llama["language_model"] / predictor["predictor"] == pytest.approx(2.5, abs=0.05)
    assert llama["language_model"] / sum(predictor.values()) == pytest.approx(1.55, abs=0.05)
    small, twice = trained_parameters(nano().model), trained_parameters(nano_token_vlm().model)
    assert twice["language_model"] / small["predictor"] == pytest.approx(1.8, abs=0.05)


def learning(model: Network) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
