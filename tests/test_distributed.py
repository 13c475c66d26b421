"""Two processes over gloo: what they exchange, and that their loss and gradients are those of one with all rows."""

from typing import Any

import pytest
import torch
from ranks import run_ranks
from torch import Tensor, nn

from vljepa import distributed, losses
from vljepa.config import LossConfig
from vljepa.embedding import LogitScale

TEXTS = ["yes", "no", "yes", "two", "three", "yes", "no", "four"]
CONFIGS = {
    "info_nce": LossConfig(),
    "multi_positive": LossConfig(multi_positive=True),
    **{name: LossConfig(name=name) for name in ("cosine", "l1", "l2", "vicreg", "sigreg")},
}


class Sides(nn.Module):
    """Two linear maps and the logit scale, for a predictor and a Y-Encoder; in float64."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.x, self.y, self.logit_scale = nn.Linear(5, 4), nn.Linear(5, 4), LogitScale()
        self.double()

    def loss(self, config: LossConfig, inputs: Tensor, texts: list[str]) -> Tensor:
        predicted, target = (
            nn.functional.normalize(side(part)) for side, part in zip((self.x, self.y), inputs, strict=True)
        )
        return losses.objective(config, predicted, target, self.logit_scale(), texts)


def inputs() -> Tensor:
    return torch.randn(2, len(TEXTS), 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def loss_and_gradients(config: LossConfig) -> list[Tensor]:
    """Of this rank's rows, then averaged over the ranks: what a step of training makes of them."""
    model, count = Sides(), len(TEXTS) // distributed.world_size()
    mine = slice(distributed.rank() * count, (distributed.rank() + 1) * count)
    loss = model.loss(config, inputs()[:, mine], TEXTS[mine])
    loss.backward()
    unused = torch.zeros(())
    gradients = [unused if p.grad is None else p.grad for p in model.parameters()]
    return [distributed.mean(value) for value in (loss, *gradients)]


def work() -> dict[str, Any]:
    rank = distributed.rank()
    rows = torch.tensor([[1.0 + rank], [3.0 + rank]], requires_grad=True)
    gathered = distributed.gather(rows)
    # Each rank weighs each row differently, so that a share that is lost would be missed.
    (gathered * torch.tensor([[1.0], [2.0], [3.0], [4.0]]) * 10**rank).sum().backward()
    return {
        "losses": {name: loss_and_gradients(config) for name, config in CONFIGS.items()},
        "gathered": gathered.detach(),
        "gradient": rows.grad,
        "from rank 0": distributed.from_rank_0(f"rank {rank}"),
    }


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return run_ranks(work, tmp_path_factory.mktemp("ranks"))


def test_gather_brings_all_rows_and_sums_their_gradients(ranks: list[dict[str, Any]]) -> None:
    for rank in ranks:
        assert torch.equal(rank["gathered"], torch.tensor([[1.0], [3.0], [2.0], [4.0]]))
        assert rank["from rank 0"] == "rank 0"
    assert torch.equal(ranks[0]["gradient"], torch.tensor([[11.0], [22.0]]))
    assert torch.equal(ranks[1]["gradient"], torch.tensor([[33.0], [44.0]]))


@pytest.mark.parametrize("name", CONFIGS)
def test_two_ranks_have_the_loss_and_gradients_of_one(ranks: list[dict[str, Any]], name: str) -> None:
    expected = loss_and_gradients(CONFIGS[name])
    for rank in ranks:
        torch.testing.assert_close(rank["losses"][name], expected, rtol=1e-12, atol=1e-14)


def test_alone_there_is_nothing_to_exchange() -> None:
    rows = torch.ones(2, 3)
    with distributed.joined(), distributed.rank_0_first():
        assert distributed.gather(rows) is rows
        assert torch.equal(distributed.mean(rows), rows)
        assert distributed.from_rank_0("it") == "it"
    assert (distributed.rank(), distributed.world_size()) == (0, 1)
