"""Parameters part by part, exactly and without the weights: the networks are built on the meta device."""

from dataclasses import replace

import torch
from tokenizers import Tokenizer, models
from torch import nn

from vljepa.config import ModelConfig
from vljepa.model.architectures import architecture
from vljepa.model.dual_encoder import PooledPredictor
from vljepa.model.llama import TokenEmbedder, load_token_embedder
from vljepa.model.predictor import Predictor
from vljepa.model.weights import SOURCES
from vljepa.model.x_encoder import TokenShape, x_encoder_class
from vljepa.model.y_encoder import y_encoder_class


def count_parameters(config: ModelConfig) -> dict[str, int]:
    """Parameters of a model part by part, the frozen ones included; the Y-Decoder is no part of it (paper, section 2).

    Returns:
        ``x_encoder``; of the predictor ``predictor.layers``, those of its transformer, ``predictor.tokens``, the frozen
        table that reads queries, and ``predictor.rest``: projections, norms and positions; ``y_encoder``;
        ``y_encoder.head``. The dual encoder's predictor is ``predictor.rest`` alone.

    Raises:
        UserError: a backbone whose architecture is not known and cannot be had.
    """
    with torch.device("meta"):
        x_encoder, shape = x_encoder_class(config.x_encoder.name).skeleton(config.x_encoder)
        y_encoder, width = y_encoder_class(config.y_encoder.name).skeleton(config.y_encoder)
        head = nn.Linear(width, config.embed_dim)
    return {
        "x_encoder": _count(x_encoder),
        **(_count_predictor if config.kind == "vl_jepa" else _count_pooled)(config, shape),
        "y_encoder": _count(y_encoder),
        "y_encoder.head": _count(head),
    }


def _count_predictor(config: ModelConfig, shape: TokenShape) -> dict[str, int]:
    table = torch.empty(token_table_shape(config.predictor.tokenizer), device="meta")
    embedder = TokenEmbedder(tokenizer=Tokenizer(models.BPE()), table=table)
    steps = -(-config.x_encoder.num_frames // shape.tubelet)
    untrained = replace(config.predictor, init=None)
    with torch.device("meta"):
        predictor = Predictor(untrained, shape.dim, shape.per_step, steps, config.embed_dim, embedder)
    layers = _count(predictor.transformer.layers)
    return {
        "predictor.layers": layers,
        "predictor.tokens": embedder.table.numel(),
        "predictor.rest": _count(predictor) - layers,
    }


def _count_pooled(config: ModelConfig, shape: TokenShape) -> dict[str, int]:
    with torch.device("meta"):
        pooled = PooledPredictor(config.predictor, shape.dim, shape.per_step, 1, config.embed_dim)
    return {"predictor.rest": _count(pooled)}


def token_table_shape(name: str) -> tuple[int, int]:
    """Tokens and width of the table that reads queries.

    Raises:
        UserError: its architecture is not known and cannot be had.
    """
    if name in SOURCES:
        vocabulary, width = load_token_embedder(name).table.shape
        return vocabulary, width
    settings = architecture(name)
    return settings.vocab_size, settings.hidden_size


def _count(module: nn.Module) -> int:
    # A parameter that is tied to another is one.
    return sum(parameter.numel() for parameter in module.parameters())
