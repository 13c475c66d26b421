"""Ego4D: sentences said while watching, each at a moment of a first-person video.

Format: narrations.json in ``docs/data/annotations-schemas.md``, tags in ``docs/data/annotation-guidelines.md`` of
github.com/EGO4D/docs; the videos' records may also lie below a key ``videos``. The file is read whole.

Clip: that of EgoClip (EgoVLP, arXiv 2206.01670, equation 1), centred on the time stamp, beta / alpha seconds long. Beta
is the mean time between the sentences of a video, here of one pass, which is one annotator's; alpha is the mean of beta
over all videos, 4.9 s. A sentence alone in its pass has no beta and gets the mean clip.
"""

import math
import re
from typing import Any

from vljepa.data.prepare.entry import Entry, Found, Job, Unusable
from vljepa.data.prepare.files import below, videos_by_name
from vljepa.data.prepare.readers import json_document
from vljepa.errors import UserError

_ALPHA = 4.9  # seconds
_PASSES = ("narration_pass_1", "narration_pass_2")
_TAG = re.compile(r"#\s*([a-z]+)", re.IGNORECASE)
_WEARER = re.compile(r"\bC\b")


def read(job: Job) -> Found:
    """A sample without query for each sentence; ids are video, pass and place in it.

    Raises:
        UserError: the file is no JSON object.
    """
    records = json_document(job.source)
    if isinstance(records, dict) and isinstance(records.get("videos"), dict):
        records = records["videos"]
    if not isinstance(records, dict):
        raise UserError(f"{job.source}: holds {type(records).__name__}, not one JSON object; name narration.json")
    videos = videos_by_name(below(job.out, job.media or job.source.parent, "ego4d"))
    for i, (uid, record) in enumerate(records.items(), start=1):
        where = f"{job.source}: {uid}"
        if not isinstance(record, dict) or not any(name in record for name in _PASSES):
            yield Unusable(where=where, reason="narration_pass_1, narration_pass_2: neither is there")
        elif uid not in videos:
            yield Unusable(where=where, reason="media: is missing", detail=f"no video is called {uid}")
        else:
            for name in (name for name in _PASSES if name in record):
                yield from _narrations(f"{where}: {name}", f"{uid}/{name[-1]}", str(videos[uid]), record[name])
        job.progress(i, len(records))


def _narrations(where: str, sample_id: str, media: str, narration: Any) -> Found:
    sentences = narration.get("narrations") if isinstance(narration, dict) else None
    if not isinstance(sentences, list):
        yield Unusable(where=where, reason="narrations: is no list")
        return
    times = sorted(time for time in map(_time, sentences) if time is not None)
    beta = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else _ALPHA
    for i, sentence in enumerate(sentences):
        here, time = f"{where}: {i}", _time(sentence)
        text = sentence.get("narration_text") if isinstance(sentence, dict) else None
        if time is None:
            yield Unusable(where=here, reason="timestamp_sec: is no time from 0 on")
        elif not isinstance(text, str):
            yield Unusable(where=here, reason="narration_text: is no text")
        elif tags := {tag.lower() for tag in _TAG.findall(text)} & {"unsure", "summary"}:
            yield Unusable(where=here, reason=f"narration_text: is marked #{min(tags)}")
        else:
            half = beta / _ALPHA / 2
            fields = {"id": f"{sample_id}/{i}", "media": media, "start": max(0.0, time - half), "end": time + half}
            yield Entry(where=here, fields=fields | {"target": plain(text)})


def plain(text: str) -> str:
    """The sentence without tags, and with words for the letter C, which stands for the person with the camera."""
    text = _WEARER.sub("the camera wearer", " ".join(_TAG.sub("", text).split()))
    return text[:1].upper() + text[1:]


def _time(sentence: Any) -> float | None:
    """Seconds, or None if there is no such time."""
    time = sentence.get("timestamp_sec") if isinstance(sentence, dict) else None
    if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time) or time < 0:
        return None
    return float(time)
