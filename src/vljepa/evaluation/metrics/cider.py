"""CIDEr-D (Vedantam et al., 2015), as the COCO caption tools compute it: consensus of a caption with its references."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from vljepa.errors import UserError
from vljepa.evaluation.metrics.tokenizer import tokenize

_ORDERS = 4
_SIGMA = 6.0

NGram = tuple[str, ...]


def cider(captions: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    """CIDEr-D of each caption, (n,), from 0 to 10; the corpus score is their mean (papers print 100 times that).

    The weights of words come from the references given here: a score holds for this set of items only, and scores of
    parts must not be averaged. A single item always scores zero.

    Args:
        captions: n texts.
        references: n lists of at least one text.

    Raises:
        UserError: numbers of captions and references differ, or an item has no reference.
    """
    return cider_of_tokens([tokenize(c) for c in captions], [[tokenize(r) for r in refs] for refs in references])


def cider_of_tokens(captions: Sequence[list[str]], references: Sequence[Sequence[list[str]]]) -> np.ndarray:
    """As ``cider``, for texts already cut into words."""
    if len(captions) != len(references) or any(not refs for refs in references):
        raise UserError(f"CIDEr: {len(captions)} captions for {len(references)} lists of at least one reference")
    counted = [[_ngrams(ref) for ref in refs] for refs in references]
    document_frequency: Counter[NGram] = Counter()
    for refs in counted:
        document_frequency.update({gram for ref in refs for gram in ref})
    log_items = math.log(max(1, len(references)))

    def weigh(counts: Counter[NGram]) -> tuple[list[dict[NGram, float]], list[float], int]:
        vectors: list[dict[NGram, float]] = [{} for _ in range(_ORDERS)]
        for gram, count in counts.items():
            idf = log_items - math.log(max(1, document_frequency[gram]))
            vectors[len(gram) - 1][gram] = count * idf
        norms = [math.sqrt(sum(w * w for w in vector.values())) for vector in vectors]
        bigrams = sum(count for gram, count in counts.items() if len(gram) == 2)
        return vectors, norms, bigrams

    scores = []
    for caption, refs in zip(captions, counted, strict=True):
        vectors, norms, length = weigh(_ngrams(caption))
        total = 0.0
        for ref in refs:
            ref_vectors, ref_norms, ref_length = weigh(ref)
            # The original measures length in bigrams, and penalises all orders alike.
            penalty = math.exp(-((length - ref_length) ** 2) / (2 * _SIGMA**2))
            for vector, norm, ref_vector, ref_norm in zip(vectors, norms, ref_vectors, ref_norms, strict=True):
                overlap = sum(min(w, ref_vector[g]) * ref_vector[g] for g, w in vector.items() if g in ref_vector)
                if norm and ref_norm:
                    total += penalty * overlap / (norm * ref_norm)
        scores.append(10 * total / (_ORDERS * len(refs)))
    return np.array(scores)


def _ngrams(words: list[str]) -> Counter[NGram]:
    return Counter(tuple(words[i : i + n]) for n in range(1, _ORDERS + 1) for i in range(len(words) - n + 1))
