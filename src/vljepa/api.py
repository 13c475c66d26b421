"""What most people need: load a model, then caption, ask, classify, encode and stream.

    import vljepa
    model = vljepa.load("runs/nano/model")
    model.caption("clip.mp4")
    model.ask("clip.mp4", "How many cubes are there?", choices=["1", "2", "3"])

A video is a path, or a ``uint8`` array or tensor ``(frames, height, width, 3)``.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vljepa.config import ModelConfig
from vljepa.data.video import iter_frames, probe, read_clip, resize
from vljepa.errors import UserError
from vljepa.model.bulk import embed_windows, stream_parts, window_parts, window_tokens
from vljepa.model.vljepa import VLJEPA
from vljepa.tasks.answer import answer
from vljepa.tasks.classify import classify
from vljepa.tasks.stream import StreamPolicy, events
from vljepa.types import Clip, Event, Scored

Video = str | Path | np.ndarray | Tensor

CAPTION_QUERY = ModelConfig.video_query
IMAGE_QUERY = ModelConfig.image_query
ACTION_QUERY = "What is the action shown?"

STREAM_RATE_HZ = 4.0
"""Frames seen per second of a stream; a window of 8 frames then spans 2 s, the length of an action."""

_CHECKPOINTS = Path(__file__).parent / "checkpoints"


def load(name_or_folder: str | Path) -> "Model":
    """A trained model, by the name of a shipped checkpoint or by its folder.

    Raises:
        UserError: there is no such checkpoint, or its folder is damaged.
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


class Model:
    """A trained VL-JEPA with the tasks of the paper, section 3.2, on files or arrays."""

    def __init__(self, network: VLJEPA) -> None:
        self.network = network.eval()

    def caption(self, video: Video) -> str:
        """One sentence on the video, read out of the predicted embedding by the Y-Decoder.

        Raises:
            UserError: the video cannot be read, or the checkpoint has no Y-Decoder.
        """
        self._require_decoder()
        frames = self._frames(video)
        config = self.network.config
        query = config.video_query if len(frames) > 1 else config.image_query
        return self._write(self._embed([frames], [query]))[0]

    def ask(self, video: Video, question: str, choices: Sequence[str] | None = None) -> list[Scored]:
        """Answers to a question, best first: the given choices, or without choices the one decoded text.

        Raises:
            UserError: as ``caption``; the question is blank; choices are empty or repeated.
        """
        if not question.strip():
            raise UserError("question: is empty; ask something")
        predicted = self._embed([self._frames(video)], [question])
        if choices is not None:
            return answer(predicted, [choices], self.encode_text)[0]
        self._require_decoder()
        text, score = self._write(predicted)
        return [Scored(text=text, score=score)]

    def classify(self, video: Video, labels: Sequence[str], query: str = ACTION_QUERY) -> list[Scored]:
        """Labels ranked by the similarity of their embeddings to the predicted one, best first.

        Raises:
            UserError: the video cannot be read; labels are empty or repeated.
        """
        return classify(self._embed([self._frames(video)], [query]), labels, self.encode_text)[0]

    def encode_video(self, videos: Sequence[Video], query: str | None = None) -> Tensor:
        """Predicted embeddings of the videos' answers to ``query``; default: the config's ``video_query``.

        Returns:
            Unit vectors, ``(videos, embed_dim)``.
        """
        if not len(videos):
            raise UserError("encode_video: no videos given; pass at least one")
        return self._embed([self._frames(video) for video in videos], [self._asked(query)] * len(videos))

    def encode_clips(self, clips: Sequence[Clip], queries: Sequence[str]) -> Tensor:
        """Predicted embeddings of clips, each with its own query: what evaluation and bulk work call.

        Returns:
            Unit vectors, ``(clips, embed_dim)``.

        Raises:
            UserError: a clip cannot be read.
        """
        return self._embed([self._clip_frames(clip) for clip in clips], list(queries))

    @torch.inference_mode()
    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors of the texts, ``(texts, embed_dim)``."""
        return self.network.encode_text(list(texts))

    def stream(
        self,
        video: Video | Iterable[np.ndarray],
        *,
        fps: float | None = None,
        labels: Sequence[str] | None = None,
        policy: StreamPolicy | None = None,
    ) -> Iterator[Event]:
        """Events of a long video as they happen: decoded only where the meaning changes (paper, section 4.6).

        The predictor sees the last 2 s at every instant. Each frame passes the X-Encoder once, unless it sees frames
        together.

        Args:
            video: a file, or frames ``(height, width, 3)`` as an array or any iterable, with ``fps``.
            fps: rate of the frames, hertz; only for frames.
            labels: texts to choose from; without them the Y-Decoder writes the text.
            policy: when to decode.

        Raises:
            UserError: frames without ``fps``; no labels and no Y-Decoder; the file cannot be read.
        """
        if labels is None:
            self._require_decoder()

        def decode(embedding: np.ndarray) -> tuple[str, float]:
            predicted = torch.from_numpy(embedding)[None]
            if labels is not None:
                best = classify(predicted, labels, self.encode_text)[0][0]
                return best.text, best.score
            return self._write(predicted)

        return events(self.embed_stream(video, fps=fps), decode, policy)

    def embed_stream(
        self,
        video: Video | Iterable[np.ndarray],
        *,
        fps: float | None = None,
        rate_hz: float = STREAM_RATE_HZ,
        query: str | None = None,
    ) -> Iterator[tuple[float, Tensor]]:
        """The predicted embedding ``(embed_dim,)`` of the last frames at each instant, with its time in seconds.

        Args:
            video: as in ``stream``.
            fps: as in ``stream``.
            rate_hz: instants per second; the window is the model's number of frames at this rate.
            query: what is asked at every instant; default: the config's ``video_query``.

        Raises:
            UserError: frames without ``fps``; the file cannot be read.
        """
        size = self.network.config.x_encoder.frame_size
        if isinstance(video, str | Path):
            frames = iter_frames(str(video), rate_hz, size)
        elif fps is None or not 0 < fps < math.inf:
            raise UserError("stream: frames need fps, their rate in hertz; pass fps=...")
        else:
            frames = _sampled(video, fps, rate_hz, size)
        return self._windows(frames, self._asked(query))

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

    @torch.inference_mode()
    def familiarity(self, video: Video) -> float:
        """How usual the video is for this model: the share of held-out training-like clips at least as far off.

        Near 0 the video is unlike what the model was trained on, and its answers are not to be trusted.

        Returns:
            A conformal p-value in [0, 1].
        """
        tokens = self.network.encode_frames(self._frames(video)[None])
        return float(self.network.familiar(tokens)[0])

    def _asked(self, query: str | None) -> str:
        # "" is a query too.
        return self.network.config.video_query if query is None else query

    def _require_decoder(self) -> None:
        if self.network.y_decoder is None:
            raise UserError(
                "this checkpoint has no Y-Decoder, so it cannot write text; give choices or labels, or train one"
            )

    def _frames(self, video: Video) -> Tensor:
        """The sampled frames, ``(F, size, size, 3)``: F is 1 for an image."""
        if isinstance(video, str | Path):
            return self._clip_frames(Clip(media=(str(Path(video).absolute()),)))
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

    def _clip_frames(self, clip: Clip) -> Tensor:
        """The frames seen of a clip, ``(F, size, size, 3)``."""
        return torch.from_numpy(read_clip(clip, self.count_frames(clip), size=self.network.config.x_encoder.frame_size))

    @torch.inference_mode()
    def _embed(self, clips: list[Tensor], queries: list[str]) -> Tensor:
        """Clips ``(F, size, size, 3)``, F differing between them, to unit vectors ``(clips, embed_dim)``."""
        embedded = torch.empty(len(clips), self.network.config.embed_dim)
        for count in {len(frames) for frames in clips}:
            rows = [row for row, frames in enumerate(clips) if len(frames) == count]
            tokens = self.network.encode_frames(torch.stack([clips[row] for row in rows]))
            embedded[rows] = self.network.predict(tokens, [queries[row] for row in rows])
        return embedded

    def _write(self, predicted: Tensor) -> tuple[str, float]:
        """The text decoded from one embedding ``(1, embed_dim)``, and its similarity to it."""
        with torch.inference_mode():
            text = self.network.decode(predicted)[0]
        return text, float(self.encode_text([text])[0] @ predicted[0])

    def _windows(self, frames: Iterable[tuple[float, np.ndarray]], query: str) -> Iterator[tuple[float, Tensor]]:
        count = self.network.config.x_encoder.num_frames
        window: deque[Tensor] = deque(maxlen=count)
        for time, frame in frames:
            with torch.inference_mode():
                window.append(window_parts(self.network, torch.from_numpy(frame.copy())[None]))
                # Until the window is full its first frame stands for what came before.
                parts = torch.stack([window[0]] * (count - len(window)) + list(window), dim=1)
                embedding = self.network.predict(window_tokens(self.network, parts), [query])[0]
            yield time, embedding


def _checked(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[-1] != 3 or not array.size:
        raise UserError(
            f"video array: expected uint8 (frames, height, width, 3), found {array.dtype} {array.shape}; convert it"
        )
    return array


def _sampled(frames: Iterable[np.ndarray], fps: float, rate_hz: float, size: int) -> Iterator[tuple[float, np.ndarray]]:
    """Frames at about ``rate_hz``, resized, with their times."""
    due = 0.0
    for index, frame in enumerate(frames):
        time = index / fps
        if time + 1e-9 >= due:
            due = max(due + 1 / rate_hz, time)
            yield time, resize(_checked(np.asarray(frame)[None]), size)[0]
