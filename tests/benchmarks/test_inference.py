"""The benchmark of inference on the paper's parts in tiny: what it counts, what it makes both write, what it tells."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from counting import operations

from vljepa.config import XEncoderConfig
from vljepa.model.token_vlm import TokenVLM
from vljepa.model.vljepa import VLJEPA
from vljepa.model.x_encoder import load_x_encoder, perception

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TOKENS = 5


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import inference

    return inference


def test_parts_are_counted_and_texts_equally_long(bench: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    ours, vlm = bench._pair("tiny", tmp_path)
    assert isinstance(ours, VLJEPA) and isinstance(vlm, TokenVLM)
    assert ours.y_decoder is not None
    bench._fix_length(ours, vlm, TOKENS)
    parts = bench._parts(ours, vlm, 2, TOKENS)

    calls = {"decoder": 0, "vlm": 0}

    def count(name: str) -> Any:
        return lambda *_: calls.update({name: calls[name] + 1})

    ours.y_decoder.transformer.register_forward_hook(count("decoder"))
    vlm.transformer.register_forward_hook(count("vlm"))
    names = (bench.QUERY, bench.SEE, bench.WRITE, bench.VLM, bench.READ)
    with torch.no_grad():
        counted = {name: operations(parts[name].run) for name in names}
    # The Y-Decoder's prefix gives its first token; the VLM reads clip and query before the start of its text.
    assert calls == {"decoder": TOKENS, "vlm": 2 + TOKENS}
    # Written out, attention computes what it then masks; texts are written token by token and mask nothing.
    transformer, visual = vlm.config.predictor.transformer, 2 * vlm.x_encoder.tokens_per_frame
    lengths = [visual + len(vlm.language_model.tokenizer.encode(query).ids) for query in bench._queries()[:2]]
    masked = sum(2 * transformer.num_layers * transformer.dim * length**2 for length in lengths)
    for name in names:
        expected = parts[name].flops + (masked if name in (bench.VLM, bench.READ) else 0)
        # EmbeddingGemma's two last layers are counted under its name on the hub alone: 3 % in tiny.
        assert counted[name] == pytest.approx(expected, rel=0.04 if name == bench.QUERY else 0.02), name


def test_rows_of_a_run(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    out = tmp_path / "out" / "inference.json"
    options = ["--sizes", "tiny", "paper", "--tokens", "2", "--repeats", "2", "--threads", "1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["inference.py", *options])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    bench.main()
    printed = capsys.readouterr().out
    assert "paper: left open; it needs a GPU" in printed
    told = json.loads(out.read_text())
    assert told["about"]["repeats"] == 2 and told["about"]["commit"]
    (table,) = told["tables"]
    rows = {row["part"]: row for row in table["rows"]}
    for name, parts in bench.SUMS.items():
        assert rows[name]["mean_ms"] == pytest.approx(sum(rows[part]["mean_ms"] for part in parts))
        assert rows[name]["paper_ms"] == sum(bench.PAPER_MS[part] for part in parts)
    assert rows[bench.VLM]["of_vlm"] == 1
    for row in rows.values():
        assert row["mean_ms"] == pytest.approx(row["of_vlm"] * rows[bench.VLM]["mean_ms"])
        assert f"| {row['part']} | {row['mean_ms']:.2f} |" in printed


def test_a_perception_encoder_of_random_weights_is_read(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import backbones

    sizes = perception.PerceptionConfig(image_size=24, patch_size=8, dim=48, num_layers=2, num_heads=2, ffn_dim=96)
    monkeypatch.setitem(perception.ARCHITECTURES, "PE-Core-B16-224", sizes)
    config = XEncoderConfig(name="facebook/PE-Core-B16-224", frame_size=24)
    backbones._write_perception(tmp_path / "vision", config)
    encoder = load_x_encoder(XEncoderConfig(name=str(tmp_path / "vision"), frame_size=24))
    tokens = encoder(torch.randint(0, 256, (1, 2, 24, 24, 3), dtype=torch.uint8))
    assert tokens.shape == (1, 2, 9, 48)
    assert tokens.isfinite().all() and tokens.std() > 0.1
