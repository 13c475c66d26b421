"""A batch in chunks has the loss and the gradient of the whole."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from vljepa import losses
from vljepa.config import LossConfig, ModelConfig, OptimConfig
from vljepa.embedding import LogitScale
from vljepa.model.vljepa import VLJEPA
from vljepa.training import chunks
from vljepa.training.guard import Guard
from vljepa.training.optim import build_optimizer
from vljepa.training.step import train_step
from vljepa.types import Batch

ROWS = 7
TEXTS = ["yes", "no", "yes", "two", "no", "yes", "three"]


def sides(dropout: float) -> nn.ModuleDict:
    torch.manual_seed(0)
    parts = {name: nn.Sequential(nn.Linear(5, 4), nn.Dropout(dropout)) for name in ("x", "y")}
    return nn.ModuleDict({**parts, "scale": LogitScale()}).double()


def embedding_of(model: nn.ModuleDict) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    def embed(part: Tensor) -> tuple[Tensor, Tensor]:
        predicted, target = (nn.functional.normalize(model[name](part), dim=1) for name in ("x", "y"))
        return predicted, target

    return embed


def objective_of(model: nn.ModuleDict, config: LossConfig) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda predicted, target: losses.objective(config, predicted, target, model["scale"](), TEXTS)


def inputs() -> Tensor:
    return torch.randn(ROWS, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("config", [LossConfig(), LossConfig(multi_positive=True), LossConfig(name="l1")])
@pytest.mark.parametrize("size", [1, 3, 4])
def test_chunks_have_value_and_gradient_of_the_whole(config: LossConfig, size: int) -> None:
    results = []
    for parts in ([inputs()], inputs().split(size)):
        model = sides(0.0)
        outputs = chunks.backward(embedding_of(model), objective_of(model, config), parts)
        unused = torch.zeros(())
        results.append([*outputs, *(unused if p.grad is None else p.grad for p in model.parameters())])
    torch.testing.assert_close(*results, rtol=1e-12, atol=1e-14)


def test_random_numbers_are_drawn_once() -> None:
    model, parts = sides(0.5), inputs().split(3)
    torch.manual_seed(3)
    rows = [embedding_of(model)(part) for part in parts]
    predicted, target = (torch.cat(side) for side in zip(*rows, strict=True))
    objective_of(model, LossConfig())(predicted, target).backward()
    after = torch.get_rng_state()

    again = sides(0.5)
    torch.manual_seed(3)
    _, actual, _ = chunks.backward(embedding_of(again), objective_of(again, LossConfig()), parts)
    assert torch.equal(actual, predicted)
    assert torch.equal(torch.get_rng_state(), after)
    for one, other in zip(again.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-12, atol=1e-14)


def test_step_of_the_model_in_chunks(tiny_config: ModelConfig) -> None:
    """Texts that stand in several chunks, some samples without a query."""
    generator = torch.Generator().manual_seed(2)
    results = []
    for micro_batch_size in (None, 3):
        torch.manual_seed(0)
        model, optim = VLJEPA(tiny_config), OptimConfig()
        batch = Batch(
            visual_tokens=torch.randn(ROWS, 2, 4, model.x_encoder.token_dim, generator=generator.manual_seed(2)),
            queries=["", "what is it?", "", "how many?", "", "", "where?"],
            targets=TEXTS,
        )
        optimizer, guard = build_optimizer(model, optim), Guard(optim, "a stage")
        step = train_step(
            model,
            batch,
            LossConfig(),
            optimizer,
            guard,
            precision="float32",
            grad_clip=1.0,
            micro_batch_size=micro_batch_size,
        )
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        results.append({"loss": step.loss, "predicted": step.predicted, "norm": step.grad_norm, **gradients})
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-5)
