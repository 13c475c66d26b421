"""The demo's lines in the terminal, readable at 80 columns and when piped."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vljepa.demo import wording
from vljepa.demo.records import Answer, Economy, Familiarity, Found, OwnReport, Part, Search, Tally, Told, Watched

_TOLD = 6
"""Stretches of a stream that are printed; the page has all."""
_TRUTHS = 2
"""Annotations printed of one stretch."""


def opening(console: Console, model: str) -> None:
    """What is about to be shown."""
    console.print(Text.assemble(("VL-JEPA demo", "bold"), f", model {model}"))
    console.print(Text("\n" + wording.WORLD))


def part(console: Console, number: int, shown: Part) -> None:
    """Examples of a part, and how many of all were right."""
    _heading(console, f"{number}. {shown.title}")
    for example in shown.examples:
        _indented(console, Text(example.name, "bold"))
        _indented(console, _answers(example.answers), 5)
    _tallies(console, shown.tallies)


def search(console: Console, number: int, shown: Search) -> None:
    """The best clips for a few texts, and how often the right one came first."""
    _heading(console, f"{number}. Search {shown.pool} clips by text")
    for found in shown.found:
        _indented(console, Text(f'"{found.text}"', "bold"))
        _indented(console, _hits(found), 5)
    _tallies(console, shown.tallies)


def stream(console: Console, number: int, watched: Watched, economy: Economy) -> None:
    """The first stretches of the stream, and what decoding them alone spared."""
    _heading(console, f"{number}. Two minutes, decoded only where the meaning changes")
    _indented(console, _timeline(watched.told[:_TOLD]))
    if len(watched.told) > _TOLD:
        _indented(console, Text(f"... and {len(watched.told) - _TOLD} more in the report", "dim"))
    spared = (wording.spared(economy), wording.with_hindsight(economy.hindsight))
    for line in (wording.told_right(economy), *spared, wording.SMALL_SAMPLE):
        _indented(console, Text(line))


def familiarity(console: Console, number: int, shown: Familiarity) -> None:
    """How the score fares on the world, and what it says of what is unlike it."""
    _heading(console, f"{number}. Does it know what it does not know?")
    _indented(console, Text(wording.mistaken(shown)))
    for verdict in shown.unlike:
        _indented(console, Text(f"A video of {verdict.name}", "bold"))
        _indented(console, Text(wording.verdict(verdict), "green" if verdict.familiar else "bold yellow"), 5)
        lead = "" if verdict.familiar else "What it would say, not to be trusted: "
        _indented(console, Text(f"{lead}{verdict.caption}", "" if verdict.familiar else "dim"), 5)


def own(console: Console, report: OwnReport) -> None:
    """Everything on the user's video: the verdict first."""
    console.print(Text.assemble(("VL-JEPA demo", "bold"), f", model {report.model}, {report.verdict.name}"))
    familiar = report.verdict.familiar
    console.print(Text("\n" + wording.verdict(report.verdict), "green" if familiar else "bold yellow"))
    if not familiar:
        console.print(Text("What follows is what it would say, not to be trusted."))
    _heading(console, report.part.title)
    for example in report.part.examples:
        _indented(console, _answers(example.answers))
    if report.watched is not None:
        _heading(console, "As a stream" + (", its first two minutes" if report.cut else ""))
        _indented(console, _timeline(report.watched.told[:_TOLD]))
        if len(report.watched.told) > _TOLD:
            _indented(console, Text(f"... and {len(report.watched.told) - _TOLD} more in the report", "dim"))


def ending(console: Console, target: Path, parts: Sequence[tuple[str, float]], total: float) -> None:
    """Where the page is, and what took how long."""
    times = ", ".join(f"{name} {seconds:.1f}" for name, seconds in parts)
    console.print()
    # The path is never wrapped, so that it can be clicked and copied.
    console.print(Text.assemble(("Report  ", "bold"), str(target)), soft_wrap=True)
    console.print(Text.assemble(("Time    ", "bold"), f"{total:.1f} s ({times})"))


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, "bold cyan"))


def _indented(console: Console, what: Text | Table | Group, by: int = 3) -> None:
    console.print(Padding(what, (0, 0, 0, by), expand=False))


def _grid(*widths: int) -> Table:
    """Columns of fixed widths, and one that takes the rest and folds."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for width in widths:
        table.add_column(width=width, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _mark(right: bool | None) -> Text:
    if right is None:
        return Text("")
    return Text("right", "green") if right else Text("wrong", "red")


def _answers(answers: Sequence[Answer]) -> Table:
    judged = any(answer.right is not None for answer in answers)
    table = _grid(5) if judged else _grid()
    for answer in answers:
        lines = Text.assemble((f"{answer.asked}  ", "dim"), answer.said)
        if answer.truth is not None and answer.truth != answer.said:
            lines.append(f"\ntruth: {answer.truth}")
        if answer.note:
            lines.append(f"\n{answer.note}", "dim")
        if judged:
            table.add_row(_mark(answer.right), lines)
        else:
            table.add_row(lines)
    return table


def _hits(found: Found) -> Group:
    table = _grid(1, 5)
    for place, hit in enumerate(found.hits, start=1):
        table.add_row(str(place), _mark(hit.right), hit.truth)
    if found.rank <= len(found.hits):
        return Group(table)
    return Group(table, Text(f"the right clip came in place {found.rank}", "dim"))


def _timeline(told: Sequence[Told]) -> Table:
    judged = any(one.truth for one in told)
    table = _grid(16, 5) if judged else _grid(16)
    for one in told:
        span = f"{one.event.start:5.1f} to {one.event.end:5.1f} s"
        if not judged:
            table.add_row(span, one.event.text)
            continue
        lines = [one.event.text, *(f"truth: {text}" for _, text in one.truth[:_TRUTHS])]
        if len(one.truth) > _TRUTHS:
            lines.append(f"... and {len(one.truth) - _TRUTHS} more actions")
        elif not one.truth:
            lines.append(f"truth: {wording.NO_ACTION}")
        table.add_row(span, _mark(one.right), Text("\n".join(lines)))
    return table


def _tallies(console: Console, tallies: Sequence[Tally]) -> None:
    if not tallies:
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
    for tally in tallies:
        chance = "" if tally.chance is None else f"chance {wording.percent(tally.chance)}"
        table.add_row(tally.what, wording.count(tally), wording.percent(tally.share), Text(chance, "dim"))
    _indented(console, Text("Over all of them", "bold"))
    _indented(console, table, 5)
