"""Pieces of the page that several of its sections use."""

from collections.abc import Sequence
from html import escape

import numpy as np

from vljepa.demo import wording
from vljepa.demo.plots import side_by_side
from vljepa.demo.records import Answer, Part, Tally, Told, Verdict, Watched
from vljepa.evaluation.inline import picture_tag


def part(number: int, shown: Part) -> str:
    """A section with examples and counts."""
    blocks = "".join(
        f'<div class="example"><figure>{picture(example.strip, strip_alt(example.answers[0].truth or ""))}'
        f"<figcaption>{escape(example.name)}</figcaption></figure>{answers(example.answers)}</div>"
        for example in shown.examples
    )
    return (
        f"<section><h2>{number}. {escape(shown.title)}</h2><p>{escape(shown.explanation)}</p>"
        f'<div class="examples">{blocks}</div>{tallies(shown.tallies)}</section>'
    )


def answers(said: Sequence[Answer]) -> str:
    """What was said of one clip, each marked right or wrong where the truth is known."""
    judged = any(one.right is not None for one in said)
    items = "".join(f"<li>{_mark(one.right) if judged else ''}<span>{_answer(one)}</span></li>" for one in said)
    return f'<ul class="answers{"" if judged else " unjudged"}">{items}</ul>'


def tallies(counted: Sequence[Tally]) -> str:
    """How many of all were right."""
    rows = "".join(
        f'<tr><td>{escape(tally.what)}</td><td class="n">{wording.count(tally)}</td>'
        f'<td class="n">{wording.percent(tally.share)}</td>'
        f'<td class="n c soft">{"" if tally.chance is None else wording.percent(tally.chance)}</td></tr>'
        for tally in counted
    )
    head = (
        '<tr><th>over all of them</th><th class="n">right</th><th class="n">share</th><th class="n">by chance</th></tr>'
    )
    return f'<table class="tally">{head}{rows}</table>'


def events(watched: Watched) -> str:
    """Every stretch of a stream as a row: when, what was said, and what happened."""
    judged = any(one.truth for one in watched.told)
    head = "<th></th><th>seconds</th><th>what was said</th>" + ("<th>what happened</th>" if judged else "")
    rows = "".join(_event(one, judged=judged) for one in watched.told)
    return f'<div class="wide"><table class="events"><tr>{head}</tr>{rows}</table></div>'


def verdict(found: Verdict) -> str:
    """The verdict, to be seen first."""
    return f'<div class="verdict{"" if found.familiar else " unlike"}"><b>{escape(wording.verdict(found))}</b></div>'


def picture(strip: np.ndarray, alt: str) -> str:
    """Frames (F, S, S, 3) side by side."""
    return picture_tag(side_by_side(strip), alt)


def strip_alt(what: str) -> str:
    """What a strip of frames shows, in words."""
    return f"Frames of a clip: {what}"


def _answer(one: Answer) -> str:
    truth = ""
    if one.truth is not None and one.truth != one.said:
        truth = f'<span class="truth"><b>truth:</b> {escape(one.truth)}</span>'
    note = f'<span class="note">{escape(one.note)}</span>' if one.note else ""
    return f'<span class="asked">{escape(one.asked)}</span>{escape(one.said)}{truth}{note}'


def _mark(right: bool | None) -> str:
    if right is None:
        return '<span class="mark none">–</span>'
    return '<span class="mark right">✓ right</span>' if right else '<span class="mark wrong">✗ wrong</span>'


def _event(one: Told, *, judged: bool) -> str:
    span = f"{one.event.start:.1f}–{one.event.end:.1f}"
    truth = ""
    if judged:
        happened = "<br>".join(f"{escape(text)} <small>({time:.1f} s)</small>" for time, text in one.truth)
        truth = f"<td>{happened}</td>" if happened else f'<td class="soft">{wording.NO_ACTION}</td>'
    mark = f" {_mark(one.right)}" if judged and one.right is not None else ""
    frame = picture_tag(one.frame, f"Frame at {(one.event.start + one.event.end) / 2:.1f} seconds")
    return f'<tr><td>{frame}</td><td class="n">{span}</td><td>{escape(one.event.text)}{mark}</td>{truth}</tr>'
