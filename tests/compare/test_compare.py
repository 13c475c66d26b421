"""The comparison in miniature: same samples in the same order, points that are kept, curves with intervals."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from pictures import COLOURS, line
from PIL import Image

from vljepa.compare.figure import figure
from vljepa.compare.outcome import Mean, ahead_from, curve, table
from vljepa.compare.points import Point, measure_all
from vljepa.compare.setting import KINDS, Comparison
from vljepa.compare.study import Study, study, with_wordings
from vljepa.compare.tuning import Trial, tuned
from vljepa.errors import UserError


def test_points_are_spread_logarithmically_and_the_last_is_the_end() -> None:
    comparison = Comparison(num_steps=1600, num_points=8, first_share=1 / 32)
    assert comparison.steps[0] == 50 and comparison.steps[-1] == 1600 and len(comparison.steps) == 8
    ratios = [after / before for before, after in zip(comparison.steps, comparison.steps[1:], strict=False)]
    assert ratios == pytest.approx([32 ** (1 / 7)] * 7, rel=0.02)
    with pytest.raises(UserError, match="too few"):
        Comparison(num_steps=10)
    assert Comparison(num_steps=10, num_points=1).steps == (10,)
    with pytest.raises(UserError, match="seeds"):
        Comparison(seeds=(1, 1))
    with pytest.raises(UserError, match="kinds"):
        Comparison(kinds=())
    with pytest.raises(UserError, match="paraphrases"):
        Comparison(paraphrases=0)


def test_only_architecture_and_rate_differ() -> None:
    comparison = Comparison(token_vlm_lr=1e-3)
    first, *others = (comparison.run(kind, 1) for kind in KINDS)
    for other in others:
        same = replace(other, name=first.name, out=first.out, model=first.model)
        rate = other.stages[0].optim.lr
        assert replace(same, stages=first.stages) == first
        assert other.stages[0] == replace(first.stages[0], optim=replace(first.stages[0].optim, lr=rate))
        assert other.model.x_encoder == first.model.x_encoder


def point(kind: str, seed: int, samples: int, cider: float, top5: float | None = None) -> Point:
    top5 = cider / 10 if top5 is None else top5
    return Point(kind=kind, seed=seed, samples=samples, cider=cider, top5=top5, figures={})  # type: ignore[arg-type]


def test_each_decoder_goes_on_from_the_one_before_with_samples_of_its_own() -> None:
    comparison = Comparison(num_points=3)
    runs = [comparison.decoder("vl_jepa", seed, step) for seed in (0, 1) for step in comparison.steps]
    assert [run.y_decoder_from for run in runs[:3]] == [None, f"{runs[0].folder}/model", f"{runs[1].folder}/model"]
    assert len({run.seed for run in runs}) == 6
    assert [run.stages[0].num_steps for run in runs[:3]] == [240, 60, 60]


def test_every_model_takes_its_own_best_rate() -> None:
    def trial(rate: float, kind: str, cider: float, top5: float) -> Trial:
        return Trial(rate=rate, point=point(kind, 0, 10, cider, top5))

    tried = [
        trial(1e-3, "vl_jepa", 1.0, 0.4),
        trial(2e-3, "vl_jepa", 2.0, 0.1),
        trial(1e-3, "token_vlm", 0.1, 0.1),
        trial(2e-3, "token_vlm", 0.1, 0.2),
    ]
    found = tuned(Comparison(rates=(1e-3, 2e-3), dual_encoder_lr=5e-4), tried)
    assert (found.vl_jepa_lr, found.token_vlm_lr, found.dual_encoder_lr) == (1e-3, 2e-3, 5e-4)


def test_runs_with_few_wordings_differ_in_their_texts_alone() -> None:
    comparison = Comparison(num_points=8, out="out")
    few = with_wordings(comparison, 4)
    assert few.num_points == 4 and few.steps[-1] == comparison.steps[-1] and few.features == comparison.features
    run, whole = few.run("vl_jepa", 0), comparison.run("vl_jepa", 0)
    assert [source.manifest.split("/")[0] for source in run.stages[0].sources] == ["wordings-4"] * 3
    same = replace(run, out=whole.out, snapshots=whole.snapshots)
    sources = tuple(replace(source, manifest=f"train/{Path(source.manifest).name}") for source in run.stages[0].sources)
    assert replace(same, stages=(replace(run.stages[0], sources=sources),)) == whole


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


@pytest.mark.timeout(240)
def test_every_model_is_measured_at_every_point_once(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(measure_all(comparison))
    assert [(p.kind, p.samples) for p in found] == [(kind, samples) for kind in KINDS for samples in (8, 16)]
    assert all(set(p.figures) == {"classification", "caption"} for p in found)

    def again(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("vljepa.training.kept.train", again)
    assert list(measure_all(comparison)) == found
    with pytest.raises(UserError, match="another 'stages'"):
        list(measure_all(replace(comparison, vl_jepa_lr=1e-3)))


def test_the_outcome_shows_points_trials_and_wordings(comparison: Comparison) -> None:
    found = [point(kind, seed, n, n / 10) for kind in KINDS for seed in (0, 1) for n in (8, 16)]
    few = [point(kind, 0, n, n / 5) for kind in ("vl_jepa", "token_vlm") for n in (8, 16)]
    outcome = Study(
        comparison=replace(comparison, seeds=(0, 1)),
        trials=[Trial(rate=7e-4, point=point("token_vlm", 0, 8, 0.5))],
        points=found,
        by_wordings={1: few, 16: few},
    )
    written = table(outcome, {"hardware": "a pocket calculator"})
    for part in ("| 8 |", "token-space VLM", "never to the end", "a pocket calculator", "| 0.0007 |", "| 16 | 8 |"):
        assert part in written
    # Two panels and two of the paper's, two of bars, and the wordings' four.
    drawn = figure(outcome)
    assert drawn.count("<svg") == 10 and "330" in drawn


@pytest.mark.timeout(240)
def test_a_study_on_tabletop_tries_rates_on_the_validation_split_and_words_facts_anew(tmp_path: Path) -> None:
    setting = Comparison(
        recipe="tiny",
        tabletop_size="tiny",
        data=str(tmp_path / "data"),
        out=str(tmp_path / "out"),
        kinds=("token_vlm",),
        seeds=(0,),
        num_steps=2,
        trial_steps=1,
        global_batch_size=4,
        num_points=1,
        rates=(1e-3,),
        limit=1,
    )
    found = study(setting)
    assert [trial.rate for trial in found.trials] == [1e-3] and found.comparison.token_vlm_lr == 1e-3
    assert [point.samples for point in found.points] == [8]
    seen = {p.parent.parent.name for p in (tmp_path / "out").rglob("*-limit-1.json")}
    assert seen
    few = with_wordings(found.comparison, 1)
    assert len(list(measure_all(replace(few, kinds=("token_vlm",))))) == 1
    texts: dict[str, set[str]] = {}
    for row in map(json.loads, Path(few.data, few.manifests, "sft_actions.jsonl").read_text().splitlines()):
        texts.setdefault(row["media"], set()).update(row["targets"])
    assert all(len(said) == 1 for said in texts.values())
