"""Visual question answering by choice: the candidate answer nearest to the predicted embedding (paper, section 4.2)."""

from collections.abc import Sequence

from vljepa.errors import UserError
from vljepa.tasks.classify import check_texts, ranked
from vljepa.tasks.unit import Embeddings, EncodeText, unit_rows
from vljepa.types import Scored


def answer(predicted: Embeddings, choices: Sequence[Sequence[str]], encode_text: EncodeText) -> list[list[Scored]]:
    """Rank each question's own choices, best first.

    Args:
        predicted: (n, E), one predicted embedding a question.
        choices: n lists of candidate answers; lengths may differ.
        encode_text: texts to embeddings; each distinct answer is encoded once.

    Raises:
        UserError: a list of choices is empty, or holds an empty or repeated text.
    """
    if len(choices) != len(predicted):
        raise UserError(f"choices: {len(choices)} lists for {len(predicted)} questions; give one list a question")
    for one in set(map(tuple, choices)):
        check_texts(one, "choices")
    if not choices:
        return []
    distinct = list(dict.fromkeys(text for one in choices for text in one))
    row_of = {text: row for row, text in enumerate(distinct)}
    encoded = unit_rows(encode_text(distinct))
    return [
        ranked(one, encoded[[row_of[text] for text in one]] @ row)
        for one, row in zip(choices, unit_rows(predicted), strict=True)
    ]
