"""Batches of pairs: a function of seed and step, in which everything has near negatives."""

from vljepa.everyday.pairs import pairs


def test_a_step_is_a_function_of_seed_and_step() -> None:
    assert pairs(3, 2, 0, 5) == pairs(3, 2, 0, 5)
    assert len(pairs(3, 2, 0, 5)) == 9
    assert len({str(pairs(3, 2, seed, step)) for seed in (0, 1) for step in (0, 1)}) == 4


def test_either_wording_has_negatives_in_its_own_style() -> None:
    """Next to each other in a batch, every first wording is in the style of the next pair's second one."""
    shared = [
        len(set(one[side].lower().split()) & set(other[1 - side].lower().split())) / len(set(one[side].lower().split()))
        for step in range(20)
        for batch in [pairs(4, 1, 0, step)]
        for one, other in zip(batch[::2], batch[1::2], strict=True)
        for side in (0, 1)
    ]
    assert sum(shared) / len(shared) > 0.7


def test_without_alterations_pairs_have_little_in_common() -> None:
    batch = pairs(64, 0, 0, 0)
    assert len(batch) == len({first for first, _ in batch}) == 64
