"""The tasks of ``vljepa.api`` with a token-space VLM: it writes texts, and ranks given ones by their perplexity."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vljepa.api import ACTION_QUERY, Model, Video, Viewer, checkpoint_folder
from vljepa.errors import UserError
from vljepa.model.generate import generate, log_likelihood
from vljepa.model.network import model_config
from vljepa.model.token_vlm import TokenVLM
from vljepa.model.vljepa import VLJEPA
from vljepa.tasks.classify import check_texts, ranked
from vljepa.types import Scored


def load_any(name_or_folder: str | Path) -> "Model | TokenModel":
    """A trained model of either kind, by the name of a shipped checkpoint or by its folder.

    Raises:
        UserError: there is no such checkpoint, or its folder is damaged.
    """
    folder = checkpoint_folder(name_or_folder)
    if model_config(folder).kind == "token_vlm":
        return TokenModel(TokenVLM.load(folder))
    return Model(VLJEPA.load(folder))


class TokenModel(Viewer):
    """A trained token-space VLM with those tasks of the paper that need no embedding, on files or arrays."""

    network: TokenVLM

    def __init__(self, network: TokenVLM) -> None:
        super().__init__(network)

    def caption(self, video: Video, beams: int = 1) -> str:
        """One sentence on the video.

        Args:
            beams: texts followed at a time; 1 is greedy.

        Raises:
            UserError: the video cannot be read.
        """
        frames, config = self.frames(video), self.network.config
        query = config.video_query if len(frames) > 1 else config.image_query
        return self.write(self._tokens(frames), [query], beams)[0]

    def ask(self, video: Video, question: str, choices: Sequence[str] | None = None) -> list[Scored]:
        """Answers to a question, best first: the given choices, or without choices the one written text.

        Raises:
            UserError: the video cannot be read; the question is blank; choices are empty or repeated.
        """
        if not question.strip():
            raise UserError("question: is empty; ask something")
        tokens = self._tokens(self.frames(video))
        if choices is None:
            choices = self.write(tokens, [question])
        else:
            check_texts(choices, "choices")
        return ranked(choices, self.rank(tokens, [question], [choices])[0])

    def classify(self, video: Video, labels: Sequence[str], query: str = ACTION_QUERY) -> list[Scored]:
        """Labels ranked by the mean log-probability of their tokens, best first.

        Raises:
            UserError: the video cannot be read; labels are empty or repeated.
        """
        check_texts(labels, "labels")
        return ranked(labels, self.rank(self._tokens(self.frames(video)), [query], [labels])[0])

    def write(self, visual_tokens: Tensor, queries: Sequence[str], beams: int = 1) -> list[str]:
        """Texts on clips of visual tokens ``(B, T, N, D)``, each with its own query: what evaluation calls."""
        return generate(self.network.language_model, visual_tokens.to(self.network.device), queries, beams)

    def rank(
        self, visual_tokens: Tensor, queries: Sequence[str], candidates: Sequence[Sequence[str]]
    ) -> list[np.ndarray]:
        """Mean log-probability a token of each clip's candidate texts, each clip with its own query."""
        tokens = visual_tokens.to(self.network.device)
        return [scores.numpy() for scores in log_likelihood(self.network.language_model, tokens, queries, candidates)]

    @torch.inference_mode()
    def _tokens(self, frames: Tensor) -> Tensor:
        return self.network.encode_frames(frames[None])
