"""VDC-1k: 1,027 videos, each with five long captions of different subjects.

Licence: Apache-2.0 (annotations).
Link: https://huggingface.co/datasets/wchai/Video-Detailed-Caption.
Split: all 1,027, whatever the name says.
Protocol: text-to-video R@1, one caption a video as query, 1,027 x 1,027; the whole video. The set was made for captions
and defines no retrieval. That the paper searches by the detailed caption is an assumption; ``--options captions=``
takes another, and ``benchmark.json`` names the one that was taken. A detailed caption has some 500 words: 77 tokens of
a CLIP hold its beginning.
Paper (table 1): BASE 88.8, SFT 87.7.

File: ``VDC_1k.jsonl``: ``video_id``, ``video_name``, ``video_source`` and ``<subject>_caption``, or these together in
``captions`` (``VDC_1k_captions.jsonl``). Fields as three loaders of others read them, the file itself was not seen.
Videos are ``<video_name>``, with a suffix or not, or ``<video_id>``; some ids begin with a dash.
"""

from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.captions import one_line
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import CAPTION, BenchmarkSet, Content, Spec

SUBJECTS = ("detailed", "short", "main_object", "background", "camera")


def _all(files: Files) -> Content:
    subject = files.option("captions", SUBJECTS[0])
    if subject not in SUBJECTS:
        raise UserError(f"--options captions={subject}: choose one of {', '.join(SUBJECTS)}")

    def item(record: Record) -> dict[str, Any]:
        nested = record.get("captions")
        texts = Record(where=record.where, fields=nested) if isinstance(nested, dict) else record
        video = record.word("video_id")
        return {
            "id": video,
            "media": files.video(record.word("video_name", "video_id"), video),
            "texts": [one_line(texts.text(f"{subject}_caption"))],
        }

    path = files.path("VDC_1k.jsonl", "VDC_1k_captions.jsonl", main=True)
    return Content(records=files.records(path), item=item, info={"captions": subject})


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="vdc1k",
            task="retrieval",
            metric="recall@1",
            query=CAPTION,
            paper=0.877,
            items=1_027,
            read=_all,
        ),
    ),
    options={"captions": f"which caption is the query: {', '.join(SUBJECTS)}"},
)
