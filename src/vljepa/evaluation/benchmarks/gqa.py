"""GQA: questions made from scene graphs, balanced so that a guess by their words does not help.

Licence: CC BY 4.0 (annotations, as Visual Genome's).
Link: https://cs.stanford.edu/people/dorarad/gqa (Hudson and Manning, CVPR 2019, arXiv 1902.09506).
Split: testdev balanced, 12,578 questions on 398 images.
Protocol: choice among the answers of the balanced questions for training and validation, 1,842 in LXMERT's list of
them; accuracy by equality to the letter, as in GQA's ``eval.py``, by structural type ("query" is its "open", the others
its "binary") and semantic type. An answer that only testdev has (it seems to be one) joins the candidates and is
counted, so that every question can be answered.
Paper (table 2): SFT 61.5.

Files: ``testdev_balanced_questions.json``, an object of ``{imageId, question, answer, isBalanced, types: {structural,
semantic}, ...}`` by question id; ``testdev_all_questions.json`` gives the same, being filtered by ``isBalanced``. For
the candidates ``train_balanced_questions.json`` and ``val_balanced_questions.json``, which take a while, or LXMERT's
``trainval_label2ans.json``, a list. Images are ``<imageId>.jpg``. Sizes as in big_vision's and TRI-ML's code.
"""

from collections.abc import Iterator
from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import BenchmarkSet, Content, Spec

_LIST = "trainval_label2ans.json"


def _testdev(files: Files) -> Content:
    records = files.keyed(files.path("testdev_balanced_questions.json", "testdev_all_questions.json", main=True))
    known = set(_known(files))
    new = {answer for answer in map(_answer, filter(_balanced, records)) if answer} - known
    for answer in sorted(new):
        files.repaired.add("answer: is none of a training question's, added to the candidates", answer)

    def item(record: Record) -> dict[str, Any] | None:
        if not _balanced(record):
            return None
        kinds = record.get("types")
        types = Record(where=record.where, fields=kinds if isinstance(kinds, dict) else {})
        return {
            "id": record.key,
            "media": files.image(record.word("imageId")),
            "question": record.text("question"),
            "answer": record.word("answer"),
            "group": [types.word("structural"), types.word("semantic")],
        }

    return Content(records=records, item=item, info={"answers": sorted(known | new)})


def _known(files: Files) -> Iterator[str]:
    """Answers to questions for training and validation."""
    path = files.optional(_LIST)
    if path is not None:
        answers = files.json(path)
        if not isinstance(answers, list) or not all(isinstance(answer, str) and answer for answer in answers):
            raise UserError(f"{path}: is no list of answers; is it the right file?")
        yield from answers
        return
    for split in ("train", "val"):
        name = f"{split}_balanced_questions.json"
        path = files.optional(name)
        if path is None:
            raise UserError(f"candidate answers: SOURCE holds no {name}, nor LXMERT's {_LIST}; add one of them")
        yield from filter(None, map(_answer, files.members(path)))


def _balanced(record: Record) -> bool:
    return record.get("isBalanced") is not False


def _answer(record: Record) -> str:
    """The answer, "" if there is none that could be used."""
    try:
        return record.word("answer")
    except Refused:
        return ""


SET = BenchmarkSet(
    benchmarks=(Spec(name="gqa", task="choice", metric="gqa", paper=0.615, items=12_578, read=_testdev),)
)
