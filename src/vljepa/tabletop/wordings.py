"""Tabletop's training manifests with a limited number of wordings for each fact, over the same media.

The suite draws wordings for each clip anew, so that even a single one a clip varies over clips. Here the k-th wording
of all facts is one way of saying them: one choice of phrase, form and words. With one of them a fact has one text.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from vljepa.errors import UserError
from vljepa.tabletop import language
from vljepa.tabletop.jobs import Job
from vljepa.tabletop.scene import Episode, Step
from vljepa.tabletop.suite import SIZES, plan

MANIFESTS = ("sft_actions", "sft_videos", "sft_procedures")
"""Those whose targets can be said anew."""


def write(data: Path, out: Path, count: int) -> None:
    """Write ``MANIFESTS`` to a new folder ``out``, with at most ``count`` wordings a fact; some facts have fewer.

    Args:
        data: a suite's folder.
        out: in it, as a manifest's media must lie within its data set.

    Raises:
        UserError: ``data`` is not a whole suite with training clips.
    """
    try:
        about = json.loads((data / "tabletop.json").read_text(encoding="utf-8"))
        size, seed = SIZES[about["size"]], int(about["seed"])
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{data}: is no whole Tabletop ({error!r}); write one with `vljepa tabletop`") from error
    facts = {
        name: texts
        for job in plan(data, size, seed)
        if job.split == "train" and job.kind in ("action", "procedure")
        for name, texts in _targets(job, count)
    }
    aside = out.with_name(out.name + ".writing")
    aside.mkdir(parents=True, exist_ok=True)
    for manifest in MANIFESTS:
        rows = (data / "train" / f"{manifest}.jsonl").read_text(encoding="utf-8").splitlines()
        with (aside / f"{manifest}.jsonl").open("w", encoding="utf-8") as file:
            for row in map(json.loads, rows):
                media = os.path.relpath(data / "train" / row["media"], out)
                file.write(json.dumps({**row, "media": media, "targets": facts[row["id"]]}) + "\n")
    aside.rename(out)


def captions(episode: Episode, step: Step, count: int) -> tuple[str, ...]:
    """The first ``count`` wordings of what happens in a step, as far as they differ: any two clips' k-th are alike."""
    drawn = (language.caption(episode, step, np.random.default_rng([number, 13])) for number in range(count))
    return tuple(dict.fromkeys(drawn))


def _targets(job: Job, count: int) -> Iterator[tuple[str, Sequence[str]]]:
    """Ids of the rows of a training job, and their texts."""
    episode = job.episode()
    if job.kind == "action":
        step = episode.steps[0]
        yield f"{job.id}-action", language.action_labels(step.verb, job.shape)[:count]
        yield f"{job.id}-caption", captions(episode, step, count)
        return
    yield job.id, language.procedure_captions(job.procedure)[:count]
    for number, step in enumerate(episode.steps):
        labels = language.action_labels(step.verb, None)[:count]
        yield f"{job.id}-{number}", labels
        yield f"{job.id}-next-{number}", labels
        yield f"{job.id}-{number}-caption", captions(episode, step, count)
