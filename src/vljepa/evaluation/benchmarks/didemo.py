"""DiDeMo: personal videos of Flickr, each searched for by all its sentences together.

Licence: BSD 2-clause (annotations); of the videos, each its own of Creative Commons, see ``video_licenses.txt`` there.
Link: https://github.com/LisaAnne/LocalizingMoments (``data/test_data.json``) and, for the list,
https://github.com/albanie/collaborative-experts (``misc/datasets/didemo/test_list.txt``).
Split: test, 1,004 videos with 3,932 sentences: those of the 1,037 in the file that are in the list of collaborative
experts. Others have 1,003, because they could not read one; which one is not known.
Protocol: paragraph-to-video R@1 among the 1,004 videos. The paragraph is all descriptions of a video joined with blanks
in the order of the file, which is not that of time (CLIP4Clip); of the video what its annotators saw, the first
30 s (InternVideo2; CLIP4Clip 31 s, PE's loader takes all).
Paper (table 1): BASE 50.0, SFT 52.3.

Files: ``test_data.json``, a list of ``{annotation_id, description, video, times, num_segments, dl_link}``, one a
sentence; ``num_segments`` of 5 s each, 5 or 6. ``test_list.txt``, a video a line. A video is named with its first
suffix (``x.mov``) or a bare dot (``x.``); on disk it is ``x.mov``, ``x.mov.mp4``, ``x..mp4`` or ``x.mp4``. A file
called ``x.`` has no suffix to be told by and must be renamed.
"""

from collections import defaultdict
from typing import Any

from vljepa.evaluation.conversion.captions import captions
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import CAPTION, BenchmarkSet, Content, Spec

_SECONDS = 5
"""Of a segment."""


def _test(files: Files) -> Content:
    sentences: dict[str, list[Record]] = defaultdict(list)
    for record in files.records(files.path("test_data.json", main=True)):
        try:
            sentences[record.word("video")].append(record)
        except Refused as refused:
            files.left_out.add(refused.reason, record.where)

    def item(record: Record) -> dict[str, Any]:
        video = record.key
        if video not in sentences:
            raise Refused("video: has no description", video)
        first, *_ = said = sentences[video]
        paragraph = " ".join(captions(files, first, "description", [sentence.get("description") for sentence in said]))
        return {
            "id": video,
            "media": files.video(video),
            "start": 0,
            "end": _SECONDS * first.whole("num_segments"),
            "texts": [paragraph],
        }

    return Content(records=files.listed(files.path("test_list.txt")), item=item)


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="didemo",
            task="retrieval",
            metric="recall@1",
            query=CAPTION,
            paper=0.523,
            items=1_004,
            read=_test,
        ),
    )
)
