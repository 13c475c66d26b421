"""What goes in and comes out as JSON, with examples."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from vljepa.tasks.stream import StreamPolicy

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Texts = Annotated[list[Text], Field(max_length=1000)]
_PAIR: list[dict[str, Any]] = [
    {"text": "pushing a cube to the left", "score": 0.61},
    {"text": "spinning a ball", "score": 0.12},
]


def _example(*, strict: bool = False, **values: Any) -> ConfigDict:
    """Args: strict: unknown fields are a mistake; so in what clients send."""
    return ConfigDict(json_schema_extra={"examples": [values]}, extra="forbid" if strict else "ignore")


class Scored(BaseModel):
    """A text and its cosine similarity with the predicted embedding."""

    model_config = _example(**_PAIR[0])
    text: str
    score: float


class Caption(BaseModel):
    """One sentence, and how far to trust it."""

    model_config = _example(caption="a hand pushes the red cube to the left", score=0.71, familiarity=0.42)
    caption: str
    score: float
    familiarity: float | None = Field(description="Near 0: unlike what the model was trained on; do not trust it.")


class Ranked(BaseModel):
    """Answers or labels, best first."""

    model_config = _example(ranked=_PAIR, familiarity=0.42)
    ranked: list[Scored]
    familiarity: float | None


class Encoded(BaseModel):
    """The predicted embedding of the answer to the query, a unit vector."""

    model_config = _example(embedding=[0.031, -0.052, 0.018], familiarity=0.42)
    embedding: list[float]
    familiarity: float | None


class EmbeddingsRequest(BaseModel):
    """As OpenAI's."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "nano", "input": ["a red cube is pushed", "a ball spins"]}]}
    )
    input: (
        Annotated[str, Field(min_length=1, max_length=100_000)]
        | Annotated[list[Annotated[str, Field(min_length=1, max_length=100_000)]], Field(min_length=1, max_length=2048)]
    )
    model: str
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(default=None, description="The model's own width, if given.")
    user: str | None = None


class Embedding(BaseModel):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str = Field(description="Numbers, or little-endian float32 in base64.")


class Usage(BaseModel):
    prompt_tokens: int
    total_tokens: int


class Embeddings(BaseModel):
    """As OpenAI's; unit vectors in the space of the predicted embeddings."""

    model_config = _example(
        object="list",
        data=[{"object": "embedding", "index": 0, "embedding": [0.031, -0.052, 0.018]}],
        model="nano",
        usage={"prompt_tokens": 8, "total_tokens": 8},
    )
    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: Usage


class Media(BaseModel):
    """A kept upload."""

    model_config = _example(
        id="3f9a1c02b7d84e55",
        name="clip.mp4",
        duration=12.5,
        width=640,
        height=480,
        fps=30.0,
        size=1843200,
        added=1.7e9,
    )
    id: str
    name: str
    duration: float = Field(description="Seconds; 0 for an image.")
    width: int
    height: int
    fps: float
    size: int = Field(description="Bytes.")
    added: float = Field(description="Seconds since 1970.")


class MediaList(BaseModel):
    media: list[Media]
    indexing: bool = Field(description="Whether the search does not know all of them yet.")


class Hit(BaseModel):
    """A moment that was found."""

    media: Media
    start: float
    end: float = Field(description="Seconds; 0 for an image.")
    score: float


class Hits(BaseModel):
    hits: list[Hit]
    indexing: bool


class Policy(BaseModel):
    """When a stream is decoded."""

    model_config = _example(strict=True, threshold=0.15, min_interval=0.5, max_interval=30.0)
    threshold: float = Field(
        default=StreamPolicy.threshold, gt=0, le=1, description="Variance that counts as a change of meaning."
    )
    min_interval: float = Field(
        default=StreamPolicy.min_interval, gt=0, le=3600, description="Shortest event, seconds."
    )
    max_interval: float = Field(
        default=StreamPolicy.max_interval, gt=0, le=86400, description="Longest event, seconds."
    )
    budget_hz: float | None = Field(
        default=None, gt=0, description="Decodings a second to keep to: the threshold then moves by itself."
    )


class StreamRequest(BaseModel):
    """What to watch, and how."""

    model_config = _example(
        strict=True, source="3f9a1c02b7d84e55", labels=["pushing a cube", "spinning a ball"], policy={"threshold": 0.15}
    )
    source: Text = Field(
        description="Id of an upload, a file below --media, or with --allow-live a camera's number or an rtsp:// or "
        "http:// address."
    )
    query: Text | None = Field(default=None, description="Asked at every instant; default: a caption.")
    labels: Texts = Field(default=[], description="Scored at every instant.")
    policy: Policy = Policy()
    realtime: bool = Field(default=False, description="Watch a file at the speed it plays, not as fast as may be.")


class Counters(BaseModel):
    """How a stream goes."""

    time: float = Field(description="Of the stream, seconds.")
    instants: int
    decodings: int
    uniform: int = Field(description="Decodings at 1 Hz would have been so many.")
    fps: float = Field(description="Instants a second.")
    dropped: int
    corrupt: int
    reconnects: int


class Stream(BaseModel):
    """A stream that runs or ran."""

    model_config = _example(
        id="8be0c5d1f2a34967",
        name="clip.mp4",
        media="3f9a1c02b7d84e55",
        is_live=False,
        duration=12.5,
        query="Describe this video in one sentence.",
        realtime=False,
        created=1.7e9,
        state="running",
        error=None,
        counters=None,
        labels=[],
        threshold=0.15,
    )
    id: str
    name: str
    media: str | None
    is_live: bool
    duration: float | None
    query: str
    realtime: bool
    created: float
    state: Literal["running", "finished", "stopped", "failed", "interrupted"]
    error: str | None
    counters: Counters | None
    labels: list[str]
    threshold: float | None


class StreamList(BaseModel):
    streams: list[Stream]


class Event(BaseModel):
    """One decoded stretch."""

    model_config = _example(n=3, start=4.0, end=7.5, text="a hand lifts the blue ball", score=0.68, decoded=8.75)
    n: int = Field(description="Number of the record in its stream.")
    start: float
    end: float
    text: str
    score: float
    decoded: float = Field(description="When, seconds of the stream: a change is told from what follows.")
    label: str | None = None
    label_score: float | None = None


class Events(BaseModel):
    events: list[Event]


class Question(BaseModel):
    """A question on a stream."""

    model_config = _example(strict=True, question="How many cubes are there?", choices=["1", "2", "3"], time=4.5)
    question: Text
    choices: Texts = []
    time: float | None = Field(default=None, ge=0, description="Of a file, seconds; default: what is seen now.")


class Answer(BaseModel):
    model_config = _example(time=4.5, question="How many cubes are there?", answers=[{"text": "2", "score": 0.55}])
    time: float
    question: str
    answers: list[Scored]


class ModelInfo(BaseModel):
    """What is loaded."""

    model_config = _example(
        id="nano",
        object="model",
        kind="vl_jepa",
        x_encoder="efficientnet-lite0",
        y_encoder="all-MiniLM-L6-v2",
        embed_dim=384,
        writes=True,
        parameters=33_000_000,
        allow_live=False,
        has_media_folder=False,
    )
    id: str
    object: Literal["model"] = "model"
    kind: str
    x_encoder: str
    y_encoder: str
    embed_dim: int
    writes: bool = Field(description="Whether it has a Y-Decoder.")
    parameters: int
    allow_live: bool
    has_media_folder: bool


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelInfo]


class Health(BaseModel):
    model_config = _example(status="ok", waiting=0, limit=32, streams=1, done=120)
    status: Literal["ok"] = "ok"
    waiting: int = Field(description="Requests in the queue.")
    limit: int = Field(description="More are answered 503.")
    streams: int = Field(description="That run.")
    done: int = Field(description="Pieces of work the model has done.")


class ErrorDetail(BaseModel):
    message: str
    type: str
    param: str | None
    code: int


class Error(BaseModel):
    """Every refusal."""

    model_config = _example(
        error={
            "message": "clip.mp4: is not a readable video; re-encode it",
            "type": "invalid_request_error",
            "param": "file",
            "code": 422,
        }
    )
    error: ErrorDetail
