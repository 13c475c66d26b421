"""A dual encoder of others as a system: a clip is the mean of its frames' embeddings."""

from collections.abc import Callable
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from vljepa.embedding import normalize
from vljepa.evaluation.system import System
from vljepa.evaluation.systems import in_parts
from vljepa.types import Clip

DUAL_ENCODERS = ("clip", "siglip", "siglip2", "metaclip_2", "align", "altclip", "chinese_clip")
"""Model types with ``get_image_features`` and ``get_text_features`` in one space."""
_PADDED = ("siglip", "siglip2")
"""They were trained on texts padded to their full context, and read others wrongly."""


def dual_encoder_system(
    model: Any, processor: Any, frames: Callable[[Clip], list[Image.Image]], *, name: str, about: str, weights: str
) -> System:
    """The model as a system. It reads no query, and ranks by cosine: clip beside text, or clip beside clip.

    Args:
        model: with ``get_image_features`` and ``get_text_features``.
        processor: its image processor and tokenizer.
        frames: those seen of a clip; UserError if it cannot be read.
        weights: what tells the weights from others.
    """
    tokenizer = processor.tokenizer
    context = model.config.text_config.max_position_embeddings

    @torch.inference_mode()
    def embed_clips(clips: list[Clip], queries: list[str]) -> Tensor:
        return torch.stack([_mean(frames(clip)) for clip in clips])

    def _mean(pictures: list[Image.Image]) -> Tensor:
        pixels = processor.image_processor(images=pictures, return_tensors="pt").to(model.device, model.dtype)
        each = normalize(_features(model.get_image_features(**pixels)).float())
        return normalize(each.mean(dim=0)).cpu()

    @torch.inference_mode()
    def encode_text(texts: list[str]) -> Tensor:
        padding = "max_length" if model.config.model_type in _PADDED else True
        tokens = tokenizer(texts, padding=padding, truncation=True, max_length=context, return_tensors="pt")
        return normalize(_features(model.get_text_features(**tokens.to(model.device))).float()).cpu()

    return System(
        name=name,
        about=about,
        fingerprint=f"{name} {weights} {about}",
        embed_clips=embed_clips,
        encode_text=in_parts(encode_text),
    )


def _features(output: Any) -> Tensor:
    """Releases of transformers give the embeddings, or what holds them."""
    return output if isinstance(output, Tensor) else output.pooler_output
