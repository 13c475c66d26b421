"""CLEVR: questions of several steps about coloured solids.

Licence: CC BY 4.0.
Link: https://cs.stanford.edu/people/jcjohns/clevr (Johnson et al., CVPR 2017, arXiv 1612.06890).
Split: validation, 149,991 questions on 15,000 images (train 699,989; test without answers).
Protocol: choice among the 28 answers there are; accuracy, by the kind of the program's last step as in CLEVR's paper.
Paper: only in the means of its ablations (table 7), no figure of its own.

File: ``CLEVR_val_questions.json`` of CLEVR_v1.0, ``{"info", "questions": [{split, image_filename, question, answer,
program: [{function, ...}], question_index, ...}]}``; images are ``CLEVR_val_<six digits>.png``. Files of the public
generator are read too: their programs say ``type`` for ``function``, and their answers are JSON's true, false and
numbers. The README of the release does not name ``question_index``: without it the place in the file is the id.
"""

from typing import Any

from vljepa.data.manifest import shown
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import BenchmarkSet, Content, Spec

ANSWERS = (
    *(str(number) for number in range(11)),
    *("yes", "no"),
    *("gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow"),
    *("cube", "sphere", "cylinder"),
    *("small", "large"),
    *("rubber", "metal"),
)
_INTEGERS = {"equal_integer", "less_than", "greater_than"}


def _validation(files: Files) -> Content:
    def item(record: Record) -> dict[str, Any] | None:
        if record.get("split") not in (None, "val"):
            return None
        kind = _kind(record)
        return {
            "id": record.word("question_index") if record.get("question_index") is not None else record.key,
            "media": files.image(record.word("image_filename").removesuffix(".png")),
            "question": record.text("question"),
            "answer": _answer(record),
            **({"group": kind} if kind else {}),
        }

    records = files.members(files.path("CLEVR_val_questions.json", main=True), "questions")
    return Content(records=records, item=item, info={"answers": list(ANSWERS)})


def _answer(record: Record) -> str:
    value = record.get("answer")
    answer = ("no", "yes")[value] if isinstance(value, bool) else record.word("answer")
    if answer not in ANSWERS:
        raise Refused("answer: is none of CLEVR's 28", shown(answer))
    return answer


def _kind(record: Record) -> str:
    """What a question asks for, by the last step of its program; "" without one."""
    if not record.get("program"):
        return ""
    step = record.children("program")[-1].word("function", "type")
    if step in _INTEGERS:
        return "compare integer"
    verb, _, attribute = step.partition("_")
    return f"{verb.replace('equal', 'compare')} attribute" if attribute else verb


SET = BenchmarkSet(benchmarks=(Spec(name="clevr", task="choice", metric="accuracy", items=149_991, read=_validation),))
