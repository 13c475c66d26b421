"""Questions to the model on one clip, and embeddings of texts."""

import base64
import contextlib
from collections.abc import Iterator
from typing import Annotated, Any, no_type_check

import numpy as np
from fastapi import APIRouter, Depends, File, Form, UploadFile

from vljepa.api import ACTION_QUERY
from vljepa.errors import UserError
from vljepa.serve import schemas
from vljepa.serve.engine import Look, Seen
from vljepa.serve.errors import Refused
from vljepa.serve.intake import Given, shown
from vljepa.serve.services import Parts, Services
from vljepa.tasks.classify import check_texts
from vljepa.types import Clip

router = APIRouter(prefix="/v1")

_TEXT = 2000
"""Characters of a question or label."""
_Seconds = Annotated[float | None, Form(ge=0, allow_inf_nan=False)]


# What comes is Starlette's UploadFile, of which FastAPI's, which it insists on, is a subclass.
@no_type_check
def given(
    parts: Parts,
    file: Annotated[UploadFile | None, File(description="A video or image.")] = None,
    media: Annotated[
        str | None, Form(description="Instead of a file: id of an upload, or a file below --media.")
    ] = None,
    start: _Seconds = None,
    end: _Seconds = None,
) -> Iterator[Given]:
    """The clip of a request, which carries it or names it."""
    with contextlib.ExitStack() as stack:
        if (file is None) == (not media):
            raise Refused(422, "file: send a file, or name media, and not both", "file")
        if file is not None:
            name = shown(file.filename or "")
            path = stack.enter_context(parts.intake.kept(name, file.file))
        else:
            assert media is not None
            kept = parts.shelf.get(media)
            name = kept.name if kept else shown(media)
            path = parts.shelf.path(kept) if kept else parts.intake.local(media)
        yield Given(clip=Clip(media=(str(path),), start=start, end=end), name=name)


GivenClip = Annotated[Given, Depends(given)]
_Text = Annotated[str, Form(min_length=1, max_length=_TEXT)]
_OptionalText = Annotated[str | None, Form(max_length=_TEXT)]
_Texts = Annotated[list[Annotated[str, Form(max_length=_TEXT)]], Form(max_length=1000)]


@router.post("/caption", tags=["ask"], summary="Describe a clip in one sentence")
def caption(parts: Parts, clip: GivenClip) -> schemas.Caption:
    """`curl -F file=@clip.mp4 http://127.0.0.1:8000/v1/caption`"""
    seen = _look(parts, clip, write=True)
    best = seen.ranked[0]
    return schemas.Caption(caption=best.text, score=best.score, familiarity=seen.familiarity)


@router.post("/ask", tags=["ask"], summary="Answer a question on a clip")
def ask(
    parts: Parts,
    clip: GivenClip,
    question: _Text,
    choices: Annotated[_Texts, Form(description="Rank these; without them the answer is written.")] = [],  # noqa: B006
) -> schemas.Ranked:
    """`curl -F file=@clip.mp4 -F question="How many cubes are there?" -F choices=1 -F choices=2 …/v1/ask`"""
    if not question.strip():
        raise Refused(422, "question: is empty; ask something", "question")
    if choices:
        check_texts(choices, "choices")
    return _ranked(_look(parts, clip, query=question, choices=tuple(choices), write=True))


@router.post("/classify", tags=["ask"], summary="Rank labels of your own words for a clip")
def classify(parts: Parts, clip: GivenClip, labels: _Texts, query: _OptionalText = None) -> schemas.Ranked:
    """`curl -F file=@clip.mp4 -F labels="pushing a cube" -F labels="spinning a ball" …/v1/classify`"""
    check_texts(labels, "labels")
    return _ranked(_look(parts, clip, query=query or ACTION_QUERY, choices=tuple(labels)))


@router.post("/encode", tags=["embed"], summary="The predicted embedding of a clip")
def encode(parts: Parts, clip: GivenClip, query: _OptionalText = None) -> schemas.Encoded:
    """Of the answer to the query; without one, of a caption. `curl -F file=@clip.mp4 …/v1/encode`"""
    seen = _look(parts, clip, query=query or None)
    return schemas.Encoded(embedding=seen.embedding.tolist(), familiarity=seen.familiarity)


@router.post("/embeddings", tags=["embed"], summary="Embeddings of texts, in OpenAI's form")
def embeddings(parts: Parts, request: schemas.EmbeddingsRequest) -> schemas.Embeddings:
    """Comparable with the embeddings of clips. OpenAI's clients work with this server's address as `base_url`."""
    width = parts.engine.network.config.embed_dim
    if request.model != parts.engine.name:
        raise Refused(404, f"model {shown(request.model)!r} is not here; this is {parts.engine.name!r}", "model")
    if request.dimensions not in (None, width):
        raise Refused(400, f"dimensions: this model's embeddings have {width}", "dimensions")
    texts = [request.input] if isinstance(request.input, str) else request.input
    encoded = parts.worker.ask(parts.engine.encode_texts, texts)
    return schemas.Embeddings(
        data=[
            schemas.Embedding(index=index, embedding=_written(row, request.encoding_format))
            for index, row in enumerate(encoded.embeddings)
        ],
        model=parts.engine.name,
        usage=schemas.Usage(prompt_tokens=encoded.num_tokens, total_tokens=encoded.num_tokens),
    )


@router.get("/models", tags=["server"], summary="The model that is loaded")
async def models(parts: Parts) -> schemas.ModelList:
    network = parts.engine.network
    info = schemas.ModelInfo(
        id=parts.engine.name,
        kind=network.config.kind,
        x_encoder=network.config.x_encoder.name,
        y_encoder=network.config.y_encoder.name,
        embed_dim=network.config.embed_dim,
        writes=parts.engine.writes,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        allow_live=parts.config.allow_live,
        has_media_folder=parts.config.media is not None,
    )
    return schemas.ModelList(data=[info])


def _look(parts: Services, clip: Given, **question: Any) -> Seen:
    if question.get("write") and not question.get("choices") and not parts.engine.writes:
        raise UserError("this model has no Y-Decoder and writes no text; give choices or labels")
    return parts.worker.ask(parts.engine.look, Look(frames=parts.intake.frames(clip), **question))


def _ranked(seen: Seen) -> schemas.Ranked:
    ranked = [schemas.Scored(text=one.text, score=one.score) for one in seen.ranked]
    return schemas.Ranked(ranked=ranked, familiarity=seen.familiarity)


def _written(row: np.ndarray, encoding: str) -> list[float] | str:
    if encoding == "float":
        return [float(value) for value in row]
    return base64.b64encode(row.astype("<f4").tobytes()).decode()
