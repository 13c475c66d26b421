"""Facts of checkpoints."""

import hashlib
from pathlib import Path

import pytest

from vljepa.api import checkpoint_folder, load
from vljepa.evaluation.report.models import model_facts, rounded, samples_seen


def about(name: str) -> str:
    weights = (checkpoint_folder(name) / "model.safetensors").read_bytes()
    return f"checkpoint {name}, sha256 {hashlib.sha256(weights).hexdigest()}"


def test_the_shipped_model_is_known() -> None:
    facts = model_facts(about("nano"))
    network = load("nano").network
    parts = (network.x_encoder, network.predictor, network.y_encoder)
    held = sum(p.numel() for part in parts for p in part.parameters())
    # 120 x 256 + 150 x 128 + 1500 x 64 + 3000 x 128 + 800 x 128, two runs' cards; the Y-Decoder's stage is no training
    # of the model.
    assert facts["samples"] == "632k" and facts["encoder"] == "efficientnet-lite0"
    # What is counted beside is the token table that reads queries, which is no parameter.
    assert float(facts["parameters"].rstrip("M")) >= held / 1e6 - 0.5
    assert facts["text_parameters"] == "23M"


def test_what_is_no_checkpoint_or_another_by_now_has_no_facts() -> None:
    assert model_facts("the first target of the nearest") == {}
    assert model_facts(f"checkpoint nano, sha256 {'0' * 64}") == {}
    assert model_facts(f"checkpoint absent/model, sha256 {'0' * 64}") == {}


def test_stages_of_ancestors_count(tmp_path: Path) -> None:
    head = "| stage | trains | steps | batch | samples seen |\n|---|---|---|---|---|\n"
    card = tmp_path / "README.md"
    card.write_text(f"## Stages\n\n{head}| sft | predictor | 2 | 5 | 10 |\n| d | y_decoder | 2 | 5 | 10 |\n\n"
                    f"## The checkpoint it starts from\n\n{head}| image | predictor | 3 | 100 | 300 |\n")  # fmt: skip
    assert samples_seen(card) == 310
    card.write_text(f"{head}| sft | predictor | 2 | 5 | 10 |\n\nIt has no model card.\n")
    assert samples_seen(card) is None
    assert samples_seen(tmp_path / "absent.md") is None


@pytest.mark.parametrize(
    ("count", "printed"),
    [
        (1_600_000_000, "1.6B"), (12_800_000_000, "12.8B"), (389_000_000, "389M"), (40_000_000_000, "40B"),
        (999_950_000, "1B"), (9_100_000, "9.1M"), (529_920, "530k"), (310, "310"),
    ],
)  # fmt: skip
def test_counts_are_printed_as_in_the_paper(count: int, printed: str) -> None:
    assert rounded(count) == printed
