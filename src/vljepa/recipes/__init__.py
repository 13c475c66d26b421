"""Named runs. Each is a function returning a full config; ``vljepa train NAME`` runs it."""

from collections.abc import Callable

from vljepa.config import RunConfig
from vljepa.recipes import paper
from vljepa.recipes.finetune import finetune
from vljepa.recipes.models import open_model, paper_control_model, paper_control_vlm_model, paper_model
from vljepa.recipes.tabletop import nano, nano_dual_encoder, nano_token_vlm, small, tiny

__all__ = [
    "RECIPES",
    "finetune",
    "nano",
    "nano_dual_encoder",
    "nano_token_vlm",
    "open_model",
    "paper_control_model",
    "paper_control_vlm_model",
    "paper_model",
    "small",
    "tiny",
]

RECIPES: dict[str, Callable[[], RunConfig]] = {
    "nano": nano,
    "nano-dual-encoder": nano_dual_encoder,
    "nano-token-vlm": nano_token_vlm,
    "small": small,
    "tiny": tiny,
    "finetune": finetune,
    "paper-image": paper.paper_image,
    "paper-video8": paper.paper_video8,
    "paper-video32": paper.paper_video32,
    "paper-sft": paper.paper_sft,
    "paper-control": paper.paper_control,
    "paper-control-vlm": paper.paper_control_vlm,
    "open-image": paper.open_image,
    "open-video8": paper.open_video8,
    "open-video32": paper.open_video32,
    "open-sft": paper.open_sft,
    "open-control": paper.open_control,
}
"""Name to config, for ``vljepa train NAME``."""
