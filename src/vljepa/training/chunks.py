"""A contrastive batch larger than memory: its gradient in chunks, equal to that of the whole (GradCache, Gao 2021).

The loss needs all embeddings at once, but they are small. What is large is the graph behind them, and of that a chunk's
worth is enough: embed everything without a graph, take the loss's gradient by the embeddings, then embed each chunk
again and send its share of that gradient through.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")
Embed = Callable[[T], tuple[Tensor, Tensor]]
"""A part of a batch to its predictions and targets, (part, embed) each."""


def backward(
    embed: Embed[T],
    objective: Callable[[Tensor, Tensor], Tensor],
    parts: Sequence[T],
    before: Callable[[bool], None] = lambda is_last: None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Put the gradient of ``objective(predicted, target)`` over all ``parts`` into the parameters.

    Args:
        before: of several parts, told before the backward pass of each whether it is the last.

    Returns:
        The loss, a scalar, the predictions and the targets, (batch, embed) each, without gradient.
    """
    if len(parts) == 1:
        predicted, target = embed(parts[0])
        loss = objective(predicted, target)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), predicted.detach(), target.detach()

    random = _random_state()
    with torch.no_grad():
        embedded = [embed(part) for part in parts]
    predicted, target = (torch.cat(side).requires_grad_() for side in zip(*embedded, strict=True))
    loss = objective(predicted, target)
    loss.backward()  # type: ignore[no-untyped-call]
    assert predicted.grad is not None
    assert target.grad is not None
    sizes = [len(rows) for rows, _ in embedded]
    # The same draws as in the first pass, or the gradient would be of other embeddings than the loss.
    _restore(random)
    shares = zip(predicted.grad.split(sizes), target.grad.split(sizes), strict=True)
    for number, (part, gradients) in enumerate(zip(parts, shares, strict=True), start=1):
        before(number == len(parts))
        torch.autograd.backward(embed(part), gradients)
    return loss.detach(), predicted.detach(), target.detach()


def _random_state() -> list[Tensor]:
    on_gpu = [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []
    return [torch.get_rng_state(), *on_gpu]


def _restore(random: list[Tensor]) -> None:
    torch.set_rng_state(random[0])
    for state in random[1:]:
        torch.cuda.set_rng_state(state)
