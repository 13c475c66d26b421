"""The FLOPs that the benchmark of the training step counts, against their closed form, on the paper's parts in tiny."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from vljepa.model.vljepa import VLJEPA

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def _weights(module: nn.Module) -> int:
    """Numbers in the matrices that every token passes."""
    return sum(m.weight.numel() for m in module.modules() if isinstance(m, nn.Linear | nn.Conv3d))


def test_counts_the_flops_of_the_closed_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(sys, "argv", ["step.py", "--shapes", "tiny", "--batch", "4"])
    import step

    bench = step._bench(step._arguments(), torch.device("cpu"), tmp_path)
    found = step._flops(bench)

    model = VLJEPA(bench.config)
    batch, visual = 4, 2 * model.x_encoder.tokens_per_frame
    see = batch * visual * (2 * _weights(model.x_encoder.backbone) + 2 * 4 * visual * 48)
    assert found.see == pytest.approx(see, rel=1e-6)

    predictor, y_encoder = model.predictor, model.y_encoder
    shape = bench.config.predictor.transformer
    # The similarities of all pairs; what is frozen gives no gradient to its input: two thirds.
    learn = 6 * batch**2 * 48 + 4 * batch * visual * predictor.visual_proj.weight.numel()
    for queries, targets in bench.texts:
        lengths = [visual + len(predictor._tokenize(query)) for query in queries]
        mixed = sum(length**2 for length in lengths) * 4 * shape.dim * shape.num_layers
        layers = sum(lengths) * 2 * _weights(predictor.transformer)
        asked = (sum(lengths) - batch * visual) * 4 * predictor.query_proj.weight.numel()
        learn += (3 * (layers + mixed) + asked + 6 * batch * predictor.head.weight.numel()) / step.NUM_BATCHES

        texts = list(dict.fromkeys(targets))
        longest = max(len(ids) for ids in y_encoder._tokenizer(texts)["input_ids"])
        tokens = len(texts) * longest * (2 * _weights(y_encoder.backbone["transformer"]) + 2 * 4 * longest * 32)
        pooled = len(texts) * 2 * (_weights(y_encoder.backbone["dense"]) + y_encoder.head.weight.numel())
        learn += 3 * (tokens + pooled) / step.NUM_BATCHES
    assert found.learn == pytest.approx(learn, rel=0.01)
