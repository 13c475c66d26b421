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
from vljepa.model.token_vlm import LanguageModel, learns_vocabulary
from vljepa.model.weights import SOURCES
from vljepa.model.x_encoder import TokenShape, x_encoder_class
from vljepa.model.y_encoder import y_encoder_class


def count_parameters(config: ModelConfig) -> dict[str, int]:
    """Parameters of a model part by part, the frozen ones included; the Y-Decoder is no part of it (paper, section 2).

    Returns:
        ``x_encoder``; of the predictor ``predictor.layers``, those of its transformer, ``predictor.tokens``, the frozen
        table that reads queries, and ``predictor.rest``: projections, norms and positions; ``y_encoder``;
        ``y_encoder.head``. The dual encoder's predictor is ``predictor.rest`` alone. A token-space VLM has, beside the
        X-Encoder, ``language_model.layers``, ``language_model.tokens``, the trained table that it writes with,
        ``language_model.queries``, the frozen one that reads queries where it is another, and ``language_model.rest``.

    Raises:
        UserError: a backbone whose architecture is not known and cannot be had.
    """
    with torch.device("meta"):
        x_encoder, shape = x_encoder_class(config.x_encoder.name).skeleton(config.x_encoder)
    if config.kind == "token_vlm":
        return {"x_encoder": _count(x_encoder), **_count_language_model(config, shape)}
    with torch.device("meta"):
        y_encoder, width = y_encoder_class(config.y_encoder.name).skeleton(config.y_encoder)
        head = nn.Linear(width, config.embed_dim)
    return {
        "x_encoder": _count(x_encoder),
        **(_count_predictor if config.kind == "vl_jepa" else _count_pooled)(config, shape),
        "y_encoder": _count(y_encoder),
        "y_encoder.head": _count(head),
    }


def trained_parameters(config: ModelConfig) -> dict[str, int]:
    """Of a model's parameters those that learn, part by part: what figure 3 compares.

    Returns:
        ``predictor``, ``y_encoder`` with its head, and ``logit_scale``; or ``language_model``, its whole vocabulary
        included.

    Raises:
        UserError: as ``count_parameters``.
    """
    counts = count_parameters(config)
    if config.kind == "token_vlm":
        frozen = ("x_encoder", "language_model.queries")
        return {"language_model": sum(count for part, count in counts.items() if part not in frozen)}
    with torch.device("meta"):
        network, _ = y_encoder_class(config.y_encoder.name).skeleton(config.y_encoder)
    frozen_tables = 0 if config.y_encoder.train_token_embeddings else token_tables(network)
    return {
        "predictor": counts.get("predictor.layers", 0) + counts["predictor.rest"],
        "y_encoder": counts["y_encoder"] - frozen_tables + counts["y_encoder.head"],
        "logit_scale": 1,
    }


def token_tables(network: nn.Module) -> int:
    """Parameters of a text encoder's tables: in no matrix product, and frozen unless asked for."""
    return sum(module.weight.numel() for module in network.modules() if isinstance(module, nn.Embedding))


def _count_language_model(config: ModelConfig, shape: TokenShape) -> dict[str, int]:
    embedder, steps = _embedder(config), _steps(config, shape)
    untrained = replace(config.predictor, init=None)
    # Stands for the one to be learned, which a small data set may fill in part only.
    tokenizer = Tokenizer(models.BPE(vocab={str(i): i for i in range(config.y_decoder.vocab_size - 1)}, merges=[]))
    tokenizer.add_special_tokens(["<end>"])
    with torch.device("meta"):
        model = LanguageModel(
            untrained, shape.dim, shape.per_step, steps, config.y_decoder.max_tokens, tokenizer, embedder
        )
    layers, tokens = _count(model.transformer.layers), _count(model.tokens)
    return {
        "language_model.layers": layers,
        "language_model.tokens": tokens,
        "language_model.queries": embedder.table.numel() if learns_vocabulary(config) else 0,
        "language_model.rest": _count(model) - layers - tokens,
    }


def _embedder(config: ModelConfig) -> TokenEmbedder:
    """Stands for the one that reads queries: any tokenizer, and a table of the right shape."""
    table = torch.empty(token_table_shape(config.predictor.tokenizer), device="meta")
    return TokenEmbedder(tokenizer=Tokenizer(models.BPE()), table=table, end=0)


def _steps(config: ModelConfig, shape: TokenShape) -> int:
    return -(-config.x_encoder.num_frames // shape.tubelet)


def _count_predictor(config: ModelConfig, shape: TokenShape) -> dict[str, int]:
    embedder, steps = _embedder(config), _steps(config, shape)
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
