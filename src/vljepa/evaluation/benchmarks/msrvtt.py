"""MSR-VTT, split 1k-A: 1,000 YouTube clips of 10 to 30 s, one sentence each.

Licence: none comes with the file; Microsoft made MSR-VTT for research, the videos are their owners' (from memory).
Link: https://github.com/ArrowLuo/CLIP4Clip (``msrvtt_data.zip``; videos: ``MSRVTT.zip`` of frozen-in-time).
Split: the test list of JSFusion, 1,000 of the 10,000 videos; not 1k-B (Miech), nor "full" (2,990).
Protocol: text-to-video R@1 among the 1,000 videos, the one sentence that JSFusion drew of a video's twenty as query;
the whole clip. 995 sentences are distinct: where texts are equal, only the video of the same row counts as right.
Paper (table 1): BASE 40.0, SFT 46.2.

File: ``MSRVTT_JSFUSION_test.csv`` with the header ``key,vid_key,video_id,sentence``, which HowTo100M's authors call
``msrvtt_test.csv``; copies with semicolons are about. Videos are ``video<n>.mp4``, some ``.webm``.
"""

from typing import Any

from vljepa.evaluation.conversion.captions import one_line
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import CAPTION, BenchmarkSet, Content, Spec


def _test(files: Files) -> Content:
    def item(record: Record) -> dict[str, Any]:
        video = record.word("video_id")
        return {"id": video, "media": files.video(video), "texts": [one_line(record.text("sentence"))]}

    path = files.path("MSRVTT_JSFUSION_test.csv", "msrvtt_test.csv", main=True)
    return Content(records=files.table(path, ("video_id", "sentence")), item=item)


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="msrvtt_1ka",
            task="retrieval",
            metric="recall@1",
            query=CAPTION,
            paper=0.462,
            items=1_000,
            read=_test,
        ),
    )
)
