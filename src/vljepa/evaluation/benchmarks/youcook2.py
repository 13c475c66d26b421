"""YouCook2: the steps of recipes in cooking videos.

Licence: for non-commercial research (University of Michigan; as others cite it); the videos are their owners'.
Link: http://youcook2.eecs.umich.edu (annotations); https://github.com/antoine77340/MIL-NCE_HowTo100M (the list).
Split: validation, 3,350 clips of 436 videos, 3,273 distinct texts: all clips of the official 457 videos (3,492 clips)
but those of the 21 that HowTo100M holds too. From the list and from the official file come the same clips and texts.
Protocol: text-to-video R@1 among the 3,350 clips of all videos together, a clip's own sentence as query, only its own
clip right; a clip is [start, end] of the whole video (MIL-NCE).
Paper (table 1): BASE 40.4, SFT 37.8.

File: ``youcookii_annotations_trainval.json``, ``{"database": {youtube_id: {subset, annotations: [{segment, id,
sentence}]}}}``, or ``validation_youcook.csv`` with the header ``end,start,task,text,video_id``, the end first. Videos
are ``<youtube_id>``, in folders ``<subset>/<recipe_type>`` or not, some ``.mkv`` or ``.webm``.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from vljepa.evaluation.conversion.captions import one_line
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record, Refused
from vljepa.evaluation.conversion.spec import CAPTION, BenchmarkSet, Content, Spec

IN_HOWTO100M = {
    "1vJp-jaIaeE", "2Zr72r4OCe8", "30Q8k57Kbz4", "4h33GFHLPNg", "524UzHtbAcY", "57e54HEcrUE", "9Y9_OBnJub0",
    "BAoQWVV-bh4", "DeiX_otgD1Q", "FzhJGCaaYVs", "RubyHelAHBE", "W2gnFLOi_AQ", "YA6lhxwLrUI", "aCvIo-M06xI",
    "f2uDKzq8WM0", "lpWOv7Y3JHM", "oC5OvA4BK-E", "vU2lND4YQjM", "wokMK-w7XiA", "x6noOknBPDI", "yreC9D4yYiM",
}  # fmt: skip
"""Videos of the official validation split that the list of clips leaves out."""


def _validation(files: Files) -> Content:
    path = files.path("validation_youcook.csv", "youcookii_annotations_trainval.json", main=True)
    if path.name.removesuffix(".gz").endswith(".json"):
        records = list(_official(files, files.keyed(path, "database")))
    else:
        records = files.table(path, ("video_id", "start", "end", "text"))
    texts: dict[str, list[str]] = defaultdict(list)

    def item(record: Record) -> dict[str, Any]:
        video, start, end = record.word("video_id"), record.seconds("start"), record.seconds("end")
        if end <= start:
            raise Refused("end: is not after start", f"{start:g} to {end:g} s")
        clip, text = f"{video}_{start:g}_{end:g}", one_line(record.text("text"))
        # Two texts have the same times: two clips, which no system can tell apart.
        same = texts[clip]
        if text not in same:
            same.append(text)
        number = same.index(text)
        return {
            "id": f"{clip}_{number}" if number else clip,
            "media": files.video(video),
            "start": start,
            "end": end,
            "texts": [text],
        }

    return Content(records=records, item=item)


def _official(files: Files, videos: list[Record]) -> Iterator[Record]:
    """The clips of the official file as the list has them."""
    for video in videos:
        if video.get("subset") != "validation" or video.key in IN_HOWTO100M:
            continue
        try:
            clips = video.children("annotations")
        except Refused as refused:
            files.left_out.add(refused.reason, video.where)
            continue
        for clip in clips:
            segment = clip.get("segment")
            start, end = segment if isinstance(segment, list) and len(segment) == 2 else (None, None)
            fields = {"video_id": video.key, "start": start, "end": end, "text": clip.get("sentence")}
            yield Record(where=clip.where, fields=fields)


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="youcook2",
            task="retrieval",
            metric="recall@1",
            query=CAPTION,
            paper=0.378,
            items=3_350,
            read=_validation,
        ),
    )
)
