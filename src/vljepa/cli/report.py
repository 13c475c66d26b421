"""The paper's tables beside what was measured: ``report``."""

from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from vljepa.cli.common import AsJson, show
from vljepa.errors import UserError


def report(
    runs: Annotated[
        Positional[tuple[Path, ...]],
        tyro.conf.arg(metavar="RUN...", help="Folders that `vljepa eval` wrote, --out of each."),
    ],
    out: Annotated[Path, tyro.conf.arg(help="Folder of the report.")] = Path("out/report"),
    as_json: AsJson = False,
) -> None:
    """Set what was measured beside the paper's tables 1 to 6 and figure 4, with a page for each benchmark.

    Writes index.html, index.md, and every table as CSV and LaTeX (tables.tex compiles as it is).

    Example: vljepa report out/eval out/eval-retrieval --out out/report
    """
    from vljepa.evaluation.report.frames import read_strip
    from vljepa.evaluation.report.paper import write_paper
    from vljepa.evaluation.report.runs import merge, read_run
    from vljepa.evaluation.report.text import name_of
    from vljepa.progress import counting

    if not runs:
        raise UserError("report: no run given; name at least one folder that `vljepa eval` wrote")
    found = merge([(run, read_run(run)) for run in runs])
    with counting("pages") as tell:
        tables = write_paper(found, out, read_strip, tell)
    filled = [
        {
            "table": name_of(one.table),
            "model": row.model,
            "filled": one.num_filled(row),
            "columns": one.num_columns,
        }
        for one in tables
        for row in one.measured
    ]
    lines = [f"{one['table']}: {one['model']}, {one['filled']} of {one['columns']} columns" for one in filled]
    show({"tables": filled, "index": str(out / "index.html")}, [*lines, str(out / "index.html")], as_json)
