"""Dream-1k: 1,000 clips of films, stock footage and short videos, each with a description of all its events.

Licence: Apache-2.0 (annotations); the videos are for academic research only.
Link: https://huggingface.co/datasets/omni-research/DREAM-1K, https://github.com/bytedance/tarsier.
Split: all 1,000, 200 each of five sources.
Protocol: text-to-video R@1, the description as query, 1,000 x 1,000; the whole clip. The set was made for captions and
defines no retrieval: this is the plain reading of what the paper calls so. Descriptions have 59 words in the mean.
Paper (table 1): BASE 93.3, SFT 89.3.

File: ``DREAM-1k.jsonl`` of Tarsier, where the description is ``reference`` in the assistant's turn of ``messages`` and
``vid`` a number, or ``metadata.json`` of the hub with ``description`` and ``video_file`` (fields from its card, the
file itself was not seen). Videos are ``<vid>.mp4``.
"""

from pathlib import PurePosixPath
from typing import Any

from vljepa.evaluation.conversion.captions import one_line
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import CAPTION, BenchmarkSet, Content, Spec


def _all(files: Files) -> Content:
    def item(record: Record) -> dict[str, Any]:
        if "messages" in record.fields:
            video, text = record.word("vid"), _answer(record).text("reference")
        else:
            video, text = PurePosixPath(record.word("video_file")).stem, record.text("description")
        return {"id": video, "media": files.video(video), "texts": [one_line(text)]}

    return Content(records=files.records(files.path("DREAM-1k.jsonl", "metadata.json", main=True)), item=item)


def _answer(record: Record) -> Record:
    """What the assistant is to say."""
    for message in record.children("messages"):
        if message.get("role") == "assistant":
            for part in message.children("content"):
                return part
    raise Refused("messages: hold no answer")


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="dream1k",
            task="retrieval",
            metric="recall@1",
            query=CAPTION,
            paper=0.893,
            items=1_000,
            read=_all,
        ),
    )
)
