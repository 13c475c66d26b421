"""PVD-Bench: the test videos of the PE Video Dataset, each with a caption that people refined.

Licence: CC BY-NC 4.0 (from memory).
Link: https://huggingface.co/datasets/facebook/PE-Video (``test/*.tar``).
Split: test, the 15,000 videos whose ``human_caption`` is not null.
Protocol: text-to-video R@1, one caption a video, 15,000 x 15,000; the whole video. Perception Encoder's own code reads
an ``imago15k.csv`` that is not public; that this is the same split is an assumption.
Paper (table 1): BASE 83.1, SFT 82.6.

Files: the shards unpacked, ``<key>.json`` beside ``<key>.mp4``, with the fields ``human_caption``, ``model_caption``
and others; keys are numbers. Fields are from loaders of third parties, the shards themselves were not seen. SOURCE must
hold the test split alone: the training split has captions of people too.
"""

from pathlib import Path
from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.captions import one_line
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import CAPTION, BenchmarkSet, Content, Spec


def _test(files: Files) -> Content:
    paths = files.matching("*.json")
    if not paths:
        raise UserError("pvd_bench: SOURCE holds no <key>.json; unpack the shards of the test split into it")

    def item(record: Record) -> dict[str, Any] | None:
        record = _read(files, record)
        if record.get("human_caption") is None:
            return None
        video = record.key
        return {"id": video, "media": files.video(video), "texts": [one_line(record.text("human_caption"))]}

    return Content(records=[Record(where=str(path), fields={}, key=path.stem) for path in paths], item=item)


def _read(files: Files, record: Record) -> Record:
    """The record with what its file holds.

    Raises:
        Refused: that is no object. One file among thousands does not stop the others.
    """
    try:
        fields = files.json(Path(record.where))
    except UserError as error:
        raise Refused("file: cannot be read", str(error)) from error
    if not isinstance(fields, dict):
        raise Refused("file: holds no object", type(fields).__name__)
    return Record(where=record.where, fields=fields, key=record.key)


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="pvd_bench",
            task="retrieval",
            metric="recall@1",
            query=CAPTION,
            paper=0.826,
            items=15_000,
            read=_test,
        ),
    )
)
