"""Counts that know nothing of our formulas: operations by torch's own counter, and bytes that are really held."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from torch.utils.flop_counter import FlopCounterMode


def operations(run: Callable[[], object]) -> int:
    """Operations of all matrix products and convolutions in a call, backward passes included."""
    # The counter does not know the CPU's fused attention.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        run()
    return int(counter.get_total_flops())


def saved_bytes(run: Callable[[], object], weights: Iterable[Tensor]) -> int:
    """Bytes of the tensors that autograd keeps of a forward pass, but for weights and their copies."""
    weights = list(weights)
    own = {weight.untyped_storage().data_ptr() for weight in weights}
    shapes = {tuple(shape) for w in weights if w.ndim == 2 for shape in (w.shape, w.shape[::-1])}
    sizes: dict[int, tuple[int, Tensor]] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        copy = tensor.dtype == torch.bfloat16 and tuple(tensor.shape) in shapes
        if storage.data_ptr() not in own and not copy:
            # Held, so that no other storage gets its address.
            sizes[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        held = run()
    del held
    return sum(size for size, _ in sizes.values())


class Live(TorchDispatchMode):
    """Which tensors made inside the block are alive; views of ``weights`` do not count."""

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()
        self._weights = {StorageWeakRef(weight.untyped_storage()) for weight in weights}
        self._made: list[tuple[StorageWeakRef, int]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_flatten(out)[0]:
            if isinstance(tensor, Tensor):
                self._made.append((StorageWeakRef(tensor.untyped_storage()), tensor.untyped_storage().nbytes()))
        return out

    def num_bytes(self) -> int:
        """Bytes of all that is alive now."""
        alive = {ref: size for ref, size in self._made if not ref.expired() and ref not in self._weights}
        return sum(alive.values())
