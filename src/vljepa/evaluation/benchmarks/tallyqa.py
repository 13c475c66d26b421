"""TallyQA: how many are there? Simple questions count a kind of thing, complex ones those with a property.

Licence: Apache 2.0 (that of the repository); the images are Visual Genome's (CC BY 4.0).
Link: https://github.com/manoja328/TallyQA_dataset (Acharya et al., AAAI 2019, arXiv 1810.12440).
Split: test, 38,589 questions: 22,991 simple and 15,598 complex (the sum is checked in public code, the two are not).
Protocol: choice among the numbers 0 to 15, written in digits; accuracy and root mean squared error. The paper's figure
is the mean of simple and complex weighted by their sizes, which is the accuracy over all.
Paper (table 2): SFT 69.9.

File: ``test.json`` of tallyqa.zip, a list of ``{answer, data_source, image, image_id, issimple, question,
question_id}``; ``train.json`` has no ``issimple``. Images are ``VG_100K/<id>.jpg`` and ``VG_100K_2/<id>.jpg``, and are
found without these folders too. Groups are ``issimple``'s simple and complex, as most evaluations take them, and the
source: the authors' code takes "amt" for complex and leaves out what is neither simple nor from there, which is counted
here. Form and sources as the README and public code have them; the file was not at hand.
"""

from typing import Any

from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import BenchmarkSet, Content, Spec

_HIGHEST = 15


def _test(files: Files) -> Content:
    def item(record: Record) -> dict[str, Any]:
        answer = record.whole("answer")
        if not 0 <= answer <= _HIGHEST:
            raise Refused(f"answer: is no number from 0 to {_HIGHEST}", str(answer))
        simple, source = record.flag("issimple"), record.word("data_source")
        if not simple and source != "amt":
            files.repaired.add("issimple: is false, but the source is not amt; complex here", record.where)
        image = record.word("image").rpartition(".")[0]
        return {
            "id": record.word("question_id"),
            "media": files.image(image, image.rpartition("/")[2], named=image),
            "question": record.text("question"),
            "answer": str(answer),
            "group": ["simple" if simple else "complex", source],
        }

    records = files.records(files.path("test.json", main=True))
    return Content(records=records, item=item, info={"answers": [str(number) for number in range(_HIGHEST + 1)]})


SET = BenchmarkSet(
    benchmarks=(Spec(name="tallyqa", task="choice", metric="tallyqa", paper=0.699, items=38_589, read=_test),)
)
