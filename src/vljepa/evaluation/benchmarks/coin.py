"""COIN: instructional videos; which step, which task, which step comes next.

Licence: an agreement to be signed, scientific research only. Link: https://github.com/coin-dataset/annotations.
Split: testing, 2,797 of 11,827 videos (2,797 and 9,030 from memory).
Protocol, step (COIN-SR): top-1 of a step's segment among all steps of the data set, 778 ids of 749 texts; equal texts
are one class, here also two that differ by a blank alone. Task (COIN-TR): top-1 of the whole video among 180 tasks.
Next: top-1 of the step after a segment, from that segment, in order of time, as VideoLLM-online asks (third party).
That the paper takes these candidates is an assumption.
Paper: step BASE 47.4, SFT 66.4; task BASE 79.4, SFT 90.3 (table 1); next step, finetuned, 56.2.

File: ``COIN.json``: ``{"database": {youtube_id: {class, subset, recipe_type, annotation: [{id, segment, label}]}}}``.
The README calls the test subset "validation", readers of the file "testing": either is taken. Videos are
``<recipe_type>/<youtube_id>.mp4``. Steps and tasks counted in ``taxonomy.xlsx``.
"""

import itertools
from typing import Any

from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import NEXT, STEP, TASK, BenchmarkSet, Content, Spec
from vljepa.evaluation.conversion.words import as_language, class_of, distinct


def _step(files: Files) -> Content:
    videos = _videos(files)
    names = _steps(files, videos)

    def item(record: Record) -> dict[str, Any]:
        return _segment(files, record) | {"label": class_of(names, "label", record.word("label"))}

    records = [step for video in videos if _tested(video) for step in _in_order(files, video)]
    return Content(records=records, item=item, info={"classes": distinct(names)})


def _task(files: Files) -> Content:
    videos = _videos(files)
    names = {task: _words(task) for task in sorted({str(video.get("class") or "") for video in videos} - {""})}
    files.expect("coin: tasks", len(names), 180)

    def item(record: Record) -> dict[str, Any]:
        return {
            "id": record.key,
            "media": _video(files, record, record.key),
            "label": class_of(names, "class", record.word("class")),
        }

    return Content(records=[v for v in videos if _tested(v)], item=item, info={"classes": distinct(names)})


def _next(files: Files) -> Content:
    videos = _videos(files)
    names = _steps(files, videos)
    records = []
    for video in videos:
        steps = _in_order(files, video) if _tested(video) else []
        for step, after in itertools.pairwise(steps):
            records.append(Record(where=step.where, key=step.key, fields={**step.fields, "next": after}))

    def item(record: Record) -> dict[str, Any]:
        found, after = _segment(files, record), record.fields["next"]
        horizon = max(0.0, _span(after)[0] - found["end"])
        return found | {"label": class_of(names, "label", after.word("label")), "horizon": horizon}

    return Content(records=records, item=item, info={"classes": distinct(names)})


def _videos(files: Files) -> list[Record]:
    return files.keyed(files.path("COIN.json", main=True), "database")


def _tested(video: Record) -> bool:
    return str(video.get("subset")).strip().lower() in ("testing", "test", "validation", "val")


def _steps(files: Files, videos: list[Record]) -> dict[str, str]:
    """The label of every step of all subsets, with its words."""
    steps = [step for video in videos for step in _children(video)]
    files.expect("coin: ids of steps", len({str(step.get("id")) for step in steps}), 778)
    labels = [step.get("label") for step in steps]
    return {label.strip(): as_language(label) for label in labels if isinstance(label, str) and label.strip()}


def _children(video: Record) -> list[Record]:
    """The steps of a video, none if they are no list."""
    try:
        children = video.children("annotation")
    except Refused:
        return []
    extra = {"video": video.key, "recipe_type": video.get("recipe_type")}
    return [
        Record(where=child.where, key=f"{video.key}/{i}", fields={**child.fields, **extra})
        for i, child in enumerate(children)
    ]


def _in_order(files: Files, video: Record) -> list[Record]:
    """The steps of a tested video in order of time; those without a time stay, for their items to name."""
    if not (steps := _children(video)):
        files.left_out.add("annotation: holds no step", video.where)
    starts = {}
    for step in steps:
        try:
            starts[step.key] = _span(step)[0]
        except Refused:
            starts[step.key] = float("inf")
    return sorted(steps, key=lambda step: starts[step.key])


def _segment(files: Files, step: Record) -> dict[str, Any]:
    start, end = _span(step)
    return {"id": step.key, "media": _video(files, step, step.word("video")), "start": start, "end": end}


def _span(step: Record) -> tuple[float, float]:
    segment = step.list("segment")
    if len(segment) != 2:
        raise Refused("segment: is no start and end", str(segment))
    times = Record(where=step.where, fields={"segment start": segment[0], "segment end": segment[1]})
    return times.seconds("segment start"), times.seconds("segment end")


def _video(files: Files, record: Record, name: str) -> str:
    return files.video(f"{record.get('recipe_type')}/{name}", name)


def _words(task: str) -> str:
    """Tasks are verb phrases; of one word alone its capital is all there is to mend."""
    words = as_language(task)
    return words if " " in words else words.lower()


SET = BenchmarkSet(
    benchmarks=(
        Spec(name="coin_step", task="classification", metric="top1", query=STEP, paper=0.664, items=None, read=_step),
        Spec(
            name="coin_task",
            task="classification",
            metric="top1",
            query=TASK,
            paper=0.903,
            items=2_797,
            read=_task,
        ),
        Spec(
            name="coin_next_step",
            task="anticipation",
            metric="top1",
            query=NEXT,
            paper=0.562,
            items=None,
            read=_next,
        ),
    )
)
