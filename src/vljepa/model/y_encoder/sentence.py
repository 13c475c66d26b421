"""Text encoders in the format of sentence-transformers: EmbeddingGemma, the paper's, and Qwen3-Embedding.

Such a folder holds a transformer, how its outputs are pooled (``1_Pooling``: the mean, or the last token), for
EmbeddingGemma two linear layers after that (``2_Dense``, ``3_Dense``), and named prompts that stand before a text
(``config_sentence_transformers.json``). Of EmbeddingGemma ``STS`` is "task: sentence similarity | query: " and
``document`` is "title: none | text: "; Qwen3-Embedding puts an instruction before a ``query`` only. What a text begins
and ends with ([BOS], [EOS]) its tokenizer knows.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from vljepa.config import YEncoderConfig
from vljepa.errors import UserError
from vljepa.model.architectures import architecture
from vljepa.model.weights import find_weights, load_network
from vljepa.model.y_encoder.base import YEncoder

_DENSE = {"google/embeddinggemma-300m": ((768, 3072), (3072, 768))}
"""Widths of the linear layers without bias after pooling, of models that are counted without their files."""


class SentenceEncoder(YEncoder):
    """A transformer, pooled, and the linear layers after it, where its config keeps them.

    Args:
        config: which one, its context, its prompt, what follows pooling, and whether token tables train.
        embed_dim: E, width of the shared space.

    Raises:
        UserError: the weights cannot be had, lack a tensor, are no sentence encoder, or have no such prompt.
    """

    def __init__(self, config: YEncoderConfig, embed_dim: int) -> None:
        weights = find_weights(config.name)
        transformer: Any = load_network(AutoModel, weights)
        modules = _read(weights.folder / "modules.json")
        kinds = {module["type"].rpartition(".")[2]: module["path"] for module in modules}
        if "Pooling" not in kinds:
            raise UserError(f"{weights.folder / 'modules.json'}: has no Pooling; name a sentence encoder")
        pools_last = _pools_last(weights.folder / kinds["Pooling"] / "config.json")
        width = int(transformer.config.hidden_size)
        dense = nn.Sequential()
        for module in modules:
            if module["type"].endswith(".Dense") and not config.pooled_only:
                dense.append(_load_dense(weights.folder / module["path"]))
                width = int(dense[-1].out_features)  # type: ignore[arg-type]
        super().__init__(config, _stack(transformer, dense), "backbone", width, embed_dim)
        self._pools_last = pools_last
        self._prompt = _prompt(weights.folder, config.prompt)
        self._max_tokens = config.max_tokens
        self._tokenizer = AutoTokenizer.from_pretrained(weights.folder, padding_side="right", local_files_only=True)

    @staticmethod
    def skeleton(config: YEncoderConfig) -> tuple[nn.Module, int]:
        settings = architecture(config.name)
        widths = () if config.pooled_only else _DENSE.get(config.name.partition("@")[0], ())
        dense = nn.Sequential(*(nn.Linear(before, after, bias=False) for before, after in widths))
        return _stack(AutoModel.from_config(settings), dense), widths[-1][1] if widths else settings.hidden_size

    def encode(self, texts: Sequence[str]) -> Tensor:
        device = self.head.weight.device
        batch = self._tokenize(texts, padding=True, return_tensors="pt").to(device)
        mask = batch["attention_mask"]
        backbone: Any = self.backbone
        hidden = backbone["transformer"](input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state.float()
        if self._pools_last:
            pooled = hidden[torch.arange(len(hidden), device=device), mask.sum(dim=1) - 1]
        else:
            pooled = (hidden * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        embeddings: Tensor = backbone["dense"](pooled)
        return embeddings

    def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(map(len, self._tokenize(texts)["input_ids"]))

    def _tokenize(self, texts: Sequence[str], **options: Any) -> Any:
        prompted = [self._prompt + text for text in texts]
        return self._tokenizer(prompted, truncation=True, max_length=self._max_tokens, **options)


def _stack(transformer: nn.Module, dense: nn.Module) -> nn.ModuleDict:
    return nn.ModuleDict({"transformer": transformer, "dense": dense})


def _read(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f"{path}: file not found; name a text encoder in the format of sentence-transformers")
    return json.loads(path.read_text(encoding="utf-8"))


def _pools_last(path: Path) -> bool:
    """Whether the last token is the embedding; if not, the mean is."""
    values = _read(path)
    modes = [name for name, value in values.items() if name.startswith("pooling_mode_") and value]
    mode = values.get("pooling_mode") or " ".join(modes)
    if mode in ("mean", "pooling_mode_mean_tokens"):
        return False
    if mode in ("lasttoken", "pooling_mode_lasttoken"):
        return True
    raise UserError(f"{path}: pools by {mode!r}; only the mean and the last token are read")


def _load_dense(folder: Path) -> nn.Linear:
    values = _read(folder / "config.json")
    if not values["activation_function"].endswith("Identity"):
        raise UserError(f"{folder / 'config.json'}: activation {values['activation_function']} is not supported")
    linear = nn.Linear(values["in_features"], values["out_features"], bias=values["bias"])
    state = load_file(folder / "model.safetensors")
    linear.load_state_dict({name.removeprefix("linear."): tensor for name, tensor in state.items()})
    return linear


def _prompt(folder: Path, name: str | None) -> str:
    if name is None:
        return ""
    prompts = _read(folder / "config_sentence_transformers.json").get("prompts", {})
    if name not in prompts:
        raise UserError(f"y_encoder.prompt: {folder} has no prompt {name!r}; choose one of {', '.join(prompts)}")
    return str(prompts[name])
