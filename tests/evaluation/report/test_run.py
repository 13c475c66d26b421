"""The three files of a report: complete, self-contained, honest about what is synthetic."""

import json
import re
from pathlib import Path

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.report import write_report, write_results
from vljepa.evaluation.result import CurvePoint, Evaluation, Omission, Outcome, Result


def result(benchmark: str, system: str, **fields: object) -> Result:
    values: dict[str, object] = {
        "task": "classification",
        "metric": "top-1",
        "value": 0.5,
        "interval": (0.4, 0.6),
        "chance": 0.1,
        "count": 4,
        "left_out": ["items.jsonl:3: media: missing"],
        "synthetic": True,
        "figures": {"top-5": 0.75},
        "outcomes": [
            Outcome(id=str(i), media=f"{i}.mp4", expected="<left>", found="right", score=float(i % 2)) for i in range(9)
        ],
    }
    return Result(system=system, benchmark=benchmark, **(values | fields))  # type: ignore[arg-type]


def evaluation(*results: Result) -> Evaluation:
    return Evaluation(systems={r.system: f"what {r.system} is" for r in results}, results=list(results))


def test_report_is_complete_and_self_contained(tmp_path: Path) -> None:
    curve = [CurvePoint(method=m, rate_hz=r, cider=r) for m in ("ward pooled", "uniform pooled") for r in (1.0, 0.1)]
    found = evaluation(
        result("action", "coin | flip", value=0.25),
        result("action", "nano"),
        result("stream", "nano", task="stream", value=2.5, curve=curve, outcomes=[]),
    )
    found.omissions.append(Omission(system="coin | flip", benchmark="stream", reason="it cannot write text"))
    shown: list[str] = []

    def read_strip(outcome: Outcome) -> np.ndarray:
        shown.append(outcome.media)
        if outcome.id == "0":
            raise UserError("0.mp4: gone")
        return np.zeros((8, 24, 3), np.uint8)

    write_report(found, tmp_path / "out", read_strip)
    kept = json.loads((tmp_path / "out" / "results.json").read_text())
    assert next((r["benchmark"], r["system"]) for r in kept["results"]) == ("action", "coin | flip")
    assert kept["omissions"][0]["reason"] == "it cannot write text"
    markdown = (tmp_path / "out" / "report.md").read_text()
    row = "| action (synthetic) | top-1 | 0.100 | 0.250 (0.400–0.600) | 0.500 (0.400–0.600) | - | 4 |"
    assert row in markdown and "| coin \\| flip | nano |" in markdown
    assert "stream, coin | flip: not measured, it cannot write text." in markdown
    page = (tmp_path / "out" / "report.html").read_text()
    # A plot of values and one curve; six clips of the one benchmark that has samples, one of them gone by now.
    assert page.count("<svg") == 2 and page.count("data:image/jpeg") == 5 and len(shown) == 6
    assert "0.mp4: gone" in page
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "&lt;left&gt;" in page and "<left>" not in page and "synthetic" in page
    assert "stream, coin | flip: not measured" in page


def test_systems_stand_side_by_side_and_the_best_is_marked(tmp_path: Path) -> None:
    write_report(evaluation(result("action", "one", value=0.2), result("action", "two", value=0.7)), tmp_path)
    page = (tmp_path / "report.html").read_text()
    cells = re.findall(r'<td class="(n(?: best)?)"><b>([0-9.]+)</b>', page)
    assert cells == [("n", "0.200"), ("n best", "0.700")]


def test_report_shows_failures_beside_successes(tmp_path: Path) -> None:
    write_report(evaluation(result("action", "nano")), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count('class="right"') == 3 and page.count('class="wrong"') == 3


def test_results_of_a_stopped_run_are_whole(tmp_path: Path) -> None:
    found = evaluation(result("action", "nano"))
    write_results(found, tmp_path)
    found.results.append(result("step", "nano"))
    write_results(found, tmp_path)
    assert len(json.loads((tmp_path / "results.json").read_text())["results"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_a_part_of_an_official_split_is_called_so(tmp_path: Path) -> None:
    found = evaluation(result("ssv2", "nano", count=4, official=24_777), result("msrvtt", "nano", count=4, official=4))
    write_report(found, tmp_path)
    markdown, page = (tmp_path / "report.md").read_text(), (tmp_path / "report.html").read_text()
    assert "| 4 of 24777 |" in markdown and "4 of 24777</td>" in page
    assert "4 of 4" not in markdown + page
