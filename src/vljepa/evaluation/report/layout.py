"""The paper's tables 1 to 6: which benchmark's figure stands in which column, and what of Tabletop stands for it.

A new converter needs one ``Column`` here to be in the tables. Benchmarks that the tables do not have (ImageNet, CLEVR,
captions, streams) have their pages and, streams, figure 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vljepa.evaluation.report.quoted import (
    TABLE_1,
    TABLE_2_GQA,
    TABLE_2_POPE,
    TABLE_2_POPEV2,
    TABLE_2_TALLYQA,
    TABLE_3,
    TABLE_4,
    TABLE_5,
    TABLE_6,
    Quoted,
)

TOP1 = "top-1"
RECALL1 = "text to video R@1"
RECALL5 = "class-mean recall@5"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a cell's figure comes from."""

    benchmark: str
    figure: str = ""
    """Name of one of the result's figures; empty: its value, whatever that is called."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of figures."""

    heading: str
    source: Source
    counterpart: Source
    """The benchmark of Tabletop that stands for it in the miniature."""
    stands_for: tuple[str, ...] = ()
    """In a miniature: headings of the paper's columns."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Columns side by side, whose mean is their average if the paper prints one."""

    columns: tuple[Column, ...]
    title: str = ""
    average: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table, or the part of table 2 for one benchmark."""

    number: int
    part: str = ""
    title: str
    page: int
    """Of the paper."""
    facts: tuple[str, ...] = ()
    """What is said of each model beside its figures: keys of ``FACTS``."""
    groups: tuple[Group, ...]
    quoted: tuple[Quoted, ...] = field(default=(), repr=False)
    synthetic: bool = False
    """A miniature, of Tabletop alone."""

    @property
    def columns(self) -> list[Column]:
        return [column for group in self.groups for column in group.columns]

    @property
    def name(self) -> str:
        """What its files are called."""
        part = f"_{self.part.lower()}" if self.part else ""
        return ("miniature" if self.synthetic else "table") + f"{self.number}{part}"


FACTS = {
    "encoder": "Size",
    "vision": "Vision encoder",
    "parameters": "# Parameters",
    "samples": "# Samples seen",
    "zero_shot": "Zero-shot",
    "generalist": "Generalist model",
    "text_parameters": "# Params. (text encoder)",
}
"""Facts of a model to how the paper's tables head them."""


def _column(heading: str, benchmark: str, counterpart: str, figure: str = "", counterpart_figure: str = "") -> Column:
    return Column(
        heading=heading,
        source=Source(benchmark=benchmark, figure=figure),
        counterpart=Source(benchmark=f"tabletop-{counterpart}", figure=counterpart_figure or figure),
    )


def _questions(part: str, about: str, benchmark: str, counterpart: str, quoted: tuple[Quoted, ...]) -> Table:
    column = _column(part, benchmark, counterpart)
    title = f"{about} (accuracy)"
    return Table(number=2, part=part, title=title, page=6, groups=(Group(columns=(column,)),), quoted=quoted)


_CLASSIFICATION = (
    _column("SSv2", "ssv2", "action", TOP1),
    _column("EK100", "epic_kitchens_action", "action_novel", TOP1),
    _column("EgoExo4D", "egoexo4d_keysteps", "step", TOP1),
    _column("Kinetics-400", "kinetics400", "action", TOP1),
    _column("COIN (SR)", "coin_step", "step", TOP1),
    _column("COIN (TR)", "coin_task", "procedure", TOP1),
    _column("CrossTask (SR)", "crosstask_step", "step", TOP1),
    _column("CrossTask (TR)", "crosstask_task", "procedure_new_order", TOP1),
)
_RETRIEVAL = (
    _column("MSR-VTT", "msrvtt_1ka", "retrieval", RECALL1),
    _column("ActivityNet", "activitynet", "retrieval", RECALL1),
    _column("DiDeMo", "didemo", "retrieval", RECALL1),
    _column("MSVD", "msvd", "retrieval", RECALL1),
    _column("YouCook2", "youcook2", "retrieval", RECALL1),
    _column("PVD-Bench", "pvd_bench", "retrieval", RECALL1),
    _column("Dream-1k", "dream1k", "retrieval", RECALL1),
    _column("VDC-1k", "vdc1k", "retrieval", RECALL1),
)
_ANTICIPATION = tuple(
    _column(f"t = {seconds} s", f"epic_kitchens_anticipation_{seconds}s", "anticipation", RECALL5)
    for seconds in (1, 2, 4, 10)
)
_SUGARCREPE = (
    _column("Replace attribute", "sugarcrepe_pp", "triplet", "replace_att", "replace_attribute"),
    _column("Replace object", "sugarcrepe_pp", "triplet", "replace_obj", "replace_object"),
    _column("Replace relation", "sugarcrepe_pp", "triplet", "replace_rel", "replace_relation"),
    _column("Swap attribute", "sugarcrepe_pp", "triplet", "swap_att", "swap_attribute"),
    _column("Swap object", "sugarcrepe_pp", "triplet", "swap_obj", "swap_object"),
)
_VISLA = (
    Column(
        heading="Generic",
        source=Source(benchmark="visla", figure="generic"),
        counterpart=Source(benchmark="tabletop-triplet"),
    ),
    _column("Spatial", "visla", "triplet", "spatial", "replace_relation"),
)

TABLES: tuple[Table, ...] = (
    Table(
        number=1,
        title="Video classification and text-to-video retrieval",
        page=5,
        facts=("encoder", "parameters", "samples", "zero_shot", "generalist"),
        groups=(
            Group(title="Video classification (top-1 accuracy)", columns=_CLASSIFICATION, average=True),
            Group(title="Text-to-video retrieval (Recall@1)", columns=_RETRIEVAL, average=True),
        ),
        quoted=TABLE_1,
    ),
    _questions("GQA", "VQA, compositional reasoning", "gqa", "compositional", TABLE_2_GQA),
    _questions("TallyQA", "VQA, object counting", "tallyqa", "counting", TABLE_2_TALLYQA),
    _questions("POPE", "VQA, object hallucination", "pope", "existence", TABLE_2_POPE),
    _questions("POPEv2", "VQA, object hallucination", "popev2", "existence", TABLE_2_POPEV2),
    Table(
        number=3,
        title="WorldPrediction-WM (accuracy)",
        page=6,
        facts=("parameters",),
        groups=(Group(columns=(_column("WorldPrediction-WM", "worldprediction", "world_model"),)),),
        quoted=TABLE_3,
    ),
    Table(
        number=4,
        title="EPIC-KITCHENS-100 action anticipation, finetuned (Recall@5)",
        page=6,
        facts=("vision",),
        groups=(Group(columns=_ANTICIPATION),),
        quoted=TABLE_4,
    ),
    Table(
        number=5,
        title="COIN next-step forecasting, finetuned (accuracy)",
        page=6,
        facts=("parameters",),
        groups=(Group(columns=(_column("COIN next step", "coin_next_step", "anticipation", TOP1),)),),
        quoted=TABLE_5,
    ),
    Table(
        number=6,
        title="Text encoders (triplet accuracy)",
        page=8,
        facts=("encoder", "parameters", "text_parameters"),
        groups=(
            Group(title="SugarCrepe++", columns=_SUGARCREPE, average=True),
            Group(title="VISLA", columns=_VISLA, average=True),
        ),
        quoted=TABLE_6,
    ),
)
_SAID_OF_THE_PAPERS = ("zero_shot", "generalist")
"""Facts of the paper's models that nothing here knows of a measured one."""


def miniatures() -> list[Table]:
    """The same tables with Tabletop's benchmarks instead; quoted rows, which would mean nothing there, are left out.

    Columns of one group that the same benchmark stands for are one column; the parts of table 2 are one table.
    """
    numbers = dict.fromkeys(table.number for table in TABLES)
    return [_miniature([table for table in TABLES if table.number == number]) for number in numbers]


def _miniature(parts: Sequence[Table]) -> Table:
    groups = parts[0].groups
    if len(parts) > 1:
        groups = (Group(columns=tuple(column for part in parts for column in part.columns)),)
    title = "VQA (accuracy)" if len(parts) > 1 else parts[0].title
    facts = tuple(fact for fact in parts[0].facts if fact not in _SAID_OF_THE_PAPERS)
    return replace(
        parts[0], part="", title=title, groups=tuple(map(_merged, groups)), facts=facts, quoted=(), synthetic=True
    )


def _merged(group: Group) -> Group:
    together: dict[Source, list[str]] = {}
    for column in group.columns:
        together.setdefault(column.counterpart, []).append(column.heading)
    columns = tuple(
        Column(heading=_heading(source), source=source, counterpart=source, stands_for=tuple(headings))
        for source, headings in together.items()
    )
    return replace(group, columns=columns)


def _heading(source: Source) -> str:
    name = source.benchmark.removeprefix("tabletop-").replace("_", " ")
    # What tells columns of one benchmark apart; what the figure is called stands in the title of the group.
    part = "" if source.figure in (TOP1, RECALL1, RECALL5) else source.figure.replace("_", " ")
    return f"{name}: {part}" if part else name
