"""How the ranks share the work of a step: whole copies of the model or shards of it (FSDP2), and their gradients.

Only what is large and used at every step is sharded. The rest, among it all that reads the queries, which some batches
have none of, lies whole on each rank; those gradients are averaged here, in one message after the backward pass. With a
batch in chunks they are complete only then. (torch's DistributedDataParallel hides that message behind the backward
pass, but wants one forward pass of one module before it, and a search for the parameters that it did not use.)
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.utils.checkpoint import checkpoint

from vljepa.config import RunConfig
from vljepa.distributed import device, world_size
from vljepa.model.network import Network
from vljepa.model.vljepa import VLJEPA


def prepare(model: Network, config: RunConfig) -> None:
    """Put the model on this rank's device and make of it, in place, what the config says of memory and speed."""
    model.to(device())
    transformer = model.transformer
    layers = list(transformer.layers) if transformer is not None else []
    for layer in layers:
        if config.recompute:
            # Inside the layer's call, where a sharded layer has its weights together.
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
        if config.compile:
            layer.compile(dynamic=True)
    if config.sharded and world_size() > 1:
        # Weights travel as autocast would round them; what flows through the layers keeps its precision.
        weights = torch.bfloat16 if config.precision == "bfloat16" else None
        policy = MixedPrecisionPolicy(param_dtype=weights, reduce_dtype=torch.float32, cast_forward_inputs=False)
        mesh = dist.init_device_mesh(device().type, (world_size(),))
        around = [transformer] if transformer is not None else []
        for module in [*layers, *around, *([model.y_encoder] if isinstance(model, VLJEPA) else [])]:
            fully_shard(module, mesh=mesh, mp_policy=policy)


def reduce_gradients(model: nn.Module, after_next: bool) -> None:
    """Whether sharded gradients are averaged over the ranks, and sharded, after the next backward pass.

    Where they are not, each rank keeps the sum of its own, whole and in float32, for a later pass to average.
    """
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.set_requires_gradient_sync(after_next, recurse=False)


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Replace the gradients by their mean over the ranks; those of sharded parameters are that already.

    A parameter that no rank used keeps None for a gradient, and is not updated, as in a single process.
    """
    if world_size() == 1:
        return
    whole = [parameter for parameter in parameters if not isinstance(parameter, DTensor)]
    parts = [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in whole]
    used = torch.tensor([float(p.grad is not None) for p in whole], device=device())
    message = torch.cat([*parts, used])
    dist.all_reduce(message)
    message /= world_size()
    *means, used = message.split([*map(len, parts), len(whole)])
    for parameter, gradient, share in zip(whole, means, used.tolist(), strict=True):
        parameter.grad = gradient.view_as(parameter) if share else None


def clip_gradients(parameters: Sequence[nn.Parameter], max_norm: float) -> Tensor:
    """Scale the gradients to a global norm of at most ``max_norm``; returns the norm before, a scalar."""
    sharded = [p for p in parameters if isinstance(p, DTensor)]
    whole = [p for p in parameters if not isinstance(p, DTensor)]
    norm = get_total_norm([p.grad for p in whole if p.grad is not None])
    if sharded:
        across = get_total_norm([p.grad for p in sharded if p.grad is not None])
        assert isinstance(across, DTensor)
        norm = torch.linalg.vector_norm(torch.stack([norm, across.full_tensor()]))
        clip_grads_with_norm_(sharded, max_norm, norm)
    clip_grads_with_norm_(whole, max_norm, norm)
    return norm
