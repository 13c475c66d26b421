"""Batches of pairs: a function of seed and step, in which everything has near negatives."""

from vljepa.everyday.pairs import pairs


def test_a_step_is_a_function_of_seed_and_step() -> None:
    assert pairs(3, 2, 0, 5) == pairs(3, 2, 0, 5)
    assert len(pairs(3, 2, 0, 5)) == 9
    assert len({str(pairs(3, 2, seed, step)) for seed in (0, 1) for step in (0, 1)}) == 4


def test_negatives_are_near_in_either_wording() -> None:
    """Next to each other in a batch, a pair and its alteration have most words of one style in common."""
    alike, alone = [], []
    for step in range(20):
        batch = pairs(4, 1, 0, step)
        for (first, second), (other, another) in zip(batch[::2], batch[1::2], strict=True):
            alike.append(max(_shared(first, other), _shared(first, another)))
            alone.append(_shared(first, second))
    assert sum(alike) / len(alike) > 0.7 > sum(alone) / len(alone)


def test_either_style_comes_first() -> None:
    """Else a positive could be told by its style."""
    same = [
        _shared(first, other) > _shared(first, another)
        for step in range(50)
        for batch in [pairs(4, 1, 0, step)]
        for (first, _), (other, another) in zip(batch[::2], batch[1::2], strict=True)
    ]
    assert 0.35 < sum(same) / len(same) < 0.65


def _shared(one: str, other: str) -> float:
    words = set(one.lower().rstrip(".").split())
    return len(words & set(other.lower().rstrip(".").split())) / len(words)


def test_without_alterations_pairs_have_little_in_common() -> None:
    batch = pairs(64, 0, 0, 0)
    assert len(batch) == len({first for first, _ in batch}) == 64
