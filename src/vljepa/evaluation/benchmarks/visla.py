"""VISLA: a caption, the same in other words, and a negative that differs in meaning, generic and of space.

Licence: none is stated in the repository. Link: https://github.com/Sri-Harsha/visla_benchmark (arXiv 2404.16365).
Split: all, 973 generic triplets and 640 of space: of the latter file's 652 rows 12 have no negative.
Protocol (table 6 b): text alone, by the rule of SugarCrepe++, which is the same authors'; they publish no scorer for
VISLA. Accuracy over all triplets (micro), and by group. Paper: BASE 42.9, SFT 39.5; micro is assumed here too.

Files: ``Generic_VISLA.tsv`` with ``caption``, ``second positive``, ``negative_caption``; ``Spatial_VISLA.tsv`` with
``sent1``, ``sent2`` and two references, of which "Best reference (Semantically close)" is the hard negative;
"Reference-2 (Completely irrelevant)" is not used. In two rows of space the negative equals a caption. 797 of the
generic rows share image and caption with SugarCrepe++: the two sets are not independent. Blanks around texts are kept.
"""

from dataclasses import replace
from typing import Any

from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import BenchmarkSet, Content, Spec

_GENERIC = ("caption", "second positive", "negative_caption")
_SPATIAL = ("sent1", "sent2", "Best reference (Semantically close)")


def _triplets(files: Files) -> Content:
    generic = files.table(files.path("Generic_VISLA.tsv"), _GENERIC, delimiter="\t")
    spatial = files.table(files.path("Spatial_VISLA.tsv"), _SPATIAL, delimiter="\t")
    files.expect("generic", len(generic), 973)
    files.expect("spatial", len(spatial), 652)
    records = [
        replace(record, key=f"{group}-{number}")
        for group, rows in (("generic", generic), ("spatial", spatial))
        for number, record in enumerate(rows)
    ]

    def item(record: Record) -> dict[str, Any]:
        group = record.key.split("-")[0]
        p1, p2, n = (record.text(column) for column in (_GENERIC if group == "generic" else _SPATIAL))
        return {"id": record.key, "p1": p1, "p2": p2, "n": n, "group": group}

    return Content(records=records, item=item, info={"chance": 1 / 3})


SET = BenchmarkSet(
    benchmarks=(Spec(name="visla", task="triplet", metric="accuracy", paper=0.395, items=973 + 640, read=_triplets),)
)
