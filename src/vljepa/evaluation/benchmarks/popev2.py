"""POPEv2: the object of each question is in one picture, and painted out of its double.

Licence: the repository's MIT; the images are COCO's (CC BY 4.0 annotations, photographs under their owners' terms).
Link: https://github.com/AoiDragon/POPE, folder POPEv2 (Li et al., AAAI 2026, arXiv 2508.04567).
Split: 500 pairs, 1,000 questions.
Protocol: choice between yes and no; accuracy. The repository has no scorer: the other figures are POPE's.
Paper (table 2): SFT 86.3.

Files: ``annotations.json``, a list of ``{image_id, image_name, target_object, query, label}``, label "Yes" or "No".
``/coco/train2017/<id>.jpg`` is COCO's picture, ``/images/<id>.jpg``, of the same name, the one without the object: it
must lie in a folder ``images``, the other in ``train2017`` or under its name of 2014. Checked against the file of the
repository. Not read: the later release on Hugging Face in Parquet files, a row a pair.
"""

from typing import Any

from vljepa.evaluation.benchmarks.pope import yes_or_no
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import BenchmarkSet, Content, Spec


def _questions(files: Files) -> Content:
    def item(record: Record) -> dict[str, Any]:
        answer = yes_or_no(record)
        folder, _, name = record.word("image_name").removesuffix(".jpg").rpartition("/")
        if folder.endswith("train2017"):
            media = files.image(
                f"train2017/{name}", f"COCO_train2014_{name}", f"COCO_val2014_{name}", named=f"train2017/{name}"
            )
        else:
            # COCO's own pictures may lie in a folder of that name too, so the one below POPEv2 goes first.
            media = files.image(f"POPEv2/images/{name}", f"dataset/images/{name}", f"images/{name}")
        return {
            "id": f"{record.word('image_id')}-{answer}",
            "media": media,
            "question": record.text("query"),
            "answer": answer,
        }

    records = files.records(files.path("annotations.json", main=True))
    return Content(records=records, item=item, info={"answers": ["yes", "no"]})


SET = BenchmarkSet(
    benchmarks=(Spec(name="popev2", task="choice", metric="pope", paper=0.863, items=1_000, read=_questions),)
)
