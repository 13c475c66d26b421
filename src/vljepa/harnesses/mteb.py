"""The model inside MTEB (github.com/embeddings-benchmark/mteb), for its tasks of video and text.

    from vljepa.harnesses.mteb import load
    mteb.evaluate(load("nano"), mteb.get_task("MSRVTTT2V"))

Of a video the frames are seen that our own evaluation sees: the harness's data set hands over the encoded file, so
that torchcodec is not needed.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from vljepa.api import Model
from vljepa.api import load as load_model
from vljepa.errors import UserError
from vljepa.model.fingerprint import fingerprint
from vljepa.types import Clip

try:
    from datasets import Video
    from mteb.models import ModelMeta
    from mteb.models.abs_encoder import AbsEncoder
    from mteb.models.model_meta import ScoringFunction
except ImportError as error:
    raise UserError(f"MTEB is not there ({error}); install it with: pip install 'open-vl-jepa[harness]'") from error


class Encoder(AbsEncoder):
    """A trained VL-JEPA as MTEB's ``EncoderProtocol``.

    Args:
        name: owner and name that results are filed under; the revision is the fingerprint of the weights.
        query: what a video without text is asked; default: the config's ``video_query``.
    """

    def __init__(self, model: Model, name: str = "open-vl-jepa/vl-jepa", query: str | None = None) -> None:
        self.model = model
        self._query = model.network.config.video_query if query is None else query
        # Without it MTEB takes an empty one: the model is dropped, or no task of videos fits it.
        self.mteb_model_meta = ModelMeta.create_empty(
            overwrites={
                "name": name,
                "revision": fingerprint(model.network),
                "modalities": ["video", "text"],
                "embed_dim": model.network.config.embed_dim,
                "similarity_fn_name": ScoringFunction.COSINE,
                "experiment_kwargs": {"query": self._query},
            }
        )

    def encode(self, inputs: DataLoader, **_: Any) -> np.ndarray:
        """Unit vectors, (n, E) float32, of videos, of texts, or of videos with a text each, which is then the query.

        Args:
            inputs: over a data set with the columns ``video``, ``text`` or both.

        Raises:
            UserError: a video cannot be read.
        """
        # Of the package datasets, whose columns torch's own type does not know.
        rows: Any = inputs.dataset
        if "video" in rows.features:
            rows = rows.cast_column("video", Video(decode=False))
        batches = DataLoader(rows, batch_size=inputs.batch_size, num_workers=inputs.num_workers, collate_fn=list)
        encode = self._encode_videos if "video" in rows.features else self._encode_texts
        return torch.cat([encode(batch) for batch in batches]).float().cpu().numpy()

    def _encode_texts(self, batch: list[dict[str, Any]]) -> torch.Tensor:
        return self.model.encode_text([row["text"] for row in batch])

    def _encode_videos(self, batch: list[dict[str, Any]]) -> torch.Tensor:
        queries = [row.get("text", self._query) for row in batch]
        with TemporaryDirectory() as folder:
            clips = [Clip(media=(_file(row["video"], Path(folder, str(i))),)) for i, row in enumerate(batch)]
            return self.model.encode_clips(clips, queries)


def load(name_or_folder: str | Path, query: str | None = None) -> Encoder:
    """The model that ``vljepa.load`` finds.

    Raises:
        UserError: as ``vljepa.load``.
    """
    return Encoder(load_model(name_or_folder), f"open-vl-jepa/{Path(name_or_folder).name}", query)


def _file(video: dict[str, Any], aside: Path) -> str:
    """The video's file; if the data set holds its bytes they are written to ``aside``."""
    if video["bytes"] is None:
        return str(Path(video["path"]).absolute())
    aside.write_bytes(video["bytes"])
    return str(aside)
