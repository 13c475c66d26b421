"""Conversations on an image or a video, as PLM and LLaVA write them: n exchanges give n samples.

``conversations`` is a list of ``{"from": "human" or the model, "value": text}`` that take turns. Each question is taken
alone: one that leans on an earlier answer ("and the other one?") is not told from the rest.
"""

import re
from pathlib import Path
from typing import Any

from vljepa.data.prepare.entry import Entry, Found, Unusable
from vljepa.errors import UserError

_MARK = re.compile(r"<(?:image|video)>")
_REGION = ("bbox", "bbox_map", "masklet_id")
_ANSWERING = ("assistant", "gpt")


def exchanges(where: str, sample_id: str, record: dict[str, Any], root: Path) -> Found:
    """A sample for each question and answer of a record; forms that are no question on one clip are left out.

    Args:
        sample_id: beginning of the ids.
        root: folder of the media.
    """
    try:
        media, turns = root / _media(record), _turns(record)
    except UserError as error:
        yield Unusable(where=where, reason=str(error))
        return
    for i in range(0, len(turns), 2):
        question, answer = (_MARK.sub("", turn["value"]).strip() for turn in turns[i : i + 2])
        fields = {"id": f"{sample_id}-{i // 2}", "media": str(media)}
        # Only PLM's videos have times, in seconds.
        fields |= {name: record[f"{name}_time"] for name in ("start", "end") if record.get(f"{name}_time") is not None}
        yield Entry(where=f"{where}: turn {i + 1}", fields=fields | {"query": question, "target": answer})


def _media(record: dict[str, Any]) -> str:
    """The image or video of a record.

    Raises:
        UserError: the record is no conversation on one clip.
    """
    if any(record.get(name) is not None for name in _REGION):
        raise UserError("bbox, bbox_map, masklet_id: asks of a region")
    if record.get("dense_captions") is not None:
        raise UserError("dense_captions: are captions of several segments")
    media = record.get("image") or record.get("video")
    if not media:
        raise UserError("image, video: neither is there, the record is text alone")
    paths = media if isinstance(media, list) else [media]
    if not all(isinstance(path, str) and path for path in paths):
        raise UserError("image, video: is no path")
    if len(paths) > 1:
        raise UserError("image, video: are several")
    return paths[0]


def _turns(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Question, answer, question, answer of a record.

    Raises:
        UserError: they do not take turns.
    """
    turns = record.get("conversations")
    if not isinstance(turns, list) or not turns or len(turns) % 2 or not all(map(_fits, range(len(turns)), turns)):
        raise UserError("conversations: is not question and answer by turns")
    return turns


def _fits(i: int, turn: Any) -> bool:
    speakers = _ANSWERING if i % 2 else ("human",)
    return isinstance(turn, dict) and turn.get("from") in speakers and isinstance(turn.get("value"), str)
