"""What benchmarks time with: a clock that waits for the GPU, and the matrix product that rates stand against."""

import time
from collections.abc import Callable

import torch


def now(device: torch.device) -> float:
    """Seconds, once all that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def product(device: torch.device, dtype: torch.dtype) -> tuple[Callable[[], object], float]:
    """One matrix product, large for the device, and its FLOPs: what the device can reach at best."""
    size = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return lambda: a @ b, 2.0 * size**3
