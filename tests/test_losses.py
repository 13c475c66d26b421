"""Losses against closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch.nn import functional

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


def test_with_a_slow_target_each_side_learns_in_one_direction() -> None:
    torch.manual_seed(0)
    scale = torch.tensor(5.0)
    predicted, target, slow = (functional.normalize(torch.randn(6, 4), dim=1) for _ in range(3))
    # A Y-Encoder that has not moved yet is its own average.
    assert losses.momentum_info_nce(predicted, target, target, scale) == losses.info_nce(predicted, target, scale)

    labels = torch.arange(6)
    p, t = predicted.clone().requires_grad_(), target.clone().requires_grad_()
    losses.momentum_info_nce(p, t, slow, scale).backward()
    q, u = predicted.clone().requires_grad_(), target.clone().requires_grad_()
    (functional.cross_entropy(scale * q @ slow.T, labels) / 2).backward()
    (functional.cross_entropy(scale * u @ predicted.T, labels) / 2).backward()
    torch.testing.assert_close(p.grad, q.grad)
    torch.testing.assert_close(t.grad, u.grad)


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


def whitened(rows: int, dim: int) -> torch.Tensor:
    """Centred, of covariance exactly one."""
    values = torch.randn(rows, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    left, _, _ = torch.linalg.svd(values - values.mean(dim=0), full_matrices=False)
    return left * math.sqrt(rows - 1)


def test_vicreg_asks_nothing_of_a_whitened_batch_but_that_pairs_agree() -> None:
    # Scaled down by what the loss scales up.
    rows = whitened(32, 4) / 2
    assert losses.vicreg(rows, rows).item() == pytest.approx(0, abs=1e-12)
    shifted = rows + 0.1
    # 25 times the square of 2 * 0.1; a shift moves neither variance nor covariance.
    assert losses.vicreg(rows, shifted).item() == pytest.approx(25 * 0.04)


def test_vicreg_of_a_collapsed_and_of_a_doubled_batch() -> None:
    collapsed = torch.eye(4, dtype=torch.float64)[:1].repeat(6, 1)
    # No variance at all: the hinge is 1 less the root of the 1e-4 that keeps its gradient finite.
    assert losses.vicreg(collapsed, collapsed).item() == pytest.approx(25 * (1 - 0.01))
    # Two dimensions that are the same: both covariances off the diagonal are 1, over 2 dimensions, on two sides.
    twice = whitened(32, 1).repeat(1, 2) / math.sqrt(2)
    assert losses.vicreg(twice, twice).item() == pytest.approx(2)


def test_epps_pulley_is_the_integral() -> None:
    samples = torch.randn(40, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 1.5 + 0.3
    found = losses.epps_pulley(samples)
    for column, value in zip(samples.T.numpy(), found.tolist(), strict=True):

        def integrand(t: float, column: np.ndarray = column) -> float:
            return abs(np.exp(1j * t * column).mean() - math.exp(-t * t / 2)) ** 2 * math.exp(-t * t / 2)

        expected, _ = quad(integrand, -math.inf, math.inf)
        assert value == pytest.approx(40 * expected, rel=1e-4)


def test_epps_pulley_of_gaussian_samples_has_the_mean_of_its_closed_form() -> None:
    samples = torch.randn(50, 4000, generator=torch.Generator().manual_seed(4))
    expected = math.sqrt(2 * math.pi) * (1 - 1 / math.sqrt(3))
    assert losses.epps_pulley(samples).mean().item() == pytest.approx(expected, rel=0.05)


def test_sigreg_tells_a_gaussian_from_a_collapse_and_draws_by_its_seed() -> None:
    spread, collapsed = unit(256, 64, 4), unit(1, 64, 4).repeat(256, 1)
    even = losses.sigreg(spread, spread, 0).item()
    assert losses.sigreg(collapsed, collapsed, 0).item() > 20 * even
    assert losses.sigreg(spread, spread, 0).item() == even != losses.sigreg(spread, spread, 1).item()


def test_the_batch_seeds_the_directions() -> None:
    predicted, target, scale = unit(4, 8, 0), unit(4, 8, 1), torch.tensor(1.0)
    one, again, other = (
        losses.objective(LossConfig(name="sigreg"), predicted, target, scale, texts).item()
        for texts in (["a", "b", "c", "d"], ["a", "b", "c", "d"], ["a", "b", "c", "e"])
    )
    assert one == again != other
