import pytest
import torch

from vljepa.embedding import LogitScale, normalize, similarity


def test_normalize_gives_unit_vectors_and_keeps_directions_and_zero() -> None:
    unit = normalize(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    torch.testing.assert_close(unit, torch.tensor([[0.6, 0.8], [0.0, 0.0]]))


def test_normalize_answers_half_precision_in_float32() -> None:
    assert normalize(torch.ones(2, 3, dtype=torch.bfloat16)).dtype == torch.float32


def test_similarity_is_the_cosine_of_every_pair() -> None:
    a = torch.eye(3)
    b = normalize(torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, -2.0]]))
    half = 0.5**0.5
    torch.testing.assert_close(similarity(a, b), torch.tensor([[half, 0.0], [half, 0.0], [0.0, -1.0]]))


def test_similarity_is_exact_under_autocast() -> None:
    a = normalize(torch.randn(5, 64, generator=torch.Generator().manual_seed(0)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = similarity(a, a)
    assert torch.equal(inside, similarity(a, a))


def test_logit_scale_starts_at_the_inverse_temperature_and_is_clamped() -> None:
    scale = LogitScale(0.07, 100.0)
    assert scale().item() == pytest.approx(1 / 0.07, rel=1e-5)
    torch.nn.init.constant_(scale.log_scale, 10.0)
    assert scale().item() == pytest.approx(100.0, rel=1e-5)
