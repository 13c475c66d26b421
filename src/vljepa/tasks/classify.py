"""Open-vocabulary classification: the label whose embedding is nearest to the predicted one (paper, section 4.1).

Anticipation is the same task with a query about what comes next.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from vljepa.errors import UserError
from vljepa.tasks.unit import Embeddings, EncodeText, unit_rows
from vljepa.types import Scored


def label_embeddings(labels: Sequence[str], encode_text: EncodeText, templates: Sequence[str] = ("{}",)) -> np.ndarray:
    """One unit embedding a label, (labels, E): the mean over templates of unit embeddings.

    Raises:
        UserError: no label, an empty or repeated one, no template or one without ``{}``.
    """
    check_texts(labels, "labels")
    if not templates or any("{}" not in template for template in templates):
        raise UserError(f"templates {list(templates)}: each needs the place of the label, {{}}")
    texts = [template.replace("{}", label) for template in templates for label in labels]
    per_template = unit_rows(encode_text(texts)).reshape(len(templates), len(labels), -1)
    return unit_rows(per_template.mean(axis=0))


def classify(
    predicted: Embeddings,
    labels: Sequence[str],
    encode_text: EncodeText,
    templates: Sequence[str] = ("{}",),
) -> list[list[Scored]]:
    """Rank the labels for each predicted embedding, best first.

    Args:
        predicted: (n, E).
        labels: distinct texts; the model need not have seen them.
        encode_text: texts to embeddings (the Y-Encoder).
        templates: prompts with ``{}`` for the label; their embeddings are averaged.

    Raises:
        UserError: no label, an empty or repeated one, no template or one without ``{}``.
    """
    scores = unit_rows(predicted) @ label_embeddings(labels, encode_text, templates).T
    return [ranked(labels, row) for row in scores]


def ranked(texts: Sequence[str], scores: np.ndarray) -> list[Scored]:
    """Texts with their scores, best first; equal scores keep the given order."""
    order = np.argsort(-scores, kind="stable")
    return [Scored(text=texts[i], score=float(scores[i])) for i in order]


def check_texts(texts: Sequence[str], what: str) -> None:
    """Refuse a list of candidates from which no honest choice can be made.

    Raises:
        UserError: the list is empty or a text itself, or one of the texts is blank or repeated.
    """
    if isinstance(texts, str):
        raise UserError(f"{what}: {texts!r} is one text; give a list of texts")
    if not texts:
        raise UserError(f"{what}: the list is empty; give at least one text")
    if any(not text.strip() for text in texts):
        raise UserError(f"{what}: number {[bool(t.strip()) for t in texts].index(False) + 1} is empty; remove it")
    text, count = Counter(texts).most_common(1)[0]
    if count > 1:
        raise UserError(f"{what}: {text!r} is given {count} times; each may stand once")
