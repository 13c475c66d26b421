"""EPIC-KITCHENS-100: cooking seen by the cook; what is done, and what will be done next.

Licence: CC BY-NC 4.0. Link: https://github.com/epic-kitchens/epic-kitchens-100-annotations.
Split: validation, 9,668 actions (78 verbs, 211 nouns, 1,352 pairs of them occur).
Protocol, action: top-1; an action is a (verb, noun) pair, written as "take plate". Candidates are the pairs that occur
in validation (``--options candidates=all``: those of train too).
Protocol, anticipation: class-mean Recall@5, the mean over the actions present in the truth. The clip ends 1, 2, 4 or
10 s before the action's start, as the challenge rules say (vjepa2's code counts back from another point), and is
``context`` seconds long, by default the 5 s of the rules' example. Candidates are the pairs of train and validation
(``candidates=validation``: those of validation alone), as finetuned models rank them. An action too near the video's
beginning is seen from its first tenth of a second, as vjepa2 takes the first frame; these are counted.
Paper: BASE 21.8, SFT 44.6 (table 1); finetuned 34.2, 26.0, 19.4, 11.7 at 1, 2, 4, 10 s (table 4).

Files: ``EPIC_100_validation.csv``, ``EPIC_100_verb_classes.csv`` and ``EPIC_100_noun_classes.csv`` of one folder (not
the ``_v2`` of the nouns), for the candidates of train ``EPIC_100_train.csv``. Clips are cut by the time stamps: the
frame numbers assume 60 Hz of videos that have 59.94. Videos are ``<video_id>.MP4``. Counted in the official files.
"""

from functools import partial
from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import ACTION, NEXT, BenchmarkSet, Content, Spec
from vljepa.evaluation.conversion.words import as_language

_COLUMNS = ("narration_id", "video_id", "start_timestamp", "stop_timestamp", "verb_class", "noun_class")
_FIRST_INSTANT = 0.1  # seconds
_CHOICES = ("validation", "all")
_PAPER = {1: 0.342, 2: 0.26, 4: 0.194, 10: 0.117}

Pair = tuple[int, int]


def _action(files: Files) -> Content:
    rows, names = _read(files, "validation")

    def item(record: Record) -> dict[str, Any]:
        times = {"start": _seconds(record, "start_timestamp"), "end": _seconds(record, "stop_timestamp")}
        return {**_labelled(files, record, names), **times}

    return Content(records=rows, item=item, info={"classes": list(dict.fromkeys(names.values()))})


def _anticipation(files: Files, horizon: int) -> Content:
    rows, names = _read(files, "all")
    try:
        context = float(files.option("context", "5"))
    except ValueError:
        context = 0.0
    if not 0 < context < float("inf"):
        raise UserError(
            f"--options context={files.option('context')}: is no number of seconds above 0; write context=5"
        )

    def item(record: Record) -> dict[str, Any]:
        end = _seconds(record, "start_timestamp") - horizon
        if end < _FIRST_INSTANT:
            files.repaired.add("start_timestamp: is too near the beginning, the first instant is shown", record.where)
            end = _FIRST_INSTANT
        times = {"start": max(0.0, end - context), "end": end, "horizon": float(horizon)}
        return {**_labelled(files, record, names), **times}

    return Content(records=rows, item=item, info={"classes": list(dict.fromkeys(names.values()))})


def _read(files: Files, candidates: str) -> tuple[list[Record], dict[Pair, str]]:
    """The rows of validation, and the words of each pair that is a candidate."""
    candidates = files.option("candidates", candidates)
    if candidates not in _CHOICES:
        raise UserError(f"--options candidates={candidates}: is not {' or '.join(_CHOICES)}")
    rows = files.table(files.path("EPIC_100_validation.csv", main=True), _COLUMNS)
    verbs, nouns = _keys(files, "EPIC_100_verb_classes.csv"), _keys(files, "EPIC_100_noun_classes.csv")
    train = files.table(files.path("EPIC_100_train.csv"), _COLUMNS) if candidates == "all" else []
    names = {}
    for row in (*rows, *train):
        try:
            verb, noun = _pair(row)
            names[verb, noun] = f"{verbs[verb]} {nouns[noun]}"
        except (Refused, KeyError):
            # A row of validation is named when its item is made; one of train only lacks a candidate.
            continue
    if candidates == "validation":
        files.expect("epic_kitchens: pairs of verb and noun", len(set(names.values())), 1352)
    return rows, names


def _keys(files: Files, name: str) -> dict[int, str]:
    rows = files.table(files.path(name), ("id", "key"))
    # Verbs are hyphenated (turn-on), nouns have their head first (board:chopping).
    return {row.whole("id"): as_language(row.word("key")).replace("-", " ") for row in rows}


def _pair(record: Record) -> Pair:
    return record.whole("verb_class"), record.whole("noun_class")


def _labelled(files: Files, record: Record, names: dict[Pair, str]) -> dict[str, Any]:
    pair = _pair(record)
    if pair not in names:
        raise Refused("verb_class, noun_class: are no classes", f"{pair[0]}, {pair[1]}")
    return {
        "id": record.word("narration_id"),
        "media": files.video(record.word("video_id")),
        "label": names[pair],
    }


def _seconds(record: Record, name: str) -> float:
    """A time stamp such as 00:01:02.34."""
    text = record.word(name)
    try:
        hours, minutes, seconds = text.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError as error:
        raise Refused(f"{name}: is no time as 00:01:02.34", text) from error


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="epic_kitchens_action",
            task="classification",
            metric="top1",
            query=ACTION,
            paper=0.446,
            items=9_668,
            read=_action,
        ),
        *(
            Spec(
                name=f"epic_kitchens_anticipation_{horizon}s",
                task="anticipation",
                metric="class_mean_recall@5",
                query=NEXT,
                paper=paper,
                items=9_668,
                read=partial(_anticipation, horizon=horizon),
            )
            for horizon, paper in _PAPER.items()
        ),
    ),
    options={
        "candidates": "validation or all: the pairs of validation, or of train too",
        "context": "seconds seen for anticipation, default 5",
    },
)
