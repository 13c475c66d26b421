"""POPE: whether an object is in the picture, yes or no; "yes" is the positive class."""

import numpy as np
from jaxtyping import Bool

_NO = {"No", "not", "no"}


def says_yes(answer: str) -> bool:
    """What POPE's scorer reads in a text: no, if its first sentence has one of the words No, no, not; otherwise yes."""
    return not _NO & set(answer.split(".")[0].replace(",", "").split(" "))


def yes_no_scores(said: Bool[np.ndarray, " n"], truth: Bool[np.ndarray, " n"]) -> dict[str, float]:
    """Accuracy, precision, recall, F1 and the share of questions that were answered with yes.

    Precision, recall and F1 are 0 where they have nothing to divide by; POPE's own scorer fails there.

    Args:
        said: whether yes was said.
        truth: whether yes is right.
    """
    right = float((said & truth).sum())
    precision = right / max(float(said.sum()), 1.0)
    recall = right / max(float(truth.sum()), 1.0)
    return {
        "accuracy": float((said == truth).mean()),
        "precision": precision,
        "recall": recall,
        "F1": 2 * precision * recall / (precision + recall) if right else 0.0,
        "yes ratio": float(said.mean()),
    }
