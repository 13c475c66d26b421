"""Everything a run needs before its first step: data, tokenizer, model, the familiarity score."""

import math
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from vljepa.config import RunConfig
from vljepa.distributed import device
from vljepa.embedding import LogitScale
from vljepa.errors import UserError
from vljepa.model.network import Network
from vljepa.model.token_vlm import TokenVLM, learns_vocabulary
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.training.cached import CachedData
from vljepa.training.data import Data, SourceData
from vljepa.training.decoded import DecodedData

_FAMILIARITY_CLIPS = 4000
"""Clips at most from which the familiarity score is fitted; a fifth of them calibrate it."""
_TOKENIZER_SAMPLES = 1_000_000
"""Of a source, the samples at most from whose texts a tokenizer learns."""


def text_tokenizer(config: RunConfig, sources: dict[str, SourceData], folder: Path) -> Tokenizer | None:
    """The tokenizer of a new Y-Decoder or token-space VLM, learned from the training targets once per run.

    None if the run trains neither, or one that has its tokens already.
    """
    new_vlm = learns_vocabulary(config.model) and config.start_from is None
    new_decoder = config.y_decoder_from is None and any(stage.trains == "y_decoder" for stage in config.stages)
    if not new_vlm and not new_decoder:
        return None
    path = folder / ("tokenizer.json" if new_vlm else "y_decoder_tokenizer.json")
    if not path.exists():
        texts: set[str] = set()
        for source in sources.values():
            some = range(0, len(source.samples), -(-len(source.samples) // _TOKENIZER_SAMPLES))
            texts.update(text for i in some for text in source.samples[i].targets)
        aside = path.with_suffix(".writing")
        train_tokenizer(sorted(texts), config.model.y_decoder.vocab_size).save(str(aside))
        aside.rename(path)
    return Tokenizer.from_file(str(path))


def build_model(config: RunConfig, tokenizer: Tokenizer | None) -> Network:
    """The model before its first step, on this rank's device: a new one, or that of ``config.start_from``.

    Args:
        tokenizer: from ``text_tokenizer``; None leaves the Y-Decoder as it is, that of ``config.start_from`` or, if
            one is named, of ``config.y_decoder_from``.

    Raises:
        UserError: the checkpoint to start from cannot be read or has other shapes than ``config.model``.
    """
    torch.manual_seed(config.seed)
    if config.model.kind == "token_vlm":
        if config.start_from is None:
            return TokenVLM(config.model, tokenizer).to(device())
        vlm = TokenVLM.load(config.start_from)
        if vlm.config != config.model:
            raise UserError(f"{config.start_from}: has another architecture than the run")
        return vlm.to(device())
    if config.start_from is None:
        model = VLJEPA(config.model, decoder_tokenizer=tokenizer)
        model.logit_scale = LogitScale(config.loss.initial_temperature, config.loss.max_logit_scale)
        return model.to(device())
    model = VLJEPA.load(config.start_from)
    if replace(model.config, y_decoder=config.model.y_decoder) != config.model:
        raise UserError(f"{config.start_from}: has another architecture than the run; only its Y-Decoder may differ")
    model.logit_scale.log_maximum = math.log(config.loss.max_logit_scale)
    if tokenizer is not None:
        model.config = config.model
        model.add_y_decoder(tokenizer)
    if config.y_decoder_from is not None:
        other = VLJEPA.load(config.y_decoder_from)
        shapes = (config.model.y_decoder, config.model.embed_dim)
        if other.y_decoder is None or (other.config.y_decoder, other.config.embed_dim) != shapes:
            raise UserError(f"{config.y_decoder_from}: has no Y-Decoder of the run's architecture; name another")
        model.config = config.model
        model.add_y_decoder(other.y_decoder.tokenizer).load_state_dict(other.y_decoder.state_dict())
    return model.to(device())


def build_data(config: RunConfig, model: Network, sources: dict[str, SourceData]) -> Data:
    """The sources in the form in which the run reads them.

    Raises:
        UserError: not one clip of a source can be read.
    """
    return (CachedData if config.cache_features else DecodedData)(config, model, sources)


def fit_familiarity(config: RunConfig, model: Network, data: Data, folder: Path) -> None:
    """Fit the familiarity score on a random draw of the run's clips; what was fitted lies in the run's folder.

    A run that trains a decoder alone keeps the score of its checkpoint, as it keeps the rest.
    """
    if all(stage.trains == "y_decoder" for stage in config.stages):
        return
    path = folder / "familiarity.safetensors"
    if path.exists():
        try:
            model.familiarity.load_state_dict(load_file(path))
        except (SafetensorError, RuntimeError) as error:
            raise UserError(f"{path}: is damaged ({error}); delete it, it is made anew") from error
    else:
        pooled = data.pooled(_FAMILIARITY_CLIPS, config.seed).to(device())
        held_out = max(1, len(pooled) // 5)
        model.familiarity.fit(pooled[held_out:], pooled[:held_out])
        aside = path.with_suffix(".writing")
        save_file({name: tensor.contiguous() for name, tensor in model.familiarity.state_dict().items()}, aside)
        aside.rename(path)
