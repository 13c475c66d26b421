"""The paper's controlled comparison: ``compare``."""

import contextlib
import sys
from pathlib import Path

import tyro

from vljepa.cli.common import AsJson, show
from vljepa.compare.setting import Comparison

_DEFAULT = Comparison()


def compare(setting: tyro.conf.OmitArgPrefixes[Comparison] = _DEFAULT, as_json: AsJson = False) -> None:
    """Train VL-JEPA, a token-space VLM and a dual encoder alike, and measure them as they learn (figure 3).

    Writes points.json, table.md and figure3.html to --out. The same command again continues one that was stopped.

    Example: vljepa compare --out runs/compare
    """
    import dataclasses
    import json

    from vljepa.compare.figure import figure
    from vljepa.compare.outcome import table
    from vljepa.compare.points import measure_all

    def tell(what: str, done: int, total: int) -> None:
        print(f"{done} of {total}: {what}", file=sys.stderr)

    out = Path(setting.out)
    out.mkdir(parents=True, exist_ok=True)
    # What training prints is no part of the outcome.
    with contextlib.redirect_stdout(sys.stderr):
        points = list(measure_all(setting, tell))
    rows = [dataclasses.asdict(point) for point in points]
    (out / "points.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (out / "table.md").write_text(table(setting, points), encoding="utf-8")
    (out / "figure3.html").write_text(figure(setting, points), encoding="utf-8")
    show({"points": rows}, [table(setting, points), str(out / "figure3.html")], as_json)
