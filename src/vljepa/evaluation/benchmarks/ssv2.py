"""Something-Something v2: 174 classes of what a hand does with a thing.

Licence: Something-Something v2 Research License of Qualcomm, non-commercial, after registration.
Link: https://www.qualcomm.com/developer/software/something-something-v-2-dataset.
Split: validation, 24,777 videos (train 168,913, test 27,157 without labels).
Protocol: top-1 over the 174 templates, written without brackets, under one prompt; the whole video.
Paper (table 1): BASE 19.3, SFT 73.2.

Files: ``something-something-v2-validation.json``, a list of ``{id, label, template, placeholders}``, and
``something-something-v2-labels.json``, template without brackets to the class's number as a text; newer downloads call
them ``validation.json`` and ``labels.json``. ``label`` is a free caption: the class is the template. Videos are
``<id>.webm``. Counted in the files; the newer names and the sizes of the other splits are from memory.
"""

from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import ACTION, BenchmarkSet, Content, Spec
from vljepa.evaluation.conversion.words import as_language, class_of, distinct


def _validation(files: Files) -> Content:
    path = files.path("something-something-v2-labels.json", "labels.json")
    templates = files.json(path)
    if not isinstance(templates, dict):
        raise UserError(f"{path}: holds {type(templates).__name__}, not an object of templates; is it the right file?")
    names = {template: as_language(template) for template in templates}

    def item(record: Record) -> dict[str, Any]:
        video = record.word("id")
        template = record.word("template").replace("[", "").replace("]", "")
        return {"id": video, "media": files.video(video), "label": class_of(names, "template", template)}

    records = files.records(files.path("something-something-v2-validation.json", "validation.json", main=True))
    return Content(records=records, item=item, info={"classes": distinct(names)})


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="ssv2",
            task="classification",
            metric="top1",
            query=ACTION,
            paper=0.732,
            items=24_777,
            classes=174,
            read=_validation,
        ),
    )
)
