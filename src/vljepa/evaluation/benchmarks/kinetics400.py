"""Kinetics-400: 400 classes of human action in YouTube clips of ten seconds.

Licence: CC BY 4.0 (annotations); the videos are their owners'.
Link: https://github.com/cvdfoundation/kinetics-dataset.
Split: validation. 20,000 clips in the paper, 50 a class (from memory); lists made later have lost some, each others, so
the list that is given is the measure of what is there.
Protocol: top-1 over the 400 labels under one prompt; the whole clip.
Paper (table 1): BASE 64.8, SFT 84.8.

File: ``val.csv`` (CVDF), ``validate.csv`` or ``kinetics-400_val.csv``, with a header: ``label``, ``youtube_id``,
``time_start``, ``time_end``, ``split``, and in some ``is_cc``; times may stand as ``59`` or ``59.0``. Clips are cut:
``<youtube_id>_<start:06d>_<end:06d>.mp4``, often in a folder of the class, whose blanks may be underscores. A file that
is called ``<youtube_id>`` alone may be a clip or a whole video, so it is not taken.
"""

from typing import Any

from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import ACTION, BenchmarkSet, Content, Spec
from vljepa.evaluation.conversion.words import as_language, class_of, distinct


def _validation(files: Files) -> Content:
    path = files.path("val.csv", "validate.csv", "kinetics-400_val.csv", "kinetics400_val_list_videos.csv", main=True)
    records = files.table(path, ("label", "youtube_id", "time_start", "time_end"))
    labels = sorted({record.fields["label"].strip() for record in records} - {""})
    names = {label: as_language(label) for label in labels}

    def item(record: Record) -> dict[str, Any]:
        label = record.word("label")
        clip = f"{record.word('youtube_id')}_{record.whole('time_start'):06d}_{record.whole('time_end'):06d}"
        return {"id": clip, "media": files.video(f"{label}/{clip}", clip), "label": class_of(names, "label", label)}

    return Content(records=records, item=item, info={"classes": distinct(names)})


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="kinetics400",
            task="classification",
            metric="top1",
            query=ACTION,
            paper=0.848,
            items=None,
            classes=400,
            read=_validation,
        ),
    )
)
