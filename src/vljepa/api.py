"""What most people need: load a model, then caption, ask, classify, encode and stream.

    import vljepa
    model = vljepa.load("runs/nano/model")
    model.caption("clip.mp4")
    model.ask("clip.mp4", "How many cubes are there?", choices=["1", "2", "3"])

A video is a path, or a ``uint8`` array or tensor ``(frames, height, width, 3)``.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vljepa.config import ModelConfig
from vljepa.data.frame_source import FrameSource
from vljepa.data.source import open_source
from vljepa.data.video import probe, read_clip, resize
from vljepa.errors import UserError
from vljepa.model.bulk import embed_windows, stream_parts
from vljepa.model.network import Network
from vljepa.model.vljepa import VLJEPA
from vljepa.model.window import SlidingWindow, StreamStats
from vljepa.tasks.answer import answer
from vljepa.tasks.classify import classify
from vljepa.tasks.stream import StreamPolicy
from vljepa.tasks.watch import ALERT_ABOVE, Watch
from vljepa.types import Clip, Event, Scored

Video = str | Path | np.ndarray | Tensor
Stream = Video | int | Iterable[np.ndarray | Tensor]
"""What ``open_source`` opens."""

CAPTION_QUERY = ModelConfig.video_query
IMAGE_QUERY = ModelConfig.image_query
ACTION_QUERY = "What is the action shown?"

STREAM_RATE_HZ = 4.0
"""Frames seen per second of a stream; a window of 8 frames then spans 2 s, the length of an action."""

_CHECKPOINTS = Path(__file__).parent / "checkpoints"


def load(name_or_folder: str | Path) -> "Model":
    """A trained model, by the name of a shipped checkpoint or by its folder; ``vljepa.load`` knows recipes too.

    Raises:
        UserError: there is no such checkpoint, its folder is damaged, or it is a token-space VLM's
            (``vljepa.token_api`` reads that).
    """
    return Model(VLJEPA.load(checkpoint_folder(name_or_folder)))


def checkpoint_folder(name_or_folder: str | Path) -> Path:
    """The folder that ``load`` reads.

    Raises:
        UserError: there is no such checkpoint.
    """
    folder = Path(name_or_folder)
    if not folder.is_dir():
        folder = _CHECKPOINTS / str(name_or_folder)
    if not (folder / "config.json").is_file():
        raise UserError(
            f"{name_or_folder}: no checkpoint; name a folder that holds config.json and model.safetensors, "
            "such as the runs/<recipe>/model written by `vljepa train`"
        )
    return folder


class Viewer:
    """What every model here does with a video: take the frames that it sees."""

    def __init__(self, network: Network) -> None:
        self.network = network.eval()

    def frames(self, video: Video) -> Tensor:
        """The sampled frames, ``(F, size, size, 3)``: F is 1 for an image.

        Raises:
            UserError: the video cannot be read, or is an array of another type or shape.
        """
        if isinstance(video, str | Path):
            return self.clip_frames(Clip(media=(str(Path(video).absolute()),)))
        config = self.network.config.x_encoder
        array = _checked(np.asarray(video))
        count = 1 if len(array) == 1 else config.num_frames
        middles = ((np.arange(count) + 0.5) * len(array) / count).astype(int)
        return torch.from_numpy(np.ascontiguousarray(resize(array[middles], config.frame_size)))

    def count_frames(self, clip: Clip) -> int:
        """How many frames of a clip are seen, as in training: of a video num_frames, of images one each.

        Raises:
            UserError: the file cannot be read.
        """
        limit = self.network.config.x_encoder.num_frames
        is_video = len(clip.media) == 1 and probe(clip.media[0]).num_frames != 1
        return limit if is_video else min(len(clip.media), limit)

    def clip_frames(self, clip: Clip) -> Tensor:
        """The frames seen of a clip, ``(F, size, size, 3)``.

        Raises:
            UserError: the clip cannot be read.
        """
        return torch.from_numpy(read_clip(clip, self.count_frames(clip), size=self.network.config.x_encoder.frame_size))

    @torch.inference_mode()
    def familiarity(self, video: Video) -> float:
        """How usual the video is for this model: the share of held-out training-like clips at least as far off.

        Near 0 the video is unlike what the model was trained on, and its answers are not to be trusted.

        Returns:
            A conformal p-value in [0, 1].
        """
        tokens = self.network.encode_frames(self.frames(video)[None])
        return float(self.network.familiar(tokens)[0])


class Model(Viewer):
    """A trained VL-JEPA with the tasks of the paper, section 3.2, on files or arrays."""

    network: VLJEPA

    def __init__(self, network: VLJEPA) -> None:
        super().__init__(network)

    def caption(self, video: Video) -> str:
        """One sentence on the video, read out of the predicted embedding by the Y-Decoder.

        Raises:
            UserError: the video cannot be read, or the checkpoint has no Y-Decoder.
        """
        self._require_decoder()
        frames = self.frames(video)
        config = self.network.config
        query = config.video_query if len(frames) > 1 else config.image_query
        return self.write(self._embed([frames], [query]))[0].text

    def ask(self, video: Video, question: str, choices: Sequence[str] | None = None) -> list[Scored]:
        """Answers to a question, best first: the given choices, or without choices the one decoded text.

        Raises:
            UserError: as ``caption``; the question is blank; choices are empty or repeated.
        """
        if not question.strip():
            raise UserError("question: is empty; ask something")
        predicted = self._embed([self.frames(video)], [question])
        if choices is not None:
            return answer(predicted, [choices], self.encode_text)[0]
        return self.write(predicted)

    def classify(self, video: Video, labels: Sequence[str], query: str = ACTION_QUERY) -> list[Scored]:
        """Labels ranked by the similarity of their embeddings to the predicted one, best first.

        Raises:
            UserError: the video cannot be read; labels are empty or repeated.
        """
        return classify(self._embed([self.frames(video)], [query]), labels, self.encode_text)[0]

    def encode_video(self, videos: Sequence[Video], query: str | None = None) -> Tensor:
        """Predicted embeddings of the videos' answers to ``query``; default: the config's ``video_query``.

        Returns:
            Unit vectors, ``(videos, embed_dim)``.
        """
        if not len(videos):
            raise UserError("encode_video: no videos given; pass at least one")
        return self._embed([self.frames(video) for video in videos], [self._asked(query)] * len(videos))

    def encode_clips(self, clips: Sequence[Clip], queries: Sequence[str]) -> Tensor:
        """Predicted embeddings of clips, each with its own query: what evaluation and bulk work call.

        Returns:
            Unit vectors, ``(clips, embed_dim)``.

        Raises:
            UserError: a clip cannot be read.
        """
        return self._embed([self.clip_frames(clip) for clip in clips], list(queries))

    @torch.inference_mode()
    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors of the texts, ``(texts, embed_dim)``."""
        return self.network.encode_text(list(texts))

    @torch.inference_mode()
    def write(self, embeddings: Tensor) -> list[Scored]:
        """The texts that the Y-Decoder reads out of unit vectors ``(n, embed_dim)``, each with its similarity to them.

        Raises:
            UserError: the checkpoint has no Y-Decoder.
        """
        self._require_decoder()
        texts = self.network.decode(embeddings)
        scores = (self.encode_text(texts).cpu() * embeddings.cpu()).sum(dim=-1)
        return [Scored(text=text, score=float(score)) for text, score in zip(texts, scores, strict=True)]

    def stream(
        self,
        source: Stream,
        *,
        fps: float | None = None,
        labels: Sequence[str] | None = None,
        policy: StreamPolicy | None = None,
    ) -> Iterator[Event]:
        """Events of a stream as they happen: decoded only where the meaning changes (paper, section 4.6).

        The predictor sees the last 2 s at every instant. Each frame passes the X-Encoder once, unless it sees frames
        together.

        Args:
            source: a file, a folder of frames, frames ``(height, width, 3)`` as an array or any iterable, the number
                of a camera, or an RTSP or HTTP address.
            fps: rate of the frames, hertz; only for a folder and for frames.
            labels: texts to choose from; without them the Y-Decoder writes the text.
            policy: when to decode.

        Raises:
            UserError: the source cannot be read; frames without ``fps``; no labels and no Y-Decoder.
        """
        return self.watch(labels, policy=policy).events(self.embed_stream(source, fps=fps))

    def watch(
        self,
        labels: Sequence[str] | None = None,
        *,
        alerts: Sequence[str] = (),
        above: float = ALERT_ABOVE,
        policy: StreamPolicy | None = None,
        stats: StreamStats | None = None,
    ) -> Watch:
        """What takes a stream's embeddings instant by instant, and tells its events, labels and alerts.

        Args:
            labels: as in ``stream``.
            alerts: texts that are told once when the similarity with them rises above ``above``.
            above: cosine similarity.
            policy: when to decode.
            stats: counts the time that texts take.

        Raises:
            UserError: no labels and no Y-Decoder; labels or alerts are empty or repeated; ``above`` is no cosine.
        """
        if labels is None:
            self._require_decoder()
        counted = stats or StreamStats()

        def write(embedding: np.ndarray) -> tuple[str, float]:
            with counted.timing("text"):
                (scored,) = self.write(torch.from_numpy(embedding)[None])
            return scored.text, scored.score

        return Watch(write, self.encode_text, labels=labels, alerts=alerts, above=above, policy=policy)

    def embed_stream(
        self,
        source: Stream,
        *,
        fps: float | None = None,
        rate_hz: float = STREAM_RATE_HZ,
        query: str | None = None,
    ) -> Iterator[tuple[float, Tensor]]:
        """The predicted embedding ``(embed_dim,)`` of the last frames at each instant, with its time in seconds.

        Args:
            source: as in ``stream``.
            fps: as in ``stream``.
            rate_hz: instants per second; the window is the model's number of frames at this rate.
            query: what is asked at every instant; default: the config's ``video_query``.

        Raises:
            UserError: the source cannot be read; frames without ``fps``.
        """
        opened = open_source(source, rate_hz=rate_hz, size=self.network.config.x_encoder.frame_size, fps=fps)
        return self.embed_frames(opened, query)

    def embed_frames(
        self, source: FrameSource, query: str | None = None, stats: StreamStats | None = None
    ) -> Iterator[tuple[float, Tensor]]:
        """``embed_stream`` of a source that is open already, and is closed at the end.

        Args:
            source: its frames are of the X-Encoder's size.
            query: what is asked at every instant; default: the config's ``video_query``.
            stats: counts what the time is spent on.
        """
        window = SlidingWindow(self.network, stats)
        with source:
            for time, frame in source:
                window.push(torch.from_numpy(frame.copy()))
                yield time, window.embed([self._asked(query)])[0]

    def encode_stream(
        self, path: str | Path, *, rate_hz: float = STREAM_RATE_HZ, query: str | None = None
    ) -> tuple[list[float], Tensor]:
        """``embed_stream`` of a whole file at once: the same values, several times faster.

        Returns:
            Times in seconds, and unit vectors ``(instants, embed_dim)``.

        Raises:
            UserError: the file cannot be read.
        """
        times, parts = stream_parts(self.network, path, rate_hz)
        return times, embed_windows(self.network, parts, self._asked(query))

    def _asked(self, query: str | None) -> str:
        # "" is a query too.
        return self.network.config.video_query if query is None else query

    def _require_decoder(self) -> None:
        if self.network.y_decoder is None:
            raise UserError(
                "this checkpoint has no Y-Decoder, so it cannot write text; give choices or labels, or train one"
            )

    @torch.inference_mode()
    def _embed(self, clips: list[Tensor], queries: list[str]) -> Tensor:
        """Clips ``(F, size, size, 3)``, F differing between them, to unit vectors ``(clips, embed_dim)``."""
        embedded = torch.empty(len(clips), self.network.config.embed_dim)
        for count in {len(frames) for frames in clips}:
            rows = [row for row, frames in enumerate(clips) if len(frames) == count]
            tokens = self.network.encode_frames(torch.stack([clips[row] for row in rows]))
            embedded[rows] = self.network.predict(tokens, [queries[row] for row in rows])
        return embedded


def _checked(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[-1] != 3 or not array.size:
        raise UserError(
            f"video array: expected uint8 (frames, height, width, 3), found {array.dtype} {array.shape}; convert it"
        )
    return array
