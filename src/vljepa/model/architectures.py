"""Architectures of backbones on the hub; known ones without their files, so that parameters can be counted."""

import functools
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from vljepa.errors import UserError
from vljepa.model.weights import find_weights

_KNOWN: dict[str, dict[str, Any]] = {
    "facebook/vjepa2-vitl-fpc64-256": {"model_type": "vjepa2"},
    "google/embeddinggemma-300m": {
        "model_type": "gemma3_text",
        "vocab_size": 262_144,
        "hidden_size": 768,
        "intermediate_size": 1152,
        "num_hidden_layers": 24,
        "num_attention_heads": 3,
        "num_key_value_heads": 1,
        "head_dim": 256,
        "use_bidirectional_attention": True,
    },
    "Qwen/Qwen3-Embedding-0.6B": {
        "model_type": "qwen3",
        "vocab_size": 151_669,
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
    },
    "meta-llama/Llama-3.2-1B": {"model_type": "llama", "vocab_size": 128_256, "hidden_size": 2048},
    "HuggingFaceTB/SmolLM2-1.7B": {"model_type": "llama", "vocab_size": 49_152, "hidden_size": 2048},
}
"""What of their config.json decides the number of parameters; of language models, what decides that of their tokens."""
PERCEPTION_ENCODER = "perception_encoder"


def model_type(name: str) -> str:
    """What transformers calls the architecture of a backbone, or ``perception_encoder``.

    Raises:
        UserError: it is not a known one, and its config cannot be had.
    """
    if perception_encoder(name) is not None:
        return PERCEPTION_ENCODER
    return str(architecture(name).model_type)


@functools.cache
def architecture(name: str) -> Any:
    """Config of a backbone, as transformers reads it.

    Raises:
        UserError: it is not a known one, and its config cannot be had.
    """
    repository = name.partition("@")[0]
    if repository in _KNOWN and not Path(name).is_dir():
        values = dict(_KNOWN[repository])
        return AutoConfig.for_model(values.pop("model_type"), **values)
    folder = find_weights(name).folder
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise UserError(f"{folder / 'config.json'}: cannot be read ({first}); fetch it again") from error


def perception_encoder(name: str) -> str | None:
    """Which Perception Encoder a name or a folder is, such as ``PE-Core-L14-336``; None if another backbone.

    Its repositories have no usable config: the name of the weight file tells the sizes.
    """
    if Path(name).is_dir():
        return next((path.stem for path in sorted(Path(name).glob("PE-*.pt"))), None)
    last = name.partition("@")[0].rpartition("/")[2]
    return last if last.startswith("PE-") else None
