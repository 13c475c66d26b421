"""What all formats say in the same words."""

from vljepa.evaluation.report.layout import Group, Table

LEGEND = (
    "Two kinds of rows: quoted from the paper, not measured here; and measured here, by vljepa eval. All figures are "
    "percent. Averages are plain means of their group, as in the paper, given only where every cell is filled; else it "
    'says of how many. "n of N" beside a figure: so many items of the official split were evaluated.'
)
MINIATURE = (
    "Synthetic: in the paper's layout, benchmarks of Tabletop, a made-up world. The figures say nothing about real "
    "video and cannot be set beside the paper's."
)
NOTHING = "No benchmark of this table is in these runs."
"""Said instead of measured rows."""


def name_of(table: Table) -> str:
    """The table's name as a title."""
    part = f", {table.part}" if table.part else ""
    return f"Table {table.number}{part} in miniature" if table.synthetic else f"Table {table.number}{part}"


def source_of(table: Table, *, measured: bool) -> str:
    """Where a row comes from; said in every row, so that none that is copied out loses it."""
    if not measured:
        return "quoted"
    return "measured, synthetic" if table.synthetic else "measured"


def stands_for(group: Group) -> list[str]:
    """For each cell of a miniature's group the paper's columns that it stands for."""
    return [*([""] if group.average else []), *(", ".join(column.stands_for) for column in group.columns)]
