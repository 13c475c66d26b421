"""POPE: is this object in the picture? Half of the objects are not, and look for what a model makes up.

Licence: MIT; the images are COCO's (CC BY 4.0 annotations, photographs under their owners' Flickr terms).
Link: https://github.com/RUCAIBox/POPE (Li et al., EMNLP 2023, arXiv 2305.10355).
Split: 500 images of COCO val2014, six questions each, in three files of 3,000 by how an absent object is drawn: at
random, among the most frequent, among those that often stand beside what is there. Half of the answers are yes.
Protocol: choice between yes and no; accuracy, precision, recall, F1 of yes and the share of yes, by file. The paper's
figure is the mean accuracy of the three, which is the accuracy over all, as they are of one size.
Paper (table 2): SFT 85.7.

Files: ``coco_pope_random.json``, ``coco_pope_popular.json`` and ``coco_pope_adversarial.json``, JSON Lines in spite of
their name: ``question_id`` (1 to 3,000 in each file), ``image``, ``text``, ``label``. Checked against the files of the
repository. Its commit e3e3926 of 2023, by which some papers still go, has 2,910 lines in the random file and
"imange" for "image" after "an": the word is mended, the size needs ``--partial``.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import BenchmarkSet, Content, Spec

GROUPS = ("random", "popular", "adversarial")


def yes_or_no(record: Record) -> str:
    """The label, which POPEv2 writes with a capital."""
    label = record.word("label")
    if label.lower() not in ("yes", "no"):
        raise Refused("label: is neither yes nor no", label)
    return label.lower()


def _questions(files: Files) -> Content:
    def records() -> Iterator[Record]:
        for group in GROUPS:
            for record in files.records(files.path(f"coco_pope_{group}.json")):
                yield replace(record, key=group)

    def item(record: Record) -> dict[str, Any]:
        question = record.text("text")
        if "imange" in question:
            files.repaired.add("text: says imange, mended to image", record.where)
        name = record.word("image").removesuffix(".jpg")
        number = name.rpartition("_")[2]
        return {
            "id": f"{record.key}-{record.word('question_id')}",
            # COCO's split of 2017 has the same pictures under their bare numbers.
            "media": files.image(name, f"val2017/{number}", f"train2017/{number}", named=name),
            "question": question.replace("imange", "image"),
            "answer": yes_or_no(record),
            "group": record.key,
        }

    return Content(records=records(), item=item, info={"answers": ["yes", "no"]})


SET = BenchmarkSet(
    benchmarks=(Spec(name="pope", task="choice", metric="pope", paper=0.857, items=9_000, read=_questions),)
)
