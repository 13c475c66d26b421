"""SugarCrepe++: a caption, the same in other words, and a hard negative, for images of MS-COCO.

Licence: MIT. Link: https://github.com/Sri-Harsha/scpp (``data``), https://huggingface.co/datasets/Aman-J/SugarCrepe_pp.
Split: all, 4,757 triplets: swap_obj 245, swap_att 666, replace_obj 1,652, replace_att 788, replace_rel 1,406.
Protocol (table 6 b): text alone. Right if the two captions are more similar to each other than either is to the
negative, both strictly, as the authors' ``evaluate_ulms.py`` has it; accuracy over all triplets (micro), and by group.
Paper: BASE 63.9, SFT 58.4, micro too.

Files: one JSON array a group, ``swap_obj.json`` and so on, of ``id`` (the place in it), ``filename``, ``caption``,
``caption2``, ``negative_caption``. Files of the same names in the repository's ``generated_data`` hold captions that
nobody has checked: do not point SOURCE there. Two records of swap_obj have a negative that equals the caption, so that
they cannot be right. Blanks around texts are kept, as the authors' code keeps them.
"""

from dataclasses import replace
from typing import Any

from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import BenchmarkSet, Content, Spec

_SIZES = {"swap_obj": 245, "swap_att": 666, "replace_obj": 1652, "replace_att": 788, "replace_rel": 1406}


def _triplets(files: Files) -> Content:
    records: list[Record] = []
    for group, size in _SIZES.items():
        found = files.records(files.path(f"{group}.json"))
        files.expect(group, len(found), size)
        records += [replace(record, key=group) for record in found]

    def item(record: Record) -> dict[str, Any]:
        return {
            "id": f"{record.key}-{record.word('id')}",
            "p1": record.text("caption"),
            "p2": record.text("caption2"),
            "n": record.text("negative_caption"),
            "group": record.key,
        }

    return Content(records=records, item=item, info={"chance": 1 / 3})


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="sugarcrepe_pp",
            task="triplet",
            metric="accuracy",
            paper=0.584,
            items=sum(_SIZES.values()),
            read=_triplets,
        ),
    )
)
