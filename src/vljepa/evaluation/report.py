"""Results as ``results.json``, ``report.md`` and a self-contained ``report.html`` with plots and sample frames."""

import base64
import html
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from vljepa.evaluation.result import Outcome, Result

ReadFrame = Callable[[str], np.ndarray]
"""Path of a video or image to one uint8 frame, (H, W, 3)."""

SYNTHETIC = "synthetic"
_NOTE = (
    "Benchmarks marked synthetic show a made-up world; their figures say nothing about real video. "
    "Intervals are 95 % bootstrap intervals over items."
)
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #2a8f4f; --bad: #c04a3a; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); } td.n { text-align: right; }
.tag { font-size: .75rem; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; }
img { max-width: 100%; } figure { margin: 0; font-size: .85rem; } figure img { border-radius: .4rem; width: 100%; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }
.right { color: var(--good); } .wrong { color: var(--bad); } .plot { background: #fff; border-radius: .4rem; }
"""


def write_report(
    results: Sequence[Result], out: Path, read_frame: ReadFrame | None = None, num_samples: int = 6
) -> None:
    """Write the three files; rows of one benchmark stand together, systems in the order given.

    Args:
        results: systems by benchmarks.
        out: folder, made when missing.
        read_frame: shows sample frames when given.
        num_samples: items shown of each result, half of them failures where there are any.
    """
    out.mkdir(parents=True, exist_ok=True)
    order = {name: i for i, name in enumerate(dict.fromkeys(result.benchmark for result in results))}
    results = sorted(results, key=lambda result: order[result.benchmark])
    (out / "results.json").write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n", encoding="utf-8")
    (out / "report.md").write_text(_markdown(results), encoding="utf-8")
    (out / "report.html").write_text(_page(results, read_frame, num_samples), encoding="utf-8")


_HEAD = ("benchmark", "system", "metric", "value", "95 % interval", "chance", "paper", "items", "left out")


def _cells(result: Result) -> list[str]:
    name = f"{result.benchmark} ({SYNTHETIC})" if result.synthetic else result.benchmark
    return [
        name,
        result.system,
        result.metric,
        f"{result.value:.3f}",
        f"{result.interval[0]:.3f} to {result.interval[1]:.3f}",
        "-" if result.chance is None else f"{result.chance:.3f}",
        "-" if result.paper is None else f"{result.paper:g}",
        str(result.count),
        str(len(result.left_out)),
    ]


def _markdown(results: Sequence[Result]) -> str:
    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    lines = ["# Evaluation", "", _NOTE, "", row(_HEAD), "|" + "---|" * len(_HEAD)]
    lines += [row(_cells(result)) for result in results]
    for result in results:
        lines += ["", f"## {result.benchmark}, {result.system}", ""]
        lines += [f"* {name}: {value:.3f}" for name, value in result.figures.items()]
        lines += [f"* left out: {line}" for line in result.left_out]
        lines += [f"* {p.method}, {p.rate_hz:.3g} Hz: CIDEr-D {p.cider:.3f}" for p in result.curve]
    return "\n".join(lines) + "\n"


def _page(results: Sequence[Result], read_frame: ReadFrame | None, num_samples: int) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in _HEAD)
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in _cells(r)) + "</tr>" for r in results)
    sections = "".join(_section(result, read_frame, num_samples) for result in results)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Evaluation</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>Evaluation</h1><p>{html.escape(_NOTE)}</p>{_plot_values(results)}"
        f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>{sections}</body></html>\n'
    )


def _section(result: Result, read_frame: ReadFrame | None, num_samples: int) -> str:
    tag = f' <span class="tag">{SYNTHETIC}</span>' if result.synthetic else ""
    figures = "".join(
        f'<tr><td>{html.escape(name)}</td><td class="n">{value:.3f}</td></tr>' for name, value in result.figures.items()
    )
    bad = "".join(f"<li>{html.escape(line)}</li>" for line in result.left_out)
    samples = "".join(_sample(outcome, read_frame) for outcome in _chosen(result.outcomes, num_samples))
    return (
        f"<h2>{html.escape(result.benchmark)}, {html.escape(result.system)}{tag}</h2>"
        + (f"<table>{figures}</table>" if figures else "")
        + (_plot_curve(result) if result.curve else "")
        + (f'<div class="grid">{samples}</div>' if samples else "")
        + (f"<details><summary>{len(result.left_out)} left out</summary><ul>{bad}</ul></details>" if bad else "")
    )


def _chosen(outcomes: Sequence[Outcome], count: int) -> list[Outcome]:
    """Worst and best by turns from the first items, so that failures are seen as readily as successes."""
    middle = float(np.mean([o.score for o in outcomes])) if outcomes else 0.0
    good = [o for o in outcomes if o.score >= middle]
    poor = [o for o in outcomes if o.score < middle]
    return (good[: count - min(len(poor), count // 2)] + poor)[:count]


def _sample(outcome: Outcome, read_frame: ReadFrame | None) -> str:
    picture = ""
    if read_frame is not None and outcome.media:
        buffer = io.BytesIO()
        Image.fromarray(read_frame(outcome.media)).save(buffer, "JPEG", quality=85)
        picture = _image(buffer.getvalue(), "jpeg", "sample frame")
    kind = "right" if outcome.score > 0.5 else "wrong"
    return (
        f'<figure>{picture}<figcaption>expected: {html.escape(outcome.expected)}<br><span class="{kind}">'
        f"found: {html.escape(outcome.found)}</span> ({outcome.score:.2f})</figcaption></figure>"
    )


def _plot_values(results: Sequence[Result]) -> str:
    """Bars of all results that are shares, with intervals and chance."""
    shares = [r for r in results if 0 <= r.value <= 1 and r.task not in ("caption", "stream")]
    if not shares:
        return ""
    figure = Figure(figsize=(8, 0.9 + 0.38 * len(shares)), layout="constrained")
    axes = figure.subplots()
    for y, r in enumerate(shares):
        low, high = r.interval
        axes.barh(y, r.value, color=f"C{sorted({s.system for s in shares}).index(r.system)}")
        axes.hlines(y, low, high, color="black", linewidth=1)
        if r.chance is not None:
            axes.vlines(r.chance, y - 0.4, y + 0.4, color="black", linestyle=":", label="chance")
    axes.set_yticks(range(len(shares)), [f"{r.benchmark}, {r.system}" for r in shares])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("value; line: 95 % interval; dots: chance")
    return _drawn(figure, "values of all benchmarks")


def _plot_curve(result: Result) -> str:
    """CIDEr-D against the rate of decoding, as figure 4 of the paper."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for method in dict.fromkeys(p.method for p in result.curve):
        points = [p for p in result.curve if p.method == method]
        style = "-" if method.startswith("ward") else "--"
        axes.plot([p.rate_hz for p in points], [p.cider for p in points], style, marker="o", markersize=3, label=method)
    axes.set_xscale("log")
    axes.set_xlabel("decodings a second, Hz")
    axes.set_ylabel("mean CIDEr-D")
    axes.legend()
    return _drawn(figure, "CIDEr-D against the rate of decoding")


def _drawn(figure: Figure, alt: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return _image(buffer.getvalue(), "png", alt, ' class="plot"')


def _image(data: bytes, kind: str, alt: str, attributes: str = "") -> str:
    return f'<img{attributes} alt="{alt}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'
