"""Action100M: videos as trees of captioned segments.

Format: ``README.md`` and ``data`` of github.com/facebookresearch/Action100M. A Parquet row, or a JSON file of its own
whose fields are wrapped in lists of one, is one video: ``video_uid``, ``metadata`` and ``nodes``, each a segment with
``start`` and ``end`` in seconds and its texts. ``llama3_caption`` tells of one frame and ``gpt.action.actor`` of a
person alone; neither describes the clip, so neither is taken.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vljepa.data.prepare.entry import Entry, Found, Job, Unusable
from vljepa.data.prepare.files import below, sources, videos_by_name
from vljepa.data.prepare.readers import Tell, each, json_document, parquet_rows
from vljepa.errors import UserError

_TEXTS = (
    ("action", ("gpt", "action", "brief"), "What is the action shown?"),
    ("action_detailed", ("gpt", "action", "detailed"), "How is the action performed?"),
    ("summary", ("gpt", "summary", "brief"), "Describe this video in one sentence."),
    ("summary_detailed", ("gpt", "summary", "detailed"), "Describe this video in detail."),
    ("plm_action", ("plm_action",), "What is the action shown?"),
    ("plm_caption", ("plm_caption",), "Describe this video."),
)
"""Last part of the id, where the text is in a node, and its query."""


def read(job: Job) -> Found:
    """Two samples for each text of each node: without a query, and for the manifest ``_sft`` with one."""
    files = sources(job.source, (".json", ".parquet"))
    source = job.source if job.source.is_dir() else job.source.parent
    videos = videos_by_name(below(job.out, job.media or source, "action100m"))
    for file, tell in each(files, job):
        try:
            for where, record in _records(file, tell):
                yield from _video(where, record, videos)
        except UserError as error:
            # Of many files a broken one must not cost the others.
            yield Unusable(where=str(file), reason="file: cannot be read", detail=str(error))


def _records(file: Path, tell: Tell) -> Iterator[tuple[str, Any]]:
    if file.suffix == ".parquet":
        # A row holds the whole tree of a video, up to some megabytes.
        yield from parquet_rows(file, 16, tell)
        return
    record = json_document(file)
    if isinstance(record, dict) and isinstance(record.get("video_uid"), list):
        if not all(isinstance(value, list) and len(value) == 1 for value in record.values()):
            raise UserError(f"{file}: wraps some fields in lists of one and others not; check the file")
        record = {name: value[0] for name, value in record.items()}
    yield str(file), record


def _video(where: str, record: Any, videos: dict[str, Path]) -> Found:
    uid = record.get("video_uid") if isinstance(record, dict) else None
    if not isinstance(uid, str) or not uid:
        yield Unusable(where=where, reason="video_uid: is missing")
    elif not isinstance(record.get("nodes"), list):
        yield Unusable(where=where, reason="nodes: is no list")
    elif uid not in videos:
        yield Unusable(where=where, reason="media: is missing", detail=f"no video is called {uid}")
    else:
        for i, node in enumerate(record["nodes"]):
            yield from _node(f"{where}: node {i}", node, uid, videos[uid])


def _node(where: str, node: Any, uid: str, video: Path) -> Found:
    missing = [name for name in ("node_id", "start", "end") if not isinstance(node, dict) or node.get(name) is None]
    if missing:
        yield Unusable(where=where, reason=f"{missing[0]}: is missing")
        return
    found = False
    for kind, path, query in _TEXTS:
        text = _at(node, path)
        if text is None:
            continue
        found = True
        if isinstance(text, str) and text.strip().strip(".").upper() == "N/A":
            yield Unusable(where=where, reason=f"{path[-1]}: N/A, nothing of the kind is shown")
            continue
        times = {"start": node["start"], "end": node["end"]}
        sample = {"id": f"{uid}/{node['node_id']}/{kind}", "media": str(video), **times}
        yield Entry(where=where, fields=sample | {"target": text})
        yield Entry(where=where, fields=sample | {"query": query, "target": text}, manifest="_sft")
    if not found:
        yield Unusable(where=where, reason="gpt, plm_action, plm_caption: none of them is there")


def _at(node: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = node
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
