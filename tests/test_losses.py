"""Losses against closed forms."""

import math

import pytest
import torch

from vljepa import losses
from vljepa.config import LossConfig


def unit(rows: int, dim: int, seed: int) -> torch.Tensor:
    values = torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))
    return values / values.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("batch", [2, 7])
def test_orthonormal_pairs(batch: int) -> None:
    eye, scale = torch.eye(batch), torch.tensor(5.0)
    expected = math.log(1 + (batch - 1) * math.exp(-5.0))
    assert losses.info_nce(eye, eye, scale).item() == pytest.approx(expected, rel=1e-5)


def test_unique_targets_give_the_plain_form() -> None:
    predicted, target, scale = unit(6, 8, 0), unit(6, 8, 1), torch.tensor(10.0)
    plain = losses.info_nce(predicted, target, scale)
    multi = losses.info_nce(predicted, target, scale, torch.eye(6, dtype=torch.bool))
    assert multi.item() == pytest.approx(plain.item(), rel=1e-5)


def test_equal_targets_cost_plain_info_nce_nothing() -> None:
    """A text that stands twice in a batch has one embedding, so plain InfoNCE learns from it as from a soft target.

    Its gradient is that of cross-entropy against a uniform distribution over the equal targets (UniCL's form): no
    sample is pushed from its own answer because another sample has it too.
    """
    texts = ["yes", "no", "yes", "two", "yes"]
    table = dict(zip(dict.fromkeys(texts), unit(3, 8, 1), strict=True))
    target = torch.stack([table[text] for text in texts])
    gradients = []
    for soft in (False, True):
        predicted = unit(5, 8, 0).requires_grad_()
        if soft:
            equal = losses.same_text(texts).float()
            share = equal / equal.sum(dim=1, keepdim=True)
            logits = 3.0 * predicted @ target.T
            loss = (
                -(share * logits.log_softmax(1)).sum(1).mean() / 2 - (share * logits.T.log_softmax(1)).sum(1).mean() / 2
            )
        else:
            loss = losses.info_nce(predicted, target, torch.tensor(3.0))
        loss.backward()
        assert predicted.grad is not None
        gradients.append(predicted.grad)
    torch.testing.assert_close(*gradients)


def test_multi_positive_by_hand() -> None:
    predicted, target, scale = unit(5, 8, 0), unit(5, 8, 1), 3.0
    texts = ["yes", "no", "yes", "two", "yes"]
    logits = (scale * predicted @ target.T).tolist()

    def one_way(rows: list[list[float]]) -> float:
        total = 0.0
        for i, row in enumerate(rows):
            negatives = sum(math.exp(row[k]) for k in range(5) if texts[k] != texts[i])
            own = [j for j in range(5) if texts[j] == texts[i]]
            total += sum(-math.log(math.exp(row[j]) / (math.exp(row[j]) + negatives)) for j in own) / len(own)
        return total / 5

    columns = [list(column) for column in zip(*logits, strict=True)]
    expected = (one_way(logits) + one_way(columns)) / 2
    actual = losses.objective(LossConfig(multi_positive=True), predicted, target, torch.tensor(scale), texts)
    assert actual.item() == pytest.approx(expected, rel=1e-5)


def test_a_batch_of_one_answer_has_no_loss_and_no_gradient() -> None:
    predicted = unit(4, 8, 0).requires_grad_()
    loss = losses.objective(LossConfig(multi_positive=True), predicted, unit(4, 8, 1), torch.tensor(10.0), ["yes"] * 4)
    loss.backward()
    assert loss.item() == 0
    assert predicted.grad is not None
    assert torch.equal(predicted.grad, torch.zeros(4, 8))


def test_distances_on_right_angles() -> None:
    predicted, target = torch.eye(2), torch.eye(2).flip(0)
    assert losses.cosine(predicted, target).item() == 1
    assert losses.l1(predicted, target).item() == 2
    assert losses.l2(predicted, target).item() == 2
    assert losses.alignment(predicted, predicted).item() == 0


def test_collapse_shows() -> None:
    collapsed = torch.eye(8)[:1].repeat(8, 1)
    assert losses.effective_rank(collapsed).item() == pytest.approx(1, abs=1e-3)
    assert losses.effective_rank(torch.eye(8)).item() == pytest.approx(8, rel=1e-5)
    assert losses.uniformity(collapsed).item() == pytest.approx(0, abs=1e-6)
    assert losses.uniformity(torch.eye(8)).item() == pytest.approx(-4, rel=1e-5)
