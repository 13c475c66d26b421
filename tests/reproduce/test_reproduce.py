"""The whole page from a handful of clips, and what is on it."""

import xml.dom.minidom
from pathlib import Path

import pytest

from vljepa.ablate.setting import Ablation
from vljepa.compare.setting import Comparison
from vljepa.reproduce.page import write_page
from vljepa.reproduce.run import MODEL, UNTOUCHED, reproduce
from vljepa.reproduce.setting import Reproduction


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Reproduction:
    folder = tmp_path_factory.mktemp("reproduce")
    data, out = str(folder / "data"), str(folder / "out")
    few = {"recipe": "tiny", "tabletop_size": "tiny", "data": data, "seeds": (0,), "limit": 2, "cache": f"{out}/cache"}
    return Reproduction(
        model="nano",
        data=data,
        out=out,
        limit=2,
        comparison=Comparison(
            **few,  # type: ignore[arg-type]
            out=f"{out}/compare",
            num_steps=4,
            kinds=("vl_jepa",),
            num_points=1,
            global_batch_size=4,
            decoder_steps=2,
            more_decoder_steps=2,
        ),
        wordings=(),
        ablation=Ablation(
            **few,  # type: ignore[arg-type]
            out=f"{out}/ablate",
            num_steps=2,
            global_batch_size=4,
            rows=("default",),
        ),
    )


@pytest.mark.timeout(240)
def test_the_page_holds_every_table_and_figure(setting: Reproduction, tmp_path: Path) -> None:
    stages: list[str] = []
    outcome = reproduce(setting, lambda stage, what, done, total: stages.append(stage))
    assert {"embedding", "evaluating", "figure 3", "table 7"} <= set(stages)
    triplets = {r.system for r in outcome.evaluation.results if r.task == "triplet"}
    assert triplets == {MODEL, UNTOUCHED}
    assert {r.system for r in outcome.evaluation.results if r.task == "classification"} == {MODEL}

    write_page(outcome, {"hardware": "a pocket calculator"}, tmp_path)
    text = (tmp_path / "page.md").read_text()
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert [head.split(":")[0] for head in heads] == [
        "## What agrees",
        "## Tables 1 to 6",
        "## Figure 3",
        "## Figure 4",
        "## Table 7",
    ]
    for part in ("a pocket calculator", "Table 1 in miniature", "default", "trained parameters"):
        assert part in text
    pictures = [line.split("(")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert len(pictures) == 7, "six panels of figure 3 and the curves of figure 4"
    for name in pictures:
        xml.dom.minidom.parse(str(tmp_path / name))
    page = (tmp_path / "page.html").read_text()
    assert page.count("<svg") == 7 and "![" not in page and "<td>" in page and "| --- |" not in page
