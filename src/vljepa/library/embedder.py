"""What a library asks of a model, and how it knows the model again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from vljepa.api import Model, load
from vljepa.model.fingerprint import fingerprint
from vljepa.types import Clip


@dataclass(frozen=True, kw_only=True)
class Embedder:
    """A model as a library sees it: callables and an identity."""

    name: str
    """Name of a shipped model, or absolute path of a checkpoint folder: ``load`` finds it again from anywhere."""
    fingerprint: str
    """Equal fingerprints mean equal embeddings."""
    embed_dim: int
    """E."""
    video_query: str
    """Asked of every video."""
    image_query: str
    """Asked of every image."""
    encode_clips: Callable[[Sequence[Clip], Sequence[str]], Tensor]
    """Clips and a query for each to unit vectors (clips, E); raises UserError if a clip cannot be read."""
    encode_text: Callable[[Sequence[str]], Tensor]
    """Texts to unit vectors (texts, E)."""

    @classmethod
    def load(cls, name_or_folder: str | Path) -> "Embedder":
        """The model of that name or checkpoint folder.

        Raises:
            UserError: there is no such checkpoint, or it is damaged.
        """
        folder = Path(name_or_folder)
        return cls.of(load(name_or_folder), str(folder.resolve()) if folder.is_dir() else str(name_or_folder))

    @classmethod
    def of(cls, model: Model, name: str) -> "Embedder":
        """A model that is loaded already."""
        return cls(
            name=name,
            fingerprint=fingerprint(model.network),
            embed_dim=model.network.config.embed_dim,
            video_query=model.network.config.video_query,
            image_query=model.network.config.image_query,
            encode_clips=model.encode_clips,
            encode_text=model.encode_text,
        )
