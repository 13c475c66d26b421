"""What the server asks of the model, many questions at once."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8

from vljepa.api import Model
from vljepa.errors import UserError
from vljepa.tasks.answer import answer
from vljepa.types import Scored


@dataclass(frozen=True, kw_only=True)
class Look:
    """One question on one clip."""

    frames: UInt8[np.ndarray, "F S S 3"]
    """F is 1 for an image."""
    query: str | None = None
    """None asks for a caption."""
    choices: tuple[str, ...] = ()
    """Texts to rank; none: the Y-Decoder writes the answer, if ``write``."""
    write: bool = False


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the model makes of it."""

    embedding: Float[np.ndarray, " E"]
    """The predicted embedding, unit length."""
    familiarity: float | None
    """As ``Model.familiarity``; None if the checkpoint has no such score."""
    ranked: list[Scored]
    """The choices best first, or the one written text."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Embeddings of texts."""

    embeddings: Float[np.ndarray, "texts E"]
    num_tokens: int


class Engine:
    """A model behind batch functions for the ``ModelWorker``. Its methods run on that one thread."""

    def __init__(self, model: Model, name: str) -> None:
        self.model = model
        self.network = model.network
        self.name = name
        self.writes = self.network.y_decoder is not None

    @torch.inference_mode()
    def look(self, looks: list[Look]) -> list[Seen]:
        """Answers to the questions, in order.

        Raises:
            UserError: choices are empty texts or repeated.
        """
        embeddings = torch.empty(len(looks), self.network.config.embed_dim)
        familiarity = torch.full((len(looks),), torch.nan)
        for count in {len(one.frames) for one in looks}:
            rows = [row for row, one in enumerate(looks) if len(one.frames) == count]
            tokens = self._encode(torch.from_numpy(np.stack([looks[row].frames for row in rows])))
            config = self.network.config
            default = config.video_query if count > 1 else config.image_query
            embeddings[rows] = self.network.predict(tokens, [looks[row].query or default for row in rows]).cpu()
            if self.network.familiarity.fitted:
                familiarity[rows] = self.network.familiar(tokens).cpu()
        ranked: list[list[Scored]] = [[] for _ in looks]
        chosen = [row for row, one in enumerate(looks) if one.choices]
        if chosen:
            answers = answer(embeddings[chosen], [looks[row].choices for row in chosen], self.model.encode_text)
            for row, found in zip(chosen, answers, strict=True):
                ranked[row] = found
        written = [row for row, one in enumerate(looks) if one.write and not one.choices]
        if written:
            for row, scored in zip(written, self.write(embeddings[written].numpy()), strict=True):
                ranked[row] = [scored]
        return [
            Seen(
                embedding=embeddings[row].numpy(),
                familiarity=float(familiarity[row]) if self.network.familiarity.fitted else None,
                ranked=ranked[row],
            )
            for row in range(len(looks))
        ]

    def _encode(self, frames: UInt8[torch.Tensor, "B F S S 3"]) -> torch.Tensor:
        # On a CPU a clip's activations fit its cache and those of several do not: together they took twice as long.
        at_once = 1 if self.network.device.type == "cpu" else len(frames)
        return torch.cat([self.network.encode_frames(some) for some in frames.split(at_once)])

    @torch.inference_mode()
    def write(self, embeddings: Float[np.ndarray, "n E"]) -> list[Scored]:
        """Texts decoded from embeddings, each with its similarity to its own.

        Raises:
            UserError: the checkpoint has no Y-Decoder.
        """
        if not self.writes:
            raise UserError("this model has no Y-Decoder and writes no text; give choices or labels")
        predicted = torch.from_numpy(embeddings)
        texts = self.network.decode(predicted)
        scores = (self.model.encode_text(texts).cpu() * predicted).sum(dim=-1)
        return [Scored(text=text, score=float(score)) for text, score in zip(texts, scores, strict=True)]

    @torch.inference_mode()
    def encode_texts(self, requests: list[list[str]]) -> list[Encoded]:
        """Embeddings of each request's texts, all of them in one go."""
        embeddings = self.model.encode_text([text for texts in requests for text in texts]).cpu()
        parts = embeddings.split([len(texts) for texts in requests])
        return [
            Encoded(embeddings=part.numpy(), num_tokens=self.network.y_encoder.count_tokens(texts))
            for part, texts in zip(parts, requests, strict=True)
        ]
