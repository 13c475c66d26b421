"""Claims are judged by the direction and by the intervals, of figures made by hand."""

from pathlib import Path

import pytest

from vljepa.ablate.points import Point as Ablated
from vljepa.ablate.setting import Ablation
from vljepa.compare.points import Point
from vljepa.compare.setting import Comparison
from vljepa.compare.study import Study
from vljepa.evaluation.result import Evaluation, Result
from vljepa.reproduce.claims import CLAIMS, Claim
from vljepa.reproduce.run import MODEL, UNTOUCHED, Outcome
from vljepa.reproduce.setting import full


def claim(beginning: str) -> Claim:
    (found,) = [claim for claim in CLAIMS if claim.says.startswith(beginning)]
    return found


def points(kind: str, *ciders: tuple[float, float]) -> list[Point]:
    """Of two seeds each, after 8, 16, ... samples."""
    return [
        Point(kind=kind, seed=seed, samples=8 * (i + 1), cider=float(pair[seed]), top5=0.1, figures={})  # type: ignore[arg-type]
        for i, pair in enumerate(ciders)
        for seed in (0, 1)
    ]


def result(benchmark: str, system: str, value: float, half: float, **figures: float) -> Result:
    return Result(
        system=system,
        benchmark=benchmark,
        task="stream",
        metric="x",
        value=value,
        interval=(value - half, value + half),
        chance=None,
        count=2,
        left_out=[],
        synthetic=True,
        figures=figures,
    )


def outcome(
    *,
    trained: list[Point] | None = None,
    by_wordings: dict[int, list[Point]] | None = None,
    results: list[Result] | None = None,
    ablated: list[Ablated] | None = None,
) -> Outcome:
    setting = full("nano", "data", "out")
    return Outcome(
        setting=setting,
        evaluation=Evaluation(systems={MODEL: "", UNTOUCHED: ""}, results=results or []),
        study=Study(
            comparison=Comparison(seeds=(0, 1)), trials=[], points=trained or [], by_wordings=by_wordings or {}
        ),
        ablation=list(ablated or []),
    )


def verdict(beginning: str, found: Outcome) -> str:
    finding = claim(beginning).find(found)
    return "not measured" if finding is None else finding.verdict


def test_ahead_at_the_end_with_intervals_apart_or_not() -> None:
    ours = points("vl_jepa", (1.0, 1.0), (4.0, 4.0001))
    assert verdict("Trained alike", outcome(trained=ours + points("token_vlm", (2, 2), (1.0, 1.0001)))) == "yes"
    assert verdict("Trained alike", outcome(trained=ours + points("token_vlm", (2, 2), (5.0, 5.0001)))) == "no"
    # Two seeds far apart leave the mean open by 12.7 standard errors.
    apart = outcome(trained=ours + points("token_vlm", (2, 2), (0.0, 3.0)))
    assert verdict("Trained alike", apart) == "in direction; chance is not ruled out"
    assert verdict("Trained alike", outcome(trained=ours)) == "not measured"


def test_a_lead_that_grows() -> None:
    found = outcome(trained=points("vl_jepa", (1, 1), (4, 4)) + points("token_vlm", (2, 2), (3, 3)))
    finding = claim("The lead in captions").find(found)
    assert finding is not None and finding.agrees and finding.ours == "lead of -1.00, then +1.00"


def test_more_wordings_are_compared_at_the_end() -> None:
    few = points("vl_jepa", (1, 1), (2, 2)) + points("token_vlm", (1, 1), (2, 2))
    many = points("vl_jepa", (1, 1), (3, 3)) + points("token_vlm", (1, 1), (2, 2))
    finding = claim("The more wordings").find(outcome(by_wordings={16: many, 1: few}))
    assert finding is not None and finding.agrees and finding.ours == "lead of +0.00 with 1, +1.00 with 16"
    assert verdict("The more wordings", outcome(by_wordings={1: few})) == "not measured"


@pytest.mark.parametrize(
    ("value", "half", "said"),
    [(2.0, 0.5, "yes"), (0.5, 0.2, "no"), (1.2, 0.5, "in direction; chance is not ruled out")],
)
def test_savings_are_held_against_one(value: float, half: float, said: str) -> None:
    at_1_hz = {"CIDEr-D at 1 Hz, uniform exact": 1.0, "CIDEr-D at 1 Hz, uniform pooled": 0.9}
    found = outcome(results=[result("tabletop-stream", MODEL, value, half, **at_1_hz)])
    assert verdict("Decoding where", found) == said
    assert verdict("Average pooling", found) == "not in direction; chance is not ruled out"


def test_triplets_are_held_against_the_untouched_encoder() -> None:
    both = [result("tabletop-triplet", MODEL, 0.9, 0.01), result("tabletop-triplet", UNTOUCHED, 0.5, 0.01)]
    assert verdict("Training makes", outcome(results=both)) == "yes"
    assert verdict("Training makes", outcome(results=both[:1])) == "not measured"


def test_rows_of_table_7_have_the_papers_sign_or_not() -> None:
    def ablated(row: str, *values: float) -> list[Ablated]:
        return [
            Ablated(row=row, seed=seed, classification=value, retrieval=value, vqa=value, figures={})
            for seed, value in enumerate(values)
        ]

    found = outcome(ablated=ablated("default", 0.1, 0.2, 0.3) + ablated("stage-1", 0.2, 0.3, 0.4001))
    assert verdict("Stage 1 helps classification", found) == "yes"
    assert claim("Stage 1 helps classification").paper == "+21.7 points"
    found = outcome(ablated=ablated("frozen-info-nce", 0.1, 0.2, 0.3) + ablated("frozen-cosine", 0.2, 0.3, 0.4001))
    assert verdict("Cosine classifies worse", found) == "no"
    assert verdict("Causal", found) == "not measured"


def test_what_no_chance_touches_is_counted() -> None:
    assert verdict("VL-JEPA trains half", outcome()) == "yes"
    assert verdict("Without text", outcome()) == "yes"


def test_the_full_setting_has_three_seeds_and_tuned_rates(tmp_path: Path) -> None:
    setting = full("nano", "data", str(tmp_path))
    assert len(setting.comparison.seeds) == len(setting.ablation.seeds) == 3 and setting.comparison.rates
    assert setting.comparison.features == setting.ablation.features, "frozen features are computed once"
    assert isinstance(setting.ablation, Ablation)
