"""What the commands share: options, loading, printing."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    from vljepa.api import Model
    from vljepa.token_api import TokenModel

# Layers are imported inside the commands: importing torch and transformers takes seconds, and `--help` must not.

AsJson = Annotated[bool, tyro.conf.arg(name="json", help="Print one JSON value for a program to read.")]
ModelName = Annotated[str, tyro.conf.arg(name="model", help="Name of a shipped model, or a checkpoint folder.")]


def load_model(checkpoint: str) -> "Model":
    """The model of that name or folder."""
    from vljepa.api import load

    return load(checkpoint)


def load_any_model(checkpoint: str) -> "Model | TokenModel":
    """The model of that name or folder, where a token-space VLM will do as well."""
    from vljepa.token_api import load_any

    return load_any(checkpoint)


def show(values: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    """Print the values as JSON for a program, or the lines for a person."""
    print(json.dumps(values) if as_json else "\n".join(lines))
