"""ActivityNet Captions: long YouTube videos, each searched for by a whole paragraph.

Licence: none comes with the files; the videos are their owners'.
Link: https://cs.stanford.edu/people/ranjaykrishna/densevid/ (``captions.zip``).
Split: val_1, 4,917 videos with 17,505 sentences (train 10,009; val_2 has 4,885 of the same videos, other sentences).
Protocol: paragraph-to-video R@1 among the 4,917 videos. The paragraph is all sentences of a video joined with blanks in
the order of the file, as CLIP4Clip and InternVideo join them; 131 videos are not told in order of time. The whole
video.
Paper (table 1): BASE 64.9, SFT 62.4.

File: ``val_1.json``, ``{video: {duration, timestamps, sentences}}``; 2D-TAN calls it ``val.json``. Most sentences begin
with blanks, one holds a line end. Videos are ``v_<youtube_id>`` or ``<youtube_id>``, with any suffix.
"""

from typing import Any

from vljepa.evaluation.conversion.captions import captions
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import CAPTION, BenchmarkSet, Content, Spec


def _val_1(files: Files) -> Content:
    def item(record: Record) -> dict[str, Any]:
        paragraph = " ".join(captions(files, record, "sentences", record.list("sentences")))
        media = files.video(record.key, record.key.removeprefix("v_"))
        return {"id": record.key, "media": media, "texts": [paragraph]}

    return Content(records=files.keyed(files.path("val_1.json", "val.json", main=True)), item=item)


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="activitynet",
            task="retrieval",
            metric="recall@1",
            query=CAPTION,
            paper=0.624,
            items=4_917,
            read=_val_1,
        ),
    )
)
