import pytest
import torch

from vljepa.errors import UserError
from vljepa.model.familiarity import Familiarity


def world(count: int, seed: int, dim: int = 100) -> torch.Tensor:
    """Gaussian features, a few strong directions and a weak rest."""
    generator = torch.Generator().manual_seed(seed)
    scale = torch.cat([torch.full((10,), 5.0), torch.full((dim - 10,), 0.1)])
    return torch.randn(count, dim, generator=generator) * scale + 3.0


@pytest.fixture(scope="module")
def fitted() -> Familiarity:
    familiarity = Familiarity(100)
    familiarity.fit(world(2000, 0), world(1000, 1))
    return familiarity


def test_p_values_of_the_same_world_are_uniform(fitted: Familiarity) -> None:
    values = fitted.p_value(world(2000, 2)).sort().values
    expected = torch.linspace(0, 1, len(values))
    assert (values - expected).abs().max() < 0.07


def test_a_strange_clip_is_told_apart_in_and_outside_the_training_subspace(fitted: Familiarity) -> None:
    far = world(1, 3)
    far[:, 0] += 60.0
    outside = world(1, 3)
    outside[:, 10:] += 1.0
    assert fitted.p_value(torch.cat([far, outside])).max() < 0.005


def test_distance_is_mahalanobis() -> None:
    """With D directions kept and none left over, it is the textbook distance."""
    features = world(500, 4, dim=20)
    familiarity = Familiarity(20)
    familiarity.fit(features, features[:10])
    centred = features[:5].double() - features.double().mean(0)
    expected = (centred @ torch.linalg.inv(torch.cov(features.double().T)) * centred).sum(1)
    assert torch.allclose(familiarity.distance(features[:5]).double(), expected, rtol=1e-2)


def test_few_clips_and_constant_features_stay_finite() -> None:
    familiarity = Familiarity(100)
    familiarity.fit(world(3, 5), world(1, 6))
    assert familiarity.p_value(world(4, 7)).isfinite().all()
    familiarity.fit(torch.ones(4, 100), torch.ones(2, 100))
    assert familiarity.p_value(torch.ones(1, 100)).item() == 1.0
    assert familiarity.p_value(torch.zeros(1, 100)).item() == 0.0


def test_travels_in_the_state_dict(fitted: Familiarity) -> None:
    copy = Familiarity(100)
    with pytest.raises(UserError, match="familiarity"):
        copy.p_value(world(1, 8))
    copy.load_state_dict(fitted.state_dict())
    assert torch.equal(copy.p_value(world(9, 8)), fitted.p_value(world(9, 8)))


def test_too_few_clips_are_refused() -> None:
    with pytest.raises(UserError, match="1 training and 0 held-out"):
        Familiarity(4).fit(torch.zeros(1, 4), torch.zeros(0, 4))
