"""The paper's ablations: ``ablate``."""

import contextlib
import sys
from pathlib import Path

import tyro

from vljepa.ablate.setting import Ablation
from vljepa.cli.common import AsJson, show

_DEFAULT = Ablation()


def ablate(setting: tyro.conf.OmitArgPrefixes[Ablation] = _DEFAULT, as_json: AsJson = False) -> None:
    """Change one thing at a time, train and measure: table 7, and what the paper leaves to future work.

    Writes points.json and table.md to --out. The same command again continues one that was stopped.

    Example: vljepa ablate --rows y-rate-0 y-rate-1 causal --out runs/ablate
    """
    import dataclasses
    import json

    from vljepa.ablate.outcome import table
    from vljepa.ablate.points import Point, measure_all
    from vljepa.provenance import provenance

    def tell(what: str, done: int, total: int) -> None:
        print(f"{done} of {total}: {what}", file=sys.stderr)

    out = Path(setting.out)
    out.mkdir(parents=True, exist_ok=True)
    # What training prints is no part of the outcome.
    with contextlib.redirect_stdout(sys.stderr):
        found = list(measure_all(setting, tell))
    about = provenance()
    outcome = {
        "about": about,
        "ablation": dataclasses.asdict(setting),
        "points": [dataclasses.asdict(one) for one in found if isinstance(one, Point)],
        "diverged": [dataclasses.asdict(one) for one in found if not isinstance(one, Point)],
    }
    written = table(setting, found, about)
    (out / "points.json").write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")
    (out / "table.md").write_text(written, encoding="utf-8")
    show(outcome, [written], as_json)
