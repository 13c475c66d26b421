"""Uploads that are kept, and the search in them."""

import io
from dataclasses import asdict
from typing import Annotated, no_type_check

from fastapi import APIRouter, File, Query, UploadFile
from fastapi.responses import FileResponse, Response
from PIL import Image

from vljepa.serve import schemas
from vljepa.serve.errors import Refused
from vljepa.serve.intake import Given, shown
from vljepa.serve.services import Parts, Services
from vljepa.serve.shelf import Kept
from vljepa.types import Clip

router = APIRouter(prefix="/v1", tags=["library"])

_Seconds = Annotated[float | None, Query(ge=0, allow_inf_nan=False)]
_PRIVATE = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}


@router.post("/media", status_code=201, summary="Upload a video or image and keep it")
# What comes is Starlette's UploadFile, of which FastAPI's, which it insists on, is a subclass.
@no_type_check
def upload(parts: Parts, file: Annotated[UploadFile, File(description="A video or image.")]) -> schemas.Media:
    """`curl -F file=@clip.mp4 http://127.0.0.1:8000/v1/media`; it is found by the search a little later."""
    name = shown(file.filename or "")
    with parts.intake.kept(name, file.file) as path:
        parts.intake.frames(Given(clip=Clip(media=(str(path),)), name=name))
        return _told(parts.shelf.add(name, path))


@router.get("/media", summary="What is kept, newest first")
async def media(parts: Parts) -> schemas.MediaList:
    return schemas.MediaList(media=[_told(kept) for kept in parts.shelf.files()], indexing=parts.shelf.indexing)


@router.get("/media/{id}", summary="One upload")
async def one(parts: Parts, id: str) -> schemas.Media:
    return _told(_kept(parts, id))


@router.delete("/media/{id}", status_code=204, summary="Delete an upload")
def delete(parts: Parts, id: str) -> Response:
    parts.shelf.remove(_kept(parts, id))
    return Response(status_code=204)


@router.get("/media/{id}/file", summary="The file itself, in ranges if wanted", response_class=FileResponse)
async def file(parts: Parts, id: str) -> FileResponse:
    return FileResponse(parts.shelf.path(_kept(parts, id)), headers=_PRIVATE)


@router.get("/media/{id}/frame", summary="A picture from the middle of a clip, as JPEG", response_class=Response)
def frame(parts: Parts, id: str, start: _Seconds = None, end: _Seconds = None) -> Response:
    kept = _kept(parts, id)
    clip = Clip(media=(str(parts.shelf.path(kept)),))
    if kept.duration and start is not None and end is not None:
        clip = Clip(media=clip.media, start=start, end=end)
    frames = parts.intake.frames(Given(clip=clip, name=kept.name))
    buffer = io.BytesIO()
    Image.fromarray(frames[len(frames) // 2]).save(buffer, "JPEG", quality=85)
    return Response(buffer.getvalue(), media_type="image/jpeg", headers=_PRIVATE)


@router.get("/search", summary="Find moments by text")
def search(
    parts: Parts,
    q: Annotated[str, Query(min_length=1, max_length=2000, examples=["a red cube is lifted"])],
    top: Annotated[int, Query(ge=1, le=100)] = 12,
) -> schemas.Hits:
    found = parts.shelf.search(q, top)
    hits = [schemas.Hit(media=_told(hit.kept), start=hit.start, end=hit.end, score=hit.score) for hit in found]
    return schemas.Hits(hits=hits, indexing=parts.shelf.indexing)


def _kept(parts: Services, id: str) -> Kept:
    kept = parts.shelf.get(id)
    if kept is None:
        raise Refused(404, f"{shown(id)}: no such media", "id")
    return kept


def _told(kept: Kept) -> schemas.Media:
    return schemas.Media(**{name: value for name, value in asdict(kept).items() if name != "suffix"})
