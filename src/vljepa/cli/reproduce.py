"""The paper on one page: ``reproduce``."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import tyro

from vljepa.cli.common import AsJson, show


def reproduce(
    model: Annotated[str, tyro.conf.arg(help="Of tables 1 to 6 and figure 4: a shipped model, or a folder.")] = "nano",
    data: Annotated[str, tyro.conf.arg(help="Folder of Tabletop, written if absent.")] = "data/tabletop",
    out: Annotated[Path, tyro.conf.arg(help="Folder of the runs and of the page.")] = Path("runs/reproduce"),
    quick: Annotated[bool, tyro.conf.arg(help="One seed, short runs, some items: within an hour on 2 cores.")] = False,
    as_json: AsJson = False,
) -> None:
    """The paper's tables 1 to 7 and figures 3 and 4 on Tabletop: what agrees with the paper and what does not.

    Writes page.html and page.md to --out. The same command again continues one that was stopped.

    Example: vljepa reproduce --quick --out runs/reproduce-quick
    """
    from vljepa.provenance import provenance
    from vljepa.reproduce import setting
    from vljepa.reproduce.claims import CLAIMS
    from vljepa.reproduce.page import write_page
    from vljepa.reproduce.run import reproduce as run

    said: set[tuple[str, str]] = set()

    def tell(stage: str, what: str, done: int, total: int) -> None:
        # Some stages tell of every item.
        if (stage, what) not in said:
            said.add((stage, what))
            print(f"{stage}: {what or 'begun'}, {done} of {total}", file=sys.stderr)

    out.mkdir(parents=True, exist_ok=True)
    # What training prints is no part of the outcome.
    with contextlib.redirect_stdout(sys.stderr):
        outcome = run((setting.quick if quick else setting.full)(model, data, str(out)), tell)
    about = {"command": f"vljepa reproduce{' --quick' if quick else ''} --model {model}", **provenance()}
    write_page(outcome, about, out)
    found = [(claim, claim.find(outcome)) for claim in CLAIMS]
    verdicts = [
        {"where": claim.where, "says": claim.says, "paper": claim.paper, "ours": f.ours, "verdict": f.verdict}
        for claim, f in found
        if f is not None
    ]
    lines = [f"{v['where']}: {v['says']}: {v['verdict']} ({v['ours']})" for v in verdicts]
    show(
        {"about": about, "claims": verdicts, "page": str(out / "page.html")}, [*lines, str(out / "page.html")], as_json
    )
