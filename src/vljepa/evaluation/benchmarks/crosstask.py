"""CrossTask: instructional videos of 18 tasks; which step, which task.

Licence: BSD 3-Clause (annotations and code). Link: https://github.com/DmZhukov/CrossTask.
Split: the videos of the 18 primary tasks that have an annotation, by default all of them, since nothing of them is
trained on; ``--options split=val`` takes those of ``videos_val.csv``. The repository draws its test videos at random
and unseeded, so there is no official size. Which of these the paper takes is not known.
Protocol, step (CrossTask-SR): top-1 of a step's segment among the steps of the 18 tasks; equal texts are one class (133
steps with 105 texts, from memory). Task (CrossTask-TR): top-1 of the whole video among the 18 titles.
Paper (table 1): step BASE 64.5, SFT 79.8; task BASE 89.6, SFT 96.2.

Files of ``crosstask_release``: ``tasks_primary.txt``, blocks of five lines (id, title, address, number of steps, steps
divided by commas) and an empty one; ``annotations/<task>_<video>.csv`` without a header, rows ``step,start,end`` with
the step counted from 1; ``videos_val.csv`` without a header, rows ``task,video,url``. As the repository's ``data.py``
reads them. Videos are ``<video>.mp4``.
"""

from pathlib import Path
from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import STEP, TASK, BenchmarkSet, Content, Spec
from vljepa.evaluation.conversion.words import as_language

Tasks = dict[str, tuple[str, list[str]]]
"""Id to title and steps."""


def _step(files: Files) -> Content:
    tasks = _tasks(files)
    records = []
    for task, video, path in _annotated(files, tasks):
        try:
            rows = files.table(path, ("step", "start", "end"), header=False)
        except UserError as error:
            # Of thousands of files a broken one must not cost the others.
            files.left_out.add("annotations: a file cannot be read", str(error))
            continue
        for i, row in enumerate(rows):
            fields = {**row.fields, "task": task, "video": video, "id": f"{task}/{video}/{i}"}
            records.append(Record(where=row.where, fields=fields))

    def item(record: Record) -> dict[str, Any]:
        number, steps = record.whole("step"), tasks[record.fields["task"]][1]
        if not 1 <= number <= len(steps):
            raise Refused("step: is not among the task's steps", f"{number} of {len(steps)}")
        video = record.fields["video"]
        return {
            "id": record.fields["id"],
            "media": files.video(f"{record.fields['task']}/{video}", video),
            "start": record.seconds("start"),
            "end": record.seconds("end"),
            "label": steps[number - 1],
        }

    classes = list(dict.fromkeys(step for _, steps in tasks.values() for step in steps))
    return Content(records=records, item=item, info={"classes": classes})


def _task(files: Files) -> Content:
    tasks = _tasks(files)
    records = [
        Record(where=str(path), fields={"task": task, "video": video}) for task, video, path in _annotated(files, tasks)
    ]

    def item(record: Record) -> dict[str, Any]:
        task, video = record.fields["task"], record.fields["video"]
        return {"id": f"{task}/{video}", "media": files.video(f"{task}/{video}", video), "label": tasks[task][0]}

    return Content(records=records, item=item, info={"classes": list(dict.fromkeys(t for t, _ in tasks.values()))})


def _tasks(files: Files) -> Tasks:
    path = files.path("tasks_primary.txt")
    lines = [line.strip() for line in files.text(path).splitlines() if line.strip()]
    if len(lines) % 5:
        raise UserError(f"{path}: holds {len(lines)} lines that are not empty, no multiple of 5; fetch it again")
    tasks: Tasks = {}
    for i in range(0, len(lines), 5):
        name, title, _, number, steps = lines[i : i + 5]
        found = [as_language(step) for step in steps.split(",") if step.strip()]
        if number != str(len(found)):
            raise UserError(f"{path}: task {name}: number of steps: is {number}, but {len(found)} steps are listed")
        tasks[name] = (as_language(title), found)
    files.expect("crosstask: primary tasks", len(tasks), 18)
    return tasks


def _annotated(files: Files, tasks: Tasks) -> list[tuple[str, str, Path]]:
    """Task, video and file of each annotation of the split."""
    split = files.option("split", "all")
    if split not in ("all", "val"):
        raise UserError(f"--options split={split}: is not all or val")
    kept: set[tuple[str, str]] | None = None
    if split == "val":
        rows = files.table(files.path("videos_val.csv"), ("task", "video", "url"), header=False)
        kept = {(row.fields["task"].strip(), row.fields["video"].strip()) for row in rows}
    found = []
    for path in files.matching("*_*.csv*"):
        # Ids of videos may hold underscores themselves.
        task, _, video = path.name.removesuffix(".gz").removesuffix(".csv").partition("_")
        if task in tasks and (kept is None or (task, video) in kept):
            found.append((task, video, path))
    if not found:
        raise UserError(f"{files.path('tasks_primary.txt')}: no annotation file lies below its folder; check SOURCE")
    return found


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="crosstask_step",
            task="classification",
            metric="top1",
            query=STEP,
            paper=0.798,
            items=None,
            read=_step,
        ),
        Spec(
            name="crosstask_task",
            task="classification",
            metric="top1",
            query=TASK,
            paper=0.962,
            items=None,
            read=_task,
        ),
    ),
    options={"split": "all or val: every annotated video, or those of videos_val.csv; default all"},
)
