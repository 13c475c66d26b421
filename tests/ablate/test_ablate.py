"""The ablation in miniature, through its command: stopped, continued, with a row that diverges."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pictures import COLOURS, killed_at, write_pictures

from vljepa.ablate.rows import ROWS, Row
from vljepa.ablate.setting import Ablation
from vljepa.cli import main
from vljepa.config import RunConfig


def hopeless(run: RunConfig) -> RunConfig:
    """A rate at which the first step breaks the model, and the guard ends the run at the second."""
    (stage,) = run.stages
    return replace(run, stages=(replace(stage, optim=replace(stage.optim, lr=1e30, max_skipped=1)),))


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two rows that can be trained and one that cannot, over eight coloured pictures."""
    rows = (*ROWS, Row(group="+", name="hopeless", about="a hopeless rate", change=hopeless))
    monkeypatch.setattr("vljepa.ablate.setting.ROWS", rows)
    data = tmp_path / "data"
    write_pictures(data, Ablation(recipe="tiny").run(ROWS[0], 0))
    for task, extra in (("classification", {"classes": list(COLOURS)}), ("retrieval", {}), ("choice", {})):
        folder = data / "test" / task
        folder.mkdir(parents=True)
        (folder / "benchmark.json").write_text(json.dumps({"name": task, "task": task, **extra}))
        items = [
            {"id": c, "media": f"../../{c}.png", "label": c, "texts": [f"a {c} picture"]}
            | {"question": "what colour is it?", "answer": c, "choices": list(COLOURS[:4])}
            for c in COLOURS[:3]
        ]
        (folder / "items.jsonl").write_text("\n".join(map(json.dumps, items)) + "\n")
    return [
        *("ablate", "--recipe", "tiny", "--data", str(data), "--out", str(tmp_path / "out"), "--seeds", "0"),
        *("--num-steps", "4", "--global-batch-size", "4", "--rows", "y-rate-0.05", "frozen-sigreg", "hopeless"),
    ]


@pytest.mark.timeout(240)
def test_an_ablation_goes_on_where_it_stopped_and_says_what_diverged(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(4):
        main(options)
    assert main([*options, "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    default, same, frozen, sigreg = outcome["points"]
    assert [default["row"], frozen["row"], sigreg["row"]] == ["default", "frozen-info-nce", "frozen-sigreg"]
    assert same == default | {"row": "y-rate-0.05"}
    assert set(default["figures"]) == {"classification", "retrieval", "choice"}
    assert default["vqa"] == default["figures"]["choice"]
    (lost,) = outcome["diverged"]
    assert (lost["row"], lost["seed"]) == ("hopeless", 0) and "lower the learning rate" in lost["reason"]
    out = tmp_path / "out"
    runs = {path.parent.name for path in out.glob("*/config.json")}
    assert runs == {"default-0", "frozen-info-nce-0", "frozen-sigreg-0", "hopeless-0"}
    assert json.loads((out / "points.json").read_text()) == outcome
    assert "`hopeless` diverged with seed 0" in (out / "table.md").read_text()

    def again(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("vljepa.training.kept.train", again)
    assert main([*options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == outcome
    assert main([*options, "--num-steps", "6"]) == 2
    assert "another 'stages'" in capsys.readouterr().err


def test_data_without_questions_are_refused_in_one_line(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data" / "test" / "choice" / "benchmark.json").unlink()
    assert main([*options, "--rows", "default"]) == 2
    assert f"{tmp_path / 'data' / 'test'}: holds no benchmark of the task choice" in capsys.readouterr().err
