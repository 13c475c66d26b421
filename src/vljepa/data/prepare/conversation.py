"""Conversations on an image or a video, as PLM and LLaVA write them: n exchanges give n samples.

``conversations`` is a list of ``{"from": "human" or the model, "value": text}`` that take turns. Each question is taken
alone: one that leans on an earlier answer ("and the other one?") is not told from the rest.
"""

import re
from pathlib import Path
from typing import Any

from vljepa.data.prepare.entry import Entry, Found, LeftOut

_MARK = re.compile(r"<(?:image|video)>")
_REGION = ("bbox", "bbox_map", "masklet_id")
_ANSWERING = ("assistant", "gpt")


def exchanges(where: str, sample_id: str, record: dict[str, Any], root: Path) -> Found:
    """A sample for each question and answer of a record; forms that are no question on one clip are left out.

    Args:
        sample_id: beginning of the ids.
        root: folder of the media.
    """
    problem = _form(record)
    if problem:
        yield LeftOut(where=where, reason=problem)
        return
    media = record["image"] if record.get("image") is not None else record["video"]
    if isinstance(media, list):
        (media,) = media
    turns = record.get("conversations")
    if not _take_turns(turns):
        yield LeftOut(where=where, reason="conversations: is not question and answer by turns")
        return
    for i in range(0, len(turns), 2):
        question, answer = (_MARK.sub("", turn["value"]).strip() for turn in turns[i : i + 2])
        fields = {"id": f"{sample_id}-{i // 2}", "media": str(root / media)}
        # Only PLM's videos have times, in seconds.
        fields |= {name: record[f"{name}_time"] for name in ("start", "end") if record.get(f"{name}_time") is not None}
        yield Entry(where=f"{where}: turn {i + 1}", fields=fields | {"query": question, "target": answer})


def _form(record: dict[str, Any]) -> str:
    """Why a record is no conversation on one clip, or nothing."""
    media = record.get("image") if record.get("image") is not None else record.get("video")
    if media is None:
        return "image, video: neither is there, the record is text alone"
    if isinstance(media, list) and len(media) > 1:
        return "image: are several"
    if not isinstance(media[0] if isinstance(media, list) and media else media, str):
        return "image, video: is no path"
    if any(record.get(name) is not None for name in _REGION):
        return "bbox, bbox_map, masklet_id: asks of a region"
    if record.get("dense_captions") is not None:
        return "dense_captions: are captions of several segments"
    return ""


def _take_turns(turns: Any) -> bool:
    if not isinstance(turns, list) or not turns or len(turns) % 2:
        return False
    for i, turn in enumerate(turns):
        if not isinstance(turn, dict) or not isinstance(turn.get("value"), str):
            return False
        if turn.get("from") not in (_ANSWERING if i % 2 else ("human",)):
            return False
    return True
