"""Which models of others are read, and how they are found: by a folder in the hub's format, or by name on the hub."""

import json
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn
from transformers import (
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    AutoModel,
    AutoModelForImageTextToText,
    AutoProcessor,
    ProcessorMixin,
)

from vljepa.data.video import probe, read_pictures
from vljepa.distributed import device
from vljepa.errors import UserError
from vljepa.evaluation.peers.dual_encoder import DUAL_ENCODERS, dual_encoder_system
from vljepa.evaluation.peers.vlm import vlm_system
from vljepa.evaluation.system import System
from vljepa.model.architectures import architecture
from vljepa.model.weights import Weights, find_weights, load_network, quietly
from vljepa.types import Clip

NUM_FRAMES = 8
"""Taken of a video at uniform times, as many as `nano` and the paper's second stage take."""


def is_peer(name: str) -> bool:
    """Whether a name is that of a model of others: a folder of transformers, or ``owner/name`` that is no folder."""
    path = Path(name) / "config.json"
    if not path.is_file():
        return not Path(name).exists() and name.partition("@")[0].count("/") == 1
    try:
        return "model_type" in json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False


def peer_system(name: str) -> System:
    """A dual encoder (CLIP, SigLIP, SigLIP 2 and their like) or an image-text-to-text model as a system.

    Raises:
        UserError: the model cannot be had, is of another kind, or lacks a file.
    """
    settings = architecture(name)
    weights = find_weights(name)
    about = f"{weights.origin}, sha256 {weights.sha256}; {NUM_FRAMES} frames of a video"
    if settings.model_type in DUAL_ENCODERS:
        model, processor = _load(AutoModel, weights)
        return dual_encoder_system(model, processor, _frames, name=name, about=about, weights=weights.sha256)
    if type(settings) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        model, processor = _load(AutoModelForImageTextToText, weights)
        return vlm_system(model, processor, _frames, name=name, about=about)
    raise UserError(
        f"{name}: is a {settings.model_type!r}; measured are checkpoints of vljepa, dual encoders "
        f"({', '.join(DUAL_ENCODERS)}) and image-text-to-text models of transformers"
    )


def _load(kind: Any, weights: Weights) -> tuple[nn.Module, ProcessorMixin]:
    try:
        with quietly():
            processor = AutoProcessor.from_pretrained(weights.folder, local_files_only=True)
    except (OSError, ValueError, ImportError) as error:
        first = str(error).strip().partition("\n")[0]
        raise UserError(f"{weights.folder}: its processor cannot be read ({first}); fetch it again") from error
    dtype = torch.bfloat16 if device().type == "cuda" else torch.float32
    return load_network(kind, weights, dtype).requires_grad_(False).to(device()), processor


def _frames(clip: Clip) -> list[Image.Image]:
    """Whole frames, not cropped: a model's own processor brings them to what it reads."""
    is_video = len(clip.media) == 1 and probe(clip.media[0]).num_frames != 1
    return read_pictures(clip, NUM_FRAMES if is_video else min(len(clip.media), NUM_FRAMES))
