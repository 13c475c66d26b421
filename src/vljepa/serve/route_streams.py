"""Streams: start one, ask it, take its events along."""

import json
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query
from fastapi.responses import FileResponse, Response

from vljepa.serve import schemas
from vljepa.serve.errors import Refused
from vljepa.serve.services import Parts
from vljepa.tasks.stream import StreamPolicy
from vljepa.tasks.subtitles import VTT_HEADER, srt_cue, vtt_cue
from vljepa.types import Event

router = APIRouter(prefix="/v1/streams", tags=["streams"])

_SUBTITLES = {"srt": "application/x-subrip", "vtt": "text/vtt", "jsonl": "application/jsonl"}
Id = Annotated[str, Path(max_length=64)]


@router.post("", status_code=201, summary="Watch a file, camera or address")
def start(parts: Parts, request: schemas.StreamRequest) -> schemas.Stream:
    """Then follow it on the WebSocket `/v1/streams/{id}/live`."""
    log = parts.streams.start(
        request.source,
        query=request.query,
        labels=request.labels,
        policy=StreamPolicy(**request.policy.model_dump()),
        realtime=request.realtime,
    )
    return schemas.Stream(**parts.streams.describe(log))


@router.get("", summary="Streams, newest first")
def streams(parts: Parts, top: Annotated[int, Query(ge=1, le=1000)] = 50) -> schemas.StreamList:
    told = [schemas.Stream(**parts.streams.describe(log)) for log in parts.streams.logs()[:top]]
    return schemas.StreamList(streams=told)


@router.get("/{id}", summary="One stream")
def one(parts: Parts, id: Id) -> schemas.Stream:
    return schemas.Stream(**parts.streams.describe(parts.streams.log(id)))


@router.post("/{id}/stop", summary="End a stream; its events stay")
def stop(parts: Parts, id: Id) -> schemas.Stream:
    log = parts.streams.log(id)
    session = parts.streams.session(id)
    if session is not None:
        session.stop()
        session.thread.join(parts.config.time_limit)
    return schemas.Stream(**parts.streams.describe(log))


@router.delete("/{id}", status_code=204, summary="End a stream and forget it")
def delete(parts: Parts, id: Id) -> Response:
    parts.streams.remove(parts.streams.log(id))
    return Response(status_code=204)


@router.get("/{id}/events", summary="Its events so far")
def events(parts: Parts, id: Id) -> schemas.Events:
    found = [record for record in parts.streams.log(id).records() if record["type"] == "event"]
    return schemas.Events(events=[schemas.Event(**event) for event in found])


@router.get("/{id}/subtitles.{form}", summary="Its events so far, as a file", response_class=Response)
def subtitles(parts: Parts, id: Id, form: Literal["srt", "vtt", "jsonl"]) -> Response:
    log = parts.streams.log(id)
    records = [record for record in log.records() if record["type"] == "event"]
    events = [Event(**{name: record[name] for name in ("start", "end", "text", "score")}) for record in records]
    if form == "srt":
        text = "".join(srt_cue(number, event) for number, event in enumerate((e for e in events if e.text.strip()), 1))
    elif form == "vtt":
        text = VTT_HEADER + "".join(map(vtt_cue, events))
    else:
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    name = quote(f"{log.about['name'].rsplit('/', 1)[-1]}.{form}")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(text, media_type=_SUBTITLES[form], headers=headers)


@router.post("/{id}/ask", summary="Ask about what is seen now, or at a time of a file")
def ask(parts: Parts, id: Id, request: schemas.Question) -> schemas.Answer:
    log = parts.streams.log(id)
    return schemas.Answer(**parts.streams.ask(log, request.question, request.choices, request.time))


@router.get("/{id}/file", summary="The file that is watched, in ranges if wanted", response_class=FileResponse)
async def file(parts: Parts, id: Id) -> FileResponse:
    path = parts.streams.log(id).about["path"]
    if path is None:
        raise Refused(404, "the stream is live and has no file", "id")
    try:
        return FileResponse(path, headers={"X-Content-Type-Options": "nosniff"})
    except OSError as error:
        raise Refused(404, "the file is gone", "id") from error
