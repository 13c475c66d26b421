"""TallyQA: how many there are."""

import numpy as np

_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_NUMBERS = {word: number for number, word in enumerate(_WORDS.split())}


def count_of(answer: str) -> int:
    """The number in an answer, in digits or as a word up to twenty; any other answer is 0, as in TallyQA's code."""
    text = answer.strip().lower()
    return int(text) if text.isdecimal() else _NUMBERS.get(text, 0)


def count_scores(found: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Accuracy, and the root of the mean squared error of the numbers.

    Args:
        found, truth: (n,) numbers.
    """
    error = np.asarray(found, dtype=np.float64) - truth
    return {"accuracy": float((error == 0).mean()), "RMSE": float(np.sqrt((error**2).mean()))}
