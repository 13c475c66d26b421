"""The model inside CLIP_benchmark (github.com/LAION-AI/CLIP_benchmark): zero-shot classification and retrieval.

    from vljepa.harnesses.clip_benchmark import load
    model, transform, tokenizer = load("nano")
    zeroshot_retrieval.evaluate(model, DataLoader(dataset), tokenizer, "cpu", amp=False)

The harness passes on what ``transform`` makes of a picture or a video as it comes; nothing of it is imported here.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from vljepa.api import Model, Video
from vljepa.api import load as load_model

Picture = Image.Image


class Texts(list[str]):
    """What the harness takes for token ids: the texts themselves, which the Y-Encoder tokenizes."""

    def to(self, device: object) -> "Texts":
        """Texts are on no device."""
        return self


class ClipModel:
    """A trained VL-JEPA with the methods of a CLIP.

    Args:
        query: what every picture or video is asked; default: the config's ``video_query``.
    """

    def __init__(self, model: Model, query: str | None = None) -> None:
        self._model = model
        self._query = query

    def transform(self, seen: Video | Picture) -> UInt8[Tensor, "F S S 3"]:
        """What a data set does to each of its items: a picture, a file or an array of frames to the frames seen of it.

        Raises:
            UserError: the file cannot be read, or the array is of another type or shape.
        """
        return self._model.frames(np.asarray(seen.convert("RGB"))[None] if isinstance(seen, Picture) else seen)

    def encode_image(self, images: UInt8[Tensor, "B F S S 3"]) -> Float[Tensor, "B E"]:
        """Predicted embeddings of what ``transform`` made, unit vectors, on the device of the images."""
        return self._model.encode_video(list(images.cpu()), self._query).to(images.device)

    def encode_text(self, texts: Texts) -> Float[Tensor, "n E"]:
        """Unit vectors of the texts."""
        return self._model.encode_text(texts)


def load(
    name_or_folder: str | Path, query: str | None = None
) -> tuple[ClipModel, Callable[[Video | Picture], Tensor], Callable[[list[str]], Texts]]:
    """Model, transform and tokenizer, as the harness's own loaders give them.

    Raises:
        UserError: as ``vljepa.load``.
    """
    model = ClipModel(load_model(name_or_folder), query)
    return model, model.transform, Texts
