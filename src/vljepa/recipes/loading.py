"""``vljepa.load``: a trained model by its name or folder, or a recipe's architecture before any training."""

import warnings
from pathlib import Path

import torch

from vljepa import api
from vljepa.errors import UserError
from vljepa.model.vljepa import VLJEPA
from vljepa.recipes import RECIPES


def load(name_or_folder: str | Path) -> api.Model:
    """A trained model, by the name of a shipped checkpoint or by its folder; else a recipe's model, untrained.

    A recipe's model has its pretrained backbones (from a package, the hub or its local cache) and, drawn from the
    recipe's seed, what training would begin with. Its two sides do not meet in one space yet, and it has no Y-Decoder:
    it serves to look at the architecture, to measure, and to embed texts with the backbone's own encoder. A warning
    says so.

    Raises:
        UserError: there is no such checkpoint or recipe, a folder is damaged, or a backbone is absent or gated.
    """
    try:
        return api.load(name_or_folder)
    except UserError as error:
        name = str(name_or_folder)
        if Path(name).is_dir():
            raise
        if name not in RECIPES:
            raise UserError(f"{error}; nor is it a recipe: {', '.join(RECIPES)}") from error
    config = RECIPES[name]()
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        network = VLJEPA(config.model)
    warnings.warn(f"{name}: a recipe's model before training; train it with: vljepa train {name}", stacklevel=2)
    return api.Model(network.eval())
