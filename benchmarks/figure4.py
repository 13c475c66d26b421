"""Figure 4 from a run of `vljepa eval`: the curves of its stream benchmarks as CSV and SVG, to be committed.

    vljepa tabletop data/hours --size hours
    vljepa eval nano data/tabletop/test/stream data/hours/test/stream_hour --out out/figure4
    python benchmarks/figure4.py out/figure4/results.json docs/results

Writes BENCHMARK.csv (system, method, rate_hz, cider), BENCHMARK.json (the savings with their intervals) and, for every
system, BENCHMARK-SYSTEM.svg. The data and their seed stand in the data folders' tabletop.json.
"""

import csv
import json
import re
from pathlib import Path

import tyro
from tyro.conf import Positional

from vljepa.evaluation.report.blocks import figure_4
from vljepa.evaluation.report.runs import read_run
from vljepa.evaluation.svg import standalone

_KEPT = ("system", "metric", "value", "interval", "count", "synthetic", "figures")


def main(results: Positional[Path], out: Positional[Path]) -> None:
    """Write the curves of every stream benchmark in a results.json."""
    found = [result for result in read_run(results).results if result.curve]
    out.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(result.benchmark for result in found):
        some = [result for result in found if result.benchmark == name]
        with (out / f"{name}.csv").open("w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["system", "method", "rate_hz", "cider"])
            for result in some:
                for p in result.curve:
                    table.writerow([result.system, p.method, f"{p.rate_hz:.5f}", f"{p.cider:.4f}"])
        summary = [{key: getattr(result, key) for key in _KEPT} for result in some]
        (out / f"{name}.json").write_text(json.dumps(summary, indent=1) + "\n")
        for result in some:
            safe = re.sub(r"\W+", "-", result.system).strip("-").lower()
            (out / f"{name}-{safe}.svg").write_text(standalone(figure_4(result)))


if __name__ == "__main__":
    tyro.cli(main)
