"""The three files of a report: complete, self-contained, honest about what is synthetic."""

import json
import re
from pathlib import Path

import numpy as np

from vljepa.evaluation.report import write_report
from vljepa.evaluation.result import CurvePoint, Outcome, Result


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


def test_report_is_complete_and_self_contained(tmp_path: Path) -> None:
    curve = [CurvePoint(method=m, rate_hz=r, cider=r) for m in ("ward pooled", "uniform pooled") for r in (1.0, 0.1)]
    results = [
        result("action", "nano"),
        result("stream", "nano", task="stream", value=2.5, curve=curve, outcomes=[]),
        result("action", "chance | coin", synthetic=False),
    ]
    shown: list[str] = []

    def read_frame(path: str) -> np.ndarray:
        shown.append(path)
        return np.zeros((8, 8, 3), np.uint8)

    write_report(results, tmp_path / "out", read_frame)
    kept = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [(r["benchmark"], r["system"]) for r in kept][:2] == [("action", "nano"), ("action", "chance | coin")]
    markdown = (tmp_path / "out" / "report.md").read_text()
    assert "| action (synthetic) | nano | top-1 | 0.500 |" in markdown and "chance \\| coin" in markdown
    page = (tmp_path / "out" / "report.html").read_text()
    # Two plots and six frames of each of the two results with outcomes, all inside the page.
    assert page.count("data:image/png") == 2 and page.count("data:image/jpeg") == 12 == len(shown)
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "&lt;left&gt;" in page and "<left>" not in page and "synthetic" in page


def test_report_shows_failures_beside_successes(tmp_path: Path) -> None:
    write_report([result("action", "nano")], tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count('class="right"') == 3 and page.count('class="wrong"') == 3
