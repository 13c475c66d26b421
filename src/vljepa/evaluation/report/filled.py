"""The tables filled: the paper's rows as quoted, below them each system's as measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vljepa.evaluation.report.layout import FACTS, Group, Source, Table
from vljepa.evaluation.report.quoted import PAPER
from vljepa.evaluation.result import HIGH, LOW, Evaluation, Result


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A figure, or why there is none."""

    value: float | None = None
    """Percent."""
    interval: tuple[float, float] | None = None
    """Percent; of measured ones only."""
    note: str = ""
    """Of how many items or cells it is, if not of all."""
    result: Result | None = None
    """Where a measured figure comes from; an average has none."""

    @property
    def text(self) -> str:
        """As printed, without the note."""
        return "-" if self.value is None else f"{self.value:.1f}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A model's line."""

    model: str
    measured: bool
    """By this project; else quoted from the paper."""
    facts: tuple[str, ...]
    cells: tuple[Cell, ...]
    """Group after group, an average first in its group."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A table with its rows."""

    table: Table
    rows: tuple[Row, ...]

    @property
    def reference(self) -> str:
        """Where the quoted rows stand."""
        return f"{PAPER}, table {self.table.number}, page {self.table.page}"

    @property
    def measured(self) -> list[Row]:
        return [row for row in self.rows if row.measured]

    @property
    def headings(self) -> list[str]:
        """One for each cell of a row."""
        return [name for group in self.table.groups for name in headings(group)]

    @property
    def num_columns(self) -> int:
        """Columns of figures, without the averages."""
        return len(self.table.columns)

    def num_filled(self, row: Row) -> int:
        """How many of them a row fills."""
        return sum(
            cell.value is not None
            for cell, average in zip(row.cells, _averages(self.table), strict=True)
            if not average
        )


def headings(group: Group) -> list[str]:
    """One for each cell of the group."""
    return [*(["Average"] if group.average else []), *(column.heading for column in group.columns)]


def fill(table: Table, found: Evaluation, facts: Mapping[str, Mapping[str, str]]) -> Filled:
    """The table's rows; a system without a figure in any of its columns has none.

    Args:
        facts: name of a system to what is known of it, by the keys of ``layout.FACTS``.
    """
    rows = [
        Row(
            model=quoted.model,
            measured=False,
            facts=quoted.facts,
            cells=tuple(Cell(value=value) for value in quoted.values),
        )
        for quoted in table.quoted
    ]
    for (system, variant), results in _by_system(found).items():
        cells = [cell for group in table.groups for cell in _cells(group, results)]
        if any(cell.result is not None for cell in cells):
            known = facts.get(system, {})
            rows.append(
                Row(
                    model=f"{system}, {variant}" if variant else system,
                    measured=True,
                    facts=tuple(known.get(fact, "-") for fact in table.facts),
                    cells=tuple(cells),
                )
            )
    return Filled(table=table, rows=tuple(rows))


def fact_headings(table: Table) -> list[str]:
    """As the paper has them."""
    return [FACTS[fact] for fact in table.facts]


def _averages(table: Table) -> list[bool]:
    """Of each cell, whether it is an average."""
    return [kind for group in table.groups for kind in ([True] * group.average + [False] * len(group.columns))]


def _by_system(found: Evaluation) -> dict[tuple[str, str], dict[str, Result]]:
    """Benchmark to result for each system and variant, in the order of the systems."""
    together: dict[tuple[str, str], dict[str, Result]] = {}
    for system in found.systems:
        for result in found.results:
            if result.system == system:
                together.setdefault((system, result.variant), {})[result.benchmark] = result
    return together


def _cells(group: Group, results: Mapping[str, Result]) -> list[Cell]:
    cells = [_cell(column.source, results.get(column.source.benchmark)) for column in group.columns]
    return [_average(cells), *cells] if group.average else cells


def _cell(source: Source, result: Result | None) -> Cell:
    if result is None:
        return Cell()
    short = result.official is not None and result.count < result.official
    note = f"{result.count} of {result.official}" if short else ""
    if source.figure in ("", result.metric):
        return Cell(value=100 * result.value, interval=_percent(*result.interval), note=note, result=result)
    if source.figure not in result.figures:
        return Cell()
    low, high = (result.figures.get(source.figure + end) for end in (LOW, HIGH))
    interval = None if low is None or high is None else _percent(low, high)
    return Cell(value=100 * result.figures[source.figure], interval=interval, note=note, result=result)


def _percent(low: float, high: float) -> tuple[float, float]:
    return 100 * low, 100 * high


def _average(cells: Sequence[Cell]) -> Cell:
    """The plain mean, as the paper takes it, if every cell is there; else how many are."""
    values = [cell.value for cell in cells if cell.value is not None]
    if len(values) < len(cells):
        return Cell(note=f"{len(values)} of {len(cells)}" if values else "")
    return Cell(value=sum(values) / len(values), note="in part" if any(cell.note for cell in cells) else "")
