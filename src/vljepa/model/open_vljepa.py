"""The community checkpoint open-vljepa (``cun-bjy/open-vljepa`` on the hub), read as a model of this project.

It has the paper's parts: V-JEPA 2 frozen, the last 8 layers of Llama-3.2-1B, EmbeddingGemma. Its config says where its
form differs from ours: of the predictor's inputs only the visual ones are projected (``PredictorConfig.inputs``), and
the head on the text side reads EmbeddingGemma's mean output (``YEncoderConfig.pooled_only``). Keys have other names;
frozen parts are had from their sources, as in every checkpoint of ours, and compared with the copies in the file.
"""

import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vljepa.config import (
    ModelConfig,
    PredictorConfig,
    TransformerConfig,
    XEncoderConfig,
    YDecoderConfig,
    YEncoderConfig,
)
from vljepa.errors import UserError
from vljepa.model.llama import read_config
from vljepa.model.vljepa import VLJEPA
from vljepa.model.weights import Weights, find_checkpoint, find_weights

VIDEO_QUERY = "Describe the video."
"""What it was trained to answer, or one of seven queries like it."""
IMAGE_QUERY = "Describe the image."
"""The same of images, in its first stage."""

_NAMES = ("best.pt", "best.safetensors", "model.safetensors")
_TRAINED = {
    "predictor.vis_proj.": "predictor.visual_proj.",
    "predictor.layers.": "predictor.transformer.layers.",
    "predictor.norm.": "predictor.transformer.norm.",
    "predictor.out_proj.": "predictor.head.",
    "y_encoder.model.": "y_encoder.backbone.transformer.",
    "y_encoder.projector.": "y_encoder.head.",
}
"""Beginnings of its names and of ours."""
_TOKENS = "predictor.embed_tokens.weight"
_VISION = "x_encoder.model."
_OURS_ALONE = ("logit_scale.", "familiarity.")


@dataclass(frozen=True, kw_only=True)
class Backbones:
    """Where its pretrained parts come from, named as ``find_weights`` takes them; None: as its own config says."""

    x_encoder: str | None = None
    llama: str | None = None
    y_encoder: str | None = None


@dataclass(frozen=True, kw_only=True)
class Imported:
    """The model, and what its card says."""

    model: VLJEPA
    source: Weights
    epoch: int | None
    """Epochs it was trained for, if the file tells."""


def import_open_vljepa(source: str, backbones: Backbones) -> Imported:
    """Read the checkpoint and its pretrained parts.

    Args:
        source: the file (safetensors, or what ``torch.load(weights_only=True)`` reads), its folder, or its name on the
            hub.
        backbones: other copies of the pretrained parts.

    Raises:
        UserError: the file or a backbone cannot be had; a tensor is missing, unknown, of another shape, or, of the
            frozen parts, another than the backbone's.
    """
    weights = find_checkpoint(source, _NAMES)
    path = weights.files[0]
    document = _read(path)
    state: Any = document.get("model_state_dict", document)
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise UserError(f"{path}: holds no model_state_dict and is no state dict; this is no checkpoint of open-vljepa")
    settings = document.get("config", {}) if state is not document else {}
    model = VLJEPA(_config(path, state, settings, backbones))
    _check_frozen(path, state, model)
    _copy(path, state, model)
    temperature = settings.get("training", {}).get("temperature", 0.07)
    with torch.no_grad():
        model.logit_scale.log_scale.fill_(-math.log(temperature))
    return Imported(model=model.eval(), source=weights, epoch=document.get("epoch") if settings else None)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        document = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise UserError(f"{path}: neither a readable safetensors file nor a torch file of tensors alone") from error
    if not isinstance(document, dict):
        raise UserError(f"{path}: holds a {type(document).__name__}; this is no checkpoint of open-vljepa")
    return document


def _config(path: Path, state: Mapping[str, Tensor], settings: dict[str, Any], backbones: Backbones) -> ModelConfig:
    """Its settings, or the published ones where the file holds none; sizes from the shapes and Llama's own config."""
    for name in ("predictor.out_proj.weight", "predictor.vis_proj.weight"):
        if name not in state:
            raise UserError(f"{path}: tensor {name!r} is missing; this is no checkpoint of open-vljepa")
    data, predictor = settings.get("data", {}), settings.get("predictor", {})
    llama = backbones.llama or predictor.get("llama_name", "meta-llama/Llama-3.2-1B")
    layers = {name.split(".")[2] for name in state if name.startswith("predictor.layers.")}
    transformer = replace(
        read_config(find_weights(llama).folder / "config.json"),
        num_layers=len(layers),
        causal=not predictor.get("disable_causal_mask", True),
    )
    x_encoder = settings.get("encoder", {}).get("model_name", "facebook/vjepa2-vitl-fpc64-256")
    y_encoder = settings.get("y_encoder", {}).get("model_name", "google/embeddinggemma-300m")
    return ModelConfig(
        x_encoder=XEncoderConfig(
            name=backbones.x_encoder or x_encoder,
            frame_size=data.get("image_size", 256),
            num_frames=data.get("num_frames", 8),
        ),
        predictor=PredictorConfig(
            transformer=transformer,
            tokenizer=llama,
            tubelet=1,
            max_query_tokens=data.get("max_query_len", 64),
            inputs="plain",
        ),
        y_encoder=YEncoderConfig(
            name=backbones.y_encoder or y_encoder,
            max_tokens=data.get("max_caption_len", 64),
            pooled_only=True,
            train_token_embeddings=True,
        ),
        # It has none; this is the size of one that `vljepa train-decoder` may add.
        y_decoder=YDecoderConfig(
            transformer=TransformerConfig(dim=512, num_layers=6, num_heads=4, num_kv_heads=4, ffn_dim=1360, causal=True)
        ),
        embed_dim=len(state["predictor.out_proj.weight"]),
        video_query=VIDEO_QUERY,
        image_query=IMAGE_QUERY,
    )


def _check_frozen(path: Path, state: Mapping[str, Tensor], model: VLJEPA) -> None:
    """Compare its copies of frozen weights, where it has them, with ours."""
    vision = model.x_encoder.state_dict()
    own = {f"{_VISION}encoder.{name.removeprefix('backbone.')}": tensor for name, tensor in vision.items()}
    names = dict.fromkeys(own, model.config.x_encoder.name)
    own[_TOKENS], names[_TOKENS] = model.predictor.token_table, model.config.predictor.tokenizer
    for name in sorted(own.keys() & state.keys()):
        theirs, ours = state[name], own[name]
        if theirs.shape != ours.shape or not torch.equal(theirs, ours.to(theirs.dtype)):
            raise UserError(
                f"{path}: frozen tensor {name!r} is not that of {names[name]}; name the backbone it was trained with"
            )


def _copy(path: Path, state: Mapping[str, Tensor], model: VLJEPA) -> None:
    """Put its trained weights in the model's place for them."""
    own = {name: tensor for name, tensor in model.trained_state().items() if not name.startswith(_OURS_ALONE)}
    missing = set(own)
    for name in sorted(state):
        if name == _TOKENS or name.startswith(_VISION):
            continue
        ours = next((new + name.removeprefix(old) for old, new in _TRAINED.items() if name.startswith(old)), None)
        if ours not in own:
            raise UserError(f"{path}: tensor {name!r} has no place in a model of open-vljepa's form")
        if state[name].shape != own[ours].shape:
            raise UserError(
                f"{path}: tensor {name!r} has shape {tuple(state[name].shape)}, "
                f"the backbones' sizes ask for {tuple(own[ours].shape)}"
            )
        own[ours].copy_(state[name])
        missing.remove(ours)
    if missing:
        first = min(missing)
        theirs = next(old + first.removeprefix(new) for old, new in _TRAINED.items() if first.startswith(new))
        raise UserError(f"{path}: tensor {theirs!r} is missing; the checkpoint is incomplete")


def model_card(imported: Imported, command: str) -> str:
    """Markdown for the README.md of the imported checkpoint."""
    source, config = imported.source, imported.model.config
    trained = f"{imported.epoch} epochs of its last stage" if imported.epoch is not None else "not told by the file"
    return f"""# open-vljepa

A community rerun of VL-JEPA by Junyeob Baek (https://github.com/dion-jy/open-vljepa), imported and not trained by
`vljepa`; `config.json` beside this file holds its architecture and its frozen backbones.

* Made by: `{command}`
* Origin: {source.origin}, file `{source.files[0].name}`, sha256 {source.sha256}
* Training: {trained}; {config.x_encoder.num_frames} frames of {config.x_encoder.frame_size} pixels, fixed temperature
* Licence: built with Llama. The predictor is under the Llama 3.2 Community License, the Y-Encoder under the Gemma Terms
  of Use, the frozen V-JEPA 2 under the MIT license; their acceptable use policies hold for this checkpoint too.

## Use

It was trained on captions under one kind of query: "{VIDEO_QUERY}" and its like for videos, "{IMAGE_QUERY}" for images.
It is asked these where you give no query, and no other kind was learned.
It has no Y-Decoder (`vljepa train-decoder` adds one) and no familiarity score.

Its authors trained and measured in bfloat16 and sampled frames from the first to the last of a clip; here all is
float32, and frames are the middles of equal spans.

## Results

Not measured here. Its authors report, for their best checkpoint, text-to-video retrieval on 500 videos of MSR-VTT, in
whose domain it was trained: Recall@1, 5 and 10 of 23.9, 51.4 and 65.1 %.
"""
