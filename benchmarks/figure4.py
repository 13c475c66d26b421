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

from vljepa.evaluation.measure_stream import AIM
from vljepa.evaluation.svg import curves

_STYLE = """<style>
svg { color: #222; background: #fff; font: 13px system-ui, sans-serif; --s0: #7a7f87; --s1: #c77700; --s2: #1769c4;
  --s3: #8a3fb5; --s4: #0f8a83; }
text { fill: currentColor; } circle { fill: var(--c); } .rule { stroke: #8883; }
.series { stroke: var(--c); stroke-width: 2; fill: none; }
.chance { stroke: currentColor; stroke-width: 2; stroke-dasharray: 2 3; }
</style>"""


def main(results: Positional[Path], out: Positional[Path]) -> None:
    """Write the curves of every stream benchmark in a results.json."""
    found = [result for result in json.loads(results.read_text())["results"] if result["curve"]]
    out.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(result["benchmark"] for result in found):
        some = [result for result in found if result["benchmark"] == name]
        with (out / f"{name}.csv").open("w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["system", "method", "rate_hz", "cider"])
            for result in some:
                for p in result["curve"]:
                    table.writerow([result["system"], p["method"], f"{p['rate_hz']:.5f}", f"{p['cider']:.4f}"])
        kept = ("system", "metric", "value", "interval", "count", "synthetic", "figures")
        summary = [{key: result[key] for key in kept} for result in some]
        (out / f"{name}.json").write_text(json.dumps(summary, indent=1) + "\n")
        for result in some:
            safe = re.sub(r"\W+", "-", result["system"]).strip("-").lower()
            (out / f"{name}-{safe}.svg").write_text(_picture(result))


def _picture(result: dict) -> str:
    lines: dict[str, list[tuple[float, float]]] = {}
    for point in result["curve"]:
        lines.setdefault(point["method"], []).append((point["rate_hz"], point["cider"]))
    alt = f"CIDEr-D of {result['system']} against the rate of decoding"
    joined = {method: sorted(points) for method, points in lines.items()}
    drawn = curves(joined, alt, "decodings a second, Hz", "mean CIDEr-D", (result["figures"][AIM], AIM))
    svg = re.search(r"<svg .*</svg>", drawn, re.DOTALL)
    assert svg is not None
    return svg[0].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f">{_STYLE}", 1) + "\n"


if __name__ == "__main__":
    tyro.cli(main)
