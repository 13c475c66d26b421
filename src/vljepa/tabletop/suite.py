"""Tabletop on disk: training manifests and benchmark folders in the project's data contract, with real media files.

    OUT/tabletop.json                   size, seed and counts; written last, so its presence says the rest is whole
    OUT/train/{images,videos}.jsonl     captions without a query
    OUT/train/sft_*.jsonl               one manifest for each kind of query: see MANIFESTS
    OUT/{validation,test}/BENCHMARK/{benchmark.json,items.jsonl}
    OUT/{train,validation,test}/media/

Same size and seed, same bytes of annotation, whatever the number of processes.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from vljepa.errors import UserError
from vljepa.tabletop import jobs, language
from vljepa.tabletop.asking import Row
from vljepa.tabletop.jobs import Job
from vljepa.tabletop.procedures import HELD_OUT_OPENINGS, PROCEDURES
from vljepa.tabletop.questions import COUNTS, YES_NO
from vljepa.tabletop.scene import SHAPES, VERBS

MANIFESTS = (
    "images", "videos", "sft_images", "sft_image_questions", "sft_videos", "sft_actions", "sft_procedures",
    "sft_video_questions", "sft_pairs",
)  # fmt: skip
_STATIC_VERBS = frozenset(
    {"spin", "shake", "poke", "pretend_pick_up", "lift_drop", "lift_put_back", "bounce", "circle", "left_and_back",
     "show_camera", "circle_around"}
)  # fmt: skip
"""Verbs that leave the table as it was: no before-and-after picture tells them."""
_CHANGING_VERBS = tuple(verb for verb in VERBS if verb not in _STATIC_VERBS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How many of each thing a suite holds."""

    train_actions: int
    train_procedures: int
    train_images: int
    actions: int
    """Action clips of the test split, shared by the action, retrieval, caption, triplet and question benchmarks."""
    novel: int
    procedures: int
    new_orders: int
    images: int
    world_model: int
    streams: int
    stream_seconds: float
    validation_share: float = 0.2
    """Size of the validation split over that of the test split."""
    pixels: int = 128
    """Height and width of every picture."""


SIZES: dict[str, Size] = {
    "tiny": Size(train_actions=34, train_procedures=2, train_images=16, actions=34, novel=4, procedures=1,
                 new_orders=1, images=6, world_model=1, streams=1, stream_seconds=10.0),
    "demo": Size(train_actions=0, train_procedures=0, train_images=0, actions=200, novel=34, procedures=8,
                 new_orders=0, images=0, world_model=0, streams=1, stream_seconds=120.0, validation_share=0.0),
    "nano": Size(train_actions=9000, train_procedures=700, train_images=10000, actions=1000, novel=300, procedures=60,
                 new_orders=40, images=600, world_model=300, streams=20, stream_seconds=120.0),
    "hours": Size(train_actions=0, train_procedures=0, train_images=0, actions=0, novel=0, procedures=0,
                  new_orders=0, images=0, world_model=0, streams=2, stream_seconds=3600.0, validation_share=0.0),
}  # fmt: skip

_KINDS = ("action", "novel", "procedure", "new_order", "image", "world_model", "stream")
_SPLITS = ("train", "validation", "test")
_SEEDS_PER_KIND = 10_000_000


def write(
    out: Path, size: str, seed: int = 0, workers: int = 2, progress: Callable[[int, int], None] | None = None
) -> None:
    """Write the suite of the named size below ``out``.

    ``progress`` is called with (jobs done, jobs in all). Raises UserError if the size is not one of ``SIZES``.
    """
    if size not in SIZES:
        raise UserError(f"tabletop size {size!r}: unknown; choose one of {', '.join(SIZES)}")
    planned = tuple(plan(out, SIZES[size], seed))
    rows: dict[tuple[str, str], list[Row]] = {}
    for done, (job, result) in enumerate(zip(planned, _results(planned, workers), strict=True), start=1):
        for name, new in result.items():
            rows.setdefault((job.split, name), []).extend(new)
        if progress is not None:
            progress(done, len(planned))
    for (split, name), lines in rows.items():
        if split == "train":
            _write_lines(out / split / f"{name}.jsonl", lines)
        elif lines:
            _write_lines(out / split / name / "items.jsonl", lines)
            _write_json(out / split / name / "benchmark.json", {"name": f"tabletop-{name}", **_describe(name, lines)})
    counts = {f"{split}/{name}": len(lines) for (split, name), lines in sorted(rows.items())}
    summary = {"synthetic": True, "size": size, "seed": seed, "settings": asdict(SIZES[size]), "counts": counts}
    _write_json(out / "tabletop.json", summary)


def _results(planned: tuple[Job, ...], workers: int) -> Iterator[jobs.Rows]:
    if workers <= 1:
        yield from map(jobs.run, planned)
        return
    # Fresh processes: a fork would copy the caller's threads' locks.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(jobs.run, planned, chunksize=4)


def plan(out: Path, size: Size, seed: int) -> Iterator[Job]:
    """Every job of the suite, in the order of the rows."""
    for split in _SPLITS:
        part = size.validation_share if split == "validation" else 1.0
        train = split == "train"
        wanted = {
            "action": size.train_actions if train else size.actions,
            "novel": 0 if train else size.novel,
            "procedure": size.train_procedures if train else size.procedures,
            "new_order": 0 if train else size.new_orders,
            "image": size.train_images if train else size.images,
            "world_model": 0 if train else size.world_model,
            "stream": 0 if train else size.streams,
        }
        facts: set[tuple[str, ...]] = set()
        for kind, full in wanted.items():
            for index in range(0 if part == 0 else max(round(full * part), min(full, 1))):
                job = _job(out, size, seed, split, kind, index)
                if kind == "action" and not train:
                    job = _distinct(job, facts)
                yield job


def _job(out: Path, size: Size, seed: int, split: str, kind: str, index: int) -> Job:
    block = (seed * len(_SPLITS) + _SPLITS.index(split)) * len(_KINDS) + _KINDS.index(kind)
    verbs = _CHANGING_VERBS if kind == "world_model" else VERBS
    procedures = tuple(HELD_OUT_OPENINGS if kind == "new_order" else PROCEDURES)
    return Job(
        kind=kind,
        split=split,
        index=index,
        # A stride leaves room for the further seeds a job may use. Long streams begin as no short one does.
        seed=block * _SEEDS_PER_KIND + index * 100 + int(kind == "stream" and size.stream_seconds >= jobs.LONG),
        out=out,
        pixels=size.pixels,
        verb=verbs[index % len(verbs)],
        shape=SHAPES[(index // len(verbs) + index) % len(SHAPES)],
        procedure=procedures[index % len(procedures)],
        seconds=size.stream_seconds,
    )


def _distinct(job: Job, facts: set[tuple[str, ...]]) -> Job:
    """The job with the first seed that shows what no job before it showed, so that no two texts mean the same."""
    for step in range(100):
        candidate = replace(job, seed=job.seed + step)
        fact = jobs.fact(candidate.episode())
        if fact not in facts:
            facts.add(fact)
            return candidate
    raise RuntimeError(f"no scene of {job.verb} with a {job.shape} is left that was not shown before")


_SEEN_SPLIT = "Episodes of seeds no training sample has; colour-shape pairs and words as in training."


def _describe(name: str, rows: list[Row]) -> dict[str, Any]:
    """What ``benchmark.json`` says: task, metric, query, classes, chance, and the rule of the split."""
    steps = [language.action_label(verb, None) for verb in VERBS]
    about: dict[str, Any]
    if name == "action":
        about = _classification(jobs.ACTION_QUERY, list(language.ACTION_CLASSES))
    elif name == "action_novel":
        about = _classification(jobs.ACTION_QUERY, list(language.NOVEL_CLASSES))
        about["split"] = (
            "What is acted upon is of a colour-shape pair no training scene shows; labels use only words that no "
            "training text has for what is done, and for colour and shape."
        )
    elif name in ("procedure", "procedure_new_order"):
        about = _classification(jobs.PROCEDURE_QUERY, [language.procedure_label(p) for p in PROCEDURES])
        if name == "procedure_new_order":
            about["split"] = "Procedures whose steps come in an order that no training video of them shows."
    elif name == "step":
        about = _classification(jobs.STEP_QUERY, steps)
    elif name == "anticipation":
        about = _classification(jobs.NEXT_QUERY, steps) | {"task": "anticipation"}
    elif name == "retrieval":
        about = {"task": "retrieval", "metric": "recall@1", "query": jobs.CAPTION_QUERIES[0], "chance": 1 / len(rows)}
    elif name in ("caption", "stream", "stream_hour"):
        about = {"task": name.removesuffix("_hour"), "metric": "cider", "query": jobs.CAPTION_QUERIES[0], "chance": 0.0}
    elif name == "world_model":
        about = {"task": name, "metric": "top1", "query": jobs.CHANGE_QUERY,
                 "candidate_query": jobs.CAPTION_QUERIES[0], "chance": 1 / len(rows[0]["candidates"])}  # fmt: skip
    elif name == "triplet":
        about = {"task": name, "metric": "accuracy", "query": "", "chance": 1 / 3}
    else:
        chance = sum(1 / len(row["choices"]) for row in rows) / len(rows)
        about = {"task": "choice", "metric": "accuracy", "query": "", "chance": chance}
        if name != "compositional":
            about["answers"] = list(COUNTS if name == "counting" else YES_NO)
    return {"split": _SEEN_SPLIT, "synthetic": True, **about}


def _classification(query: str, classes: list[str]) -> dict[str, Any]:
    return {"task": "classification", "metric": "top1", "query": query, "classes": classes, "chance": 1 / len(classes)}


def _write_lines(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
