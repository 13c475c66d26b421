"""The paper's controlled comparison: ``compare``."""

import contextlib
import sys
from pathlib import Path

import tyro

from vljepa.cli.common import AsJson, show
from vljepa.compare.setting import Comparison

_DEFAULT = Comparison()


def compare(
    setting: tyro.conf.OmitArgPrefixes[Comparison] = _DEFAULT, wordings: tuple[int, ...] = (), as_json: AsJson = False
) -> None:
    """Train VL-JEPA, a token-space VLM and a dual encoder alike, and measure them as they learn (figure 3).

    Writes points.json, table.md and figure3.html to --out. The same command again continues one that was stopped.

    Example: vljepa compare --rates 3e-4 7e-4 1.6e-3 --wordings 1 4 16 --out runs/compare

    Args:
        wordings: Numbers of wordings of each fact, with each of which VL-JEPA and the VLM are trained once more.
    """
    import dataclasses
    import json

    from vljepa.compare.figure import figure
    from vljepa.compare.outcome import table
    from vljepa.compare.study import study
    from vljepa.provenance import provenance

    def tell(what: str, done: int, total: int) -> None:
        print(f"{done} of {total}: {what}", file=sys.stderr)

    out = Path(setting.out)
    out.mkdir(parents=True, exist_ok=True)
    # What training prints is no part of the outcome.
    with contextlib.redirect_stdout(sys.stderr):
        found = study(setting, wordings, tell)
    about = provenance()
    outcome = {"about": about, **dataclasses.asdict(found)}
    (out / "points.json").write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")
    (out / "table.md").write_text(table(found, about), encoding="utf-8")
    (out / "figure3.html").write_text(figure(found), encoding="utf-8")
    show(outcome, [table(found, about), str(out / "figure3.html")], as_json)
