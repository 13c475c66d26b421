"""The demo's report: one HTML page without any other file, light or dark, wide or narrow."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from vljepa.demo import wording
from vljepa.demo.plots import economy, p_values, watching
from vljepa.demo.records import Economy, Familiarity, OwnReport, Report, Search, Tally, Watched, WorldReport
from vljepa.demo.sections import answers, events, part, picture, strip_alt, tallies, verdict

Times = Sequence[tuple[str, float]]
"""Name and seconds of each part of the run."""


def page(report: Report, times: Times) -> str:
    """The whole page as HTML."""
    title, body = ("VL-JEPA demo", _world(report)) if isinstance(report, WorldReport) else _titled(report)
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>{body}{_footer(report.model, times)}"
        "</body></html>\n"
    )


def _world(report: WorldReport) -> str:
    sections = (
        part(1, report.description),
        part(2, report.labels),
        _search(3, report.search),
        part(4, report.forecast),
        _stream(5, report.watched, report.economy),
        _familiarity(6, report.familiarity),
    )
    return (
        '<header><h1>VL-JEPA demo</h1><p class="lead">A vision-language model that predicts the <em>meaning</em> of an '
        "answer, as an embedding, and writes text only when text is wanted. "
        f'<a href="{wording.PAPER}">The paper</a>.</p><p>{escape(wording.WORLD)}</p>{_figures(report)}</header>'
        f"<main>{''.join(sections)}</main>"
    )


def _figures(report: WorldReport) -> str:
    chosen = (
        ("captions right in action and objects", report.description.tallies[2]),
        *((f"{tally.what} answered rightly", tally) for tally in report.description.tallies[3:]),
        ("actions labelled rightly, familiar words", report.labels.tallies[0]),
        ("actions labelled rightly, unseen words and objects", report.labels.tallies[2]),
        ("texts that find their own clip first", report.search.tallies[0]),
        ("next steps foretold", report.forecast.tallies[0]),
    )
    cards = "".join(f"<div><dt>{escape(what)}</dt><dd>{_figure(tally)}</dd></div>" for what, tally in chosen)
    return f'<dl class="figures">{cards}</dl>'


def _figure(tally: Tally) -> str:
    chance = "" if tally.chance is None else f"; chance {wording.percent(tally.chance)}"
    return f"<b>{wording.percent(tally.share)}</b><small>{wording.count(tally)}{chance}</small>"


def _search(number: int, shown: Search) -> str:
    blocks = []
    for found in shown.found:
        hits = "".join(
            f"<figure>{picture(hit.strip, strip_alt(hit.truth))}<figcaption>"
            f"{_hit_mark(hit.right)}"
            f'{escape(hit.truth)} <span class="soft">(similarity {hit.score:.2f})</span></figcaption></figure>'
            for hit in found.hits
        )
        place = (
            "" if found.rank <= len(found.hits) else f"<p class='soft'>The right clip came in place {found.rank}.</p>"
        )
        blocks.append(f"<blockquote>{escape(found.text)}</blockquote>{place}<div class='hits'>{hits}</div>")
    return (
        f"<section><h2>{number}. Search {shown.pool} clips by text</h2><p>{escape(wording.SEARCH)}</p>"
        f"{''.join(blocks)}{tallies(shown.tallies)}</section>"
    )


def _hit_mark(right: bool) -> str:
    kind, words = ("right", "✓ its clip") if right else ("wrong", "✗ another clip")
    return f'<span class="mark {kind}">{words}</span>'


def _stream(number: int, watched: Watched, spared: Economy) -> str:
    return (
        f"<section><h2>{number}. Two minutes, decoded only where the meaning changes</h2>"
        f"<p>{escape(wording.STREAM)}</p><p>{escape(wording.told_right(spared))} "
        f"<strong>{escape(wording.spared(spared))}</strong> "
        f"{escape(wording.with_hindsight(spared.hindsight))}</p>{watching(watched)}"
        f"<details><summary>All {len(watched.told)} stretches, with what really happened</summary>"
        f"{events(watched)}</details>"
        f"<h3>Quality against the number of decodings</h3>"
        f"<div class='plot'>{economy(spared, watched.duration)}</div>"
        f'<p class="soft">{escape(wording.SMALL_SAMPLE)}</p></section>'
    )


def _familiarity(number: int, shown: Familiarity) -> str:
    unlike = "".join(
        f"<h3>A video of {escape(one.name)}</h3><div class='example'><figure>{picture(one.strip, strip_alt(one.name))}"
        f"</figure><div>{verdict(one)}{_would_say(one.caption, trusted=one.familiar)}</div></div>"
        for one in shown.unlike
    )
    return (
        f"<section><h2>{number}. Does it know what it does not know?</h2><p>{escape(wording.FAMILIARITY)}</p>"
        f"<p>{escape(wording.mistaken(shown))}</p>{p_values(shown)}{unlike}</section>"
    )


def _would_say(caption: str, *, trusted: bool) -> str:
    if trusted:
        return f"<p>{escape(caption)}</p>"
    return f'<p class="untrusted">What it would say, not to be trusted: “{escape(caption)}”</p>'


def _titled(report: OwnReport) -> tuple[str, str]:
    """Title and body of a report on the user's own video."""
    found = report.verdict
    warning = "" if found.familiar else "<p class='untrusted'>What follows is what it would say, not to be trusted.</p>"
    (example,) = report.part.examples
    body = (
        f"<header><h1>{escape(found.name)}</h1><p class='lead'>What VL-JEPA makes of this "
        f"{'image' if report.watched is None else 'video'}.</p>{verdict(found)}{warning}</header><main><section>"
        f"<h2>{escape(report.part.title)}</h2><p>{escape(report.part.explanation)}</p>"
        f"<div class='example'><figure>{picture(example.strip, strip_alt(found.name))}</figure>"
        f"{answers(example.answers)}</div></section>"
    )
    if report.watched is not None:
        first = ": the first two minutes" if report.cut else ""
        body += (
            f"<section><h2>As a stream{first}</h2><p>{escape(wording.STREAM)}</p>{watching(report.watched)}"
            f"{events(report.watched)}</section>"
        )
    return f"{found.name}, VL-JEPA demo", body + "</main>"


def _footer(model: str, times: Times) -> str:
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in times)
    total = sum(seconds for _, seconds in times)
    return (
        f"<footer><p>Model: {escape(model)}. Made in {total:.0f} s by <code>vljepa demo</code>: {escape(parts)}.</p>"
        f'<p>VL-JEPA: <a href="{wording.PAPER}">arXiv 2512.10942</a>. This is an open implementation, not the '
        "authors' code.</p></footer>"
    )
