"""Exact numbers of parameters, without weights: of the paper's parts, and of models that can be built here."""

from collections.abc import Callable

import pytest

from vljepa.config import RunConfig
from vljepa.model.counts import count_parameters
from vljepa.model.vljepa import VLJEPA
from vljepa.recipes import nano, nano_dual_encoder, open_model, paper_control_model, paper_model


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
    counts = count_parameters(config)
    parts = {"x_encoder": model.x_encoder, "y_encoder": model.y_encoder, "predictor": model.predictor}
    for name, module in parts.items():
        counted = sum(n for part, n in counts.items() if part.startswith(name) and part != "predictor.tokens")
        assert counted == sum(parameter.numel() for parameter in module.parameters())
