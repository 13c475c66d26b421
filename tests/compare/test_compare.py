"""The comparison in miniature: same samples in the same order, points that are kept, curves with intervals."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from pictures import COLOURS, line
from PIL import Image

from vljepa.compare import points as module
from vljepa.compare.figure import figure
from vljepa.compare.outcome import Mean, ahead_from, curve, table
from vljepa.compare.points import Point, measure_all
from vljepa.compare.setting import KINDS, Comparison
from vljepa.errors import UserError


def test_points_are_spread_logarithmically_and_the_last_is_the_end() -> None:
    comparison = Comparison(num_steps=1600, num_points=8, first_share=1 / 32)
    assert comparison.steps[0] == 50 and comparison.steps[-1] == 1600 and len(comparison.steps) == 8
    ratios = [after / before for before, after in zip(comparison.steps, comparison.steps[1:], strict=False)]
    assert ratios == pytest.approx([32 ** (1 / 7)] * 7, rel=0.02)
    with pytest.raises(UserError, match="too few"):
        Comparison(num_steps=10)
    with pytest.raises(UserError, match="seeds"):
        Comparison(seeds=(1, 1))


def test_only_architecture_and_rate_differ() -> None:
    comparison = Comparison(vlm_lr=1e-3)
    first, *others = (comparison.run(kind, 1) for kind in KINDS)
    for other in others:
        same = replace(other, name=first.name, out=first.out, model=first.model)
        rate = other.stages[0].optim.lr
        assert replace(same, stages=first.stages) == first
        assert other.stages[0] == replace(first.stages[0], optim=replace(first.stages[0].optim, lr=rate))
        assert other.model.x_encoder == first.model.x_encoder


def point(kind: str, seed: int, samples: int, cider: float) -> Point:
    return Point(kind=kind, seed=seed, samples=samples, cider=cider, top5=cider / 10, figures={})


def test_curves_have_the_interval_of_a_mean_over_seeds() -> None:
    found = [point("vl_jepa", seed, 100, value) for seed, value in enumerate((1.0, 2.0, 3.0))]
    (mean,) = curve([*found, point("token_vlm", 0, 100, 9.0)], "vl_jepa", "cider")
    # 4.303 is Student's 97.5 % quantile at two degrees of freedom; the standard deviation is 1.
    half = 4.303 / math.sqrt(3)
    assert (mean.value, mean.low, mean.high) == pytest.approx((2.0, 2 - half, 2 + half))
    assert math.isinf(curve(found[:1], "vl_jepa", "cider")[0].high)


def test_ahead_means_apart_to_the_end() -> None:
    def means(*pairs: tuple[float, float]) -> list[Mean]:
        return [Mean(samples=10 * (i + 1), value=low, low=low, high=high) for i, (low, high) in enumerate(pairs)]

    theirs = means((0.0, 1.0), (0.0, 1.0), (0.0, 1.0))
    assert ahead_from(means((2.0, 3.0), (0.5, 3.0), (2.0, 3.0)), theirs) == 30
    assert ahead_from(means((2.0, 3.0), (2.0, 3.0), (2.0, 3.0)), theirs) == 10
    assert ahead_from(means((2.0, 3.0), (2.0, 3.0), (1.0, 3.0)), theirs) is None


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    """Over eight coloured pictures."""
    data = tmp_path / "data"
    (data / "train").mkdir(parents=True)
    for colour in COLOURS:
        Image.new("RGB", (64, 64), colour).save(data / f"{colour}.png")
    for name in ("actions", "videos", "procedures"):
        (data / "train" / f"sft_{name}.jsonl").write_text("\n".join(map(line, COLOURS)) + "\n")
    for task, extra in (("classification", {"classes": list(COLOURS), "metric": "top-5"}), ("caption", {})):
        folder = data / "test" / task
        folder.mkdir(parents=True)
        (folder / "benchmark.json").write_text(json.dumps({"name": task, "task": task, **extra}))
        items = [
            {"id": c, "media": f"../../{c}.png", "label": c, "references": [f"a {c} picture"]} for c in COLOURS[:3]
        ]
        (folder / "items.jsonl").write_text("\n".join(map(json.dumps, items)) + "\n")
    return Comparison(
        recipe="tiny",
        data=str(data),
        out=str(tmp_path / "out"),
        seeds=(0,),
        num_steps=4,
        global_batch_size=4,
        num_points=2,
        first_share=0.5,
        decoder_steps=2,
    )


@pytest.mark.timeout(180)
def test_every_model_is_measured_at_every_point_once(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(measure_all(comparison))
    assert [(p.kind, p.samples) for p in found] == [(kind, samples) for kind in KINDS for samples in (8, 16)]
    assert all(set(p.figures) == {"classification", "caption"} for p in found)

    def again(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(module, "train", again)
    assert list(measure_all(comparison)) == found
    with pytest.raises(UserError, match="another 'stages'"):
        list(measure_all(replace(comparison, lr=1e-3)))
    written = table(comparison, found)
    assert "| 8 |" in written and "token-space VLM" in written
    drawn = figure(comparison, found)
    assert drawn.count("<svg") == 6 and "330" in drawn
