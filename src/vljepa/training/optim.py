"""Which parameter learns at which rate, and how the rate runs over the steps of a stage."""

import math

import torch
from torch import nn
from torch.distributed.tensor import DTensor

from vljepa.config import OptimConfig


def build_optimizer(model: nn.Module, config: OptimConfig, *, part: str | None = None) -> torch.optim.AdamW:
    """AdamW over the trainable parameters of a model.

    The Y-Encoder's backbone learns at ``y_encoder_lr_multiplier`` of the rate (paper, section 3.1); its head, being
    new, at the full rate unless ``y_encoder_head_lr_multiplier`` says otherwise. What has no rate is left out, so that
    its gradient counts in no norm. Weight decay falls on matrices only: never on gains, biases, embeddings or the logit
    scale.

    Args:
        part: name of the one submodule to train; None is all but ``y_decoder``.
    """
    embeddings = {
        f"{name}.weight".removeprefix(".") for name, module in model.named_modules() if isinstance(module, nn.Embedding)
    }
    groups: dict[tuple[float, float, float | None, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        top = name.split(".")[0]
        if not parameter.requires_grad or (top == "y_decoder" if part is None else top != part):
            continue
        multiplier = 1.0
        if top == "y_encoder":
            of_head = name.startswith("y_encoder.head.")
            multiplier = config.y_encoder_head_lr_multiplier if of_head else config.y_encoder_lr_multiplier
        if not multiplier:
            continue
        decays = parameter.ndim >= 2 and name not in embeddings and "position" not in name
        momentum = config.y_encoder_momentum if top == "y_encoder" else None
        # Sharded parameters have groups of their own: the fused update takes no mixture.
        key = (multiplier, config.weight_decay if decays else 0.0, momentum, isinstance(parameter, DTensor))
        groups.setdefault(key, []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": config.lr * multiplier,
                "weight_decay": decay,
                "multiplier": multiplier,
                "y_encoder_momentum": momentum,
            }
            for (multiplier, decay, momentum, _), parameters in groups.items()
        ],
        betas=config.betas,
        fused=True,
    )


def rate_at(step: int, num_steps: int, config: OptimConfig) -> float:
    """Learning rate of step ``step`` (from 0) of ``num_steps``: linear warm-up, then constant or cosine to zero."""
    warmup = min(config.warmup_steps, num_steps)
    if step < warmup:
        return config.lr * (step + 1) / warmup
    if config.schedule == "constant":
        return config.lr
    done = (step - warmup) / max(1, num_steps - warmup)
    return config.lr * 0.5 * (1 + math.cos(math.pi * done))


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every group its share of ``rate``."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["multiplier"]
