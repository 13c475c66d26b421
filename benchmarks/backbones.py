"""Backbones with random weights in the format of the Hugging Face hub: any size, no network.

Speed does not depend on the values of weights, so a benchmark may have the paper's exact shapes without its licences.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import (
    Gemma3TextConfig,
    Gemma3TextModel,
    LlamaConfig,
    LlamaForCausalLM,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    VJEPA2Config,
    VJEPA2Model,
)

from vljepa.config import ModelConfig, XEncoderConfig
from vljepa.model.architectures import architecture, perception_encoder
from vljepa.model.x_encoder.perception import PerceptionEncoder
from vljepa.model.y_decoder import train_tokenizer
from vljepa.recipes import tiny

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
MODULES = "sentence_transformers.models."


def write_backbones(
    folder: Path,
    model: ModelConfig,
    vision: PretrainedConfig | None,
    text: PretrainedConfig,
    texts: Iterable[str],
    *,
    query_vocabulary: int,
    dtype: torch.dtype,
    dense: Sequence[tuple[int, int]] = (),
) -> ModelConfig:
    """An X-Encoder, a Llama of the predictor's layers and an EmbeddingGemma, and ``model`` with their folders as names.

    Args:
        vision: config of V-JEPA 2; None for the Perception Encoder that ``model`` names.
        text: config of Gemma 3.
        texts: what the one tokenizer of Llama and Gemma is learned from.
        query_vocabulary: rows of the Llama's token table.
        dtype: of the Llama's weights on disk; the others have their published float32.
        dense: inputs and outputs of the linear layers that EmbeddingGemma has behind the mean.
    """
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=train_tokenizer(texts, 1024), pad_token="<end of text>", eos_token="<end of text>"
    )
    x_folder, llama_folder, y_folder = (folder / name for name in ("vision", "llama", "gemma"))

    if vision is None:
        _write_perception(x_folder, model.x_encoder)
    else:
        _random(VJEPA2Model, vision, torch.float32).save_pretrained(x_folder)
        _write(x_folder / "video_preprocessor_config.json", {"size": vision.crop_size, **IMAGENET})

    shape = model.predictor.transformer
    scaling = shape.rope_scaling
    rope: dict[str, Any] = {"rope_theta": shape.rope_theta, "rope_type": "default"}
    if scaling is not None:
        values = asdict(scaling)
        values["original_max_position_embeddings"] = values.pop("original_context")
        rope |= values | {"rope_type": "llama3"}
    llama = LlamaConfig(
        hidden_size=shape.dim,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        num_key_value_heads=shape.num_kv_heads,
        intermediate_size=shape.ffn_dim,
        rms_norm_eps=shape.norm_eps,
        vocab_size=query_vocabulary,
        max_position_embeddings=131_072,
        rope_parameters=rope,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    _random(LlamaForCausalLM, llama, dtype).save_pretrained(llama_folder)
    tokenizer.save_pretrained(llama_folder)

    _random(Gemma3TextModel, text, torch.float32).save_pretrained(y_folder)
    tokenizer.save_pretrained(y_folder)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    (y_folder / "1_Pooling").mkdir()
    _write(y_folder / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True})
    for index, (inputs, outputs) in enumerate(dense, start=2):
        path = y_folder / f"{index}_Dense"
        path.mkdir()
        settings = {"in_features": inputs, "out_features": outputs, "bias": False}
        _write(path / "config.json", settings | {"activation_function": "torch.nn.modules.linear.Identity"})
        save_file({"linear.weight": torch.randn(outputs, inputs) * inputs**-0.5}, path / "model.safetensors")
        modules.append((path.name, "Dense"))
    _write(y_folder / "modules.json", [{"path": path, "type": MODULES + kind} for path, kind in modules])

    return replace(
        model,
        x_encoder=replace(model.x_encoder, name=str(x_folder)),
        predictor=replace(model.predictor, tokenizer=str(llama_folder), init=str(llama_folder), init_first_layer=0),
        y_encoder=replace(model.y_encoder, name=str(y_folder), prompt=None),
    )


def write_paper(folder: Path, model: ModelConfig, texts: Iterable[str], *, shrunk: bool = False) -> ModelConfig:
    """``write_backbones`` for a model of the paper's size; shrunk, its parts in tiny behind a tiny V-JEPA 2.

    Args:
        texts: as of ``write_backbones``.
    """
    text = architecture(model.y_encoder.name)
    vision = None if perception_encoder(model.x_encoder.name) else architecture(model.x_encoder.name)
    vocabulary, dense = 128_256, ((768, 3072), (3072, 768))
    if shrunk:
        model = replace(
            model,
            x_encoder=replace(model.x_encoder, frame_size=40, num_frames=4),
            predictor=replace(model.predictor, transformer=tiny().model.predictor.transformer),
            y_decoder=tiny().model.y_decoder,
            embed_dim=48,
        )
        sizes: dict[str, Any] = {"hidden_size": 48, "num_attention_heads": 2, "num_hidden_layers": 2}
        vision = VJEPA2Config(crop_size=32, frames_per_clip=4, **sizes, **{f"pred_{k}": v for k, v in sizes.items()})
        heads = {"num_key_value_heads": 1, "head_dim": 16, "use_bidirectional_attention": True}
        text = Gemma3TextConfig(vocab_size=1024, intermediate_size=64, **sizes, **heads)
        vocabulary, dense = 1024, ((48, 96), (96, 48))
    return write_backbones(
        folder, model, vision, text, texts, query_vocabulary=vocabulary, dtype=torch.bfloat16, dense=dense
    )


def _write_perception(folder: Path, config: XEncoderConfig) -> None:
    """The official file, whose name tells the sizes, without the text tower."""
    tower, _ = PerceptionEncoder.skeleton(config)
    state = {
        f"visual.{name}": torch.randn_like(tensor) * tensor.shape[-1] ** -0.5
        for name, tensor in tower.state_dict().items()
    }
    folder.mkdir()
    torch.save(state, folder / f"{perception_encoder(config.name)}.pt")


def _random(network: Any, config: PretrainedConfig, dtype: torch.dtype) -> Any:
    """The network as it is before training, on the GPU if there is one, where the drawing takes no time."""
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        return network(config).to(dtype)


def _write(path: Path, values: object) -> None:
    path.write_text(json.dumps(values), encoding="utf-8")
