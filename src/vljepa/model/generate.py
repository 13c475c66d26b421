"""What a token-space VLM says: texts by greedy or beam search, and how likely it finds given ones (section 4.5).

Keys and values of a clip and its query are computed once, whatever is written after them. Sequences of one length run
together, so nothing is padded.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from vljepa.model.token_vlm import LanguageModel
from vljepa.model.transformer import KVCache

_CACHED_TOKENS = 16_384
"""Tokens, those of clip and query included, whose keys and values are held while candidates are scored together."""


@torch.no_grad()
def generate(model: LanguageModel, visual_tokens: Tensor, queries: Sequence[str], beams: int = 1) -> list[str]:
    """The text of each clip under its query, up to the end token or ``max_tokens``.

    One beam takes the likeliest token each time. With more, the text of the highest mean log-probability a token, the
    end token included, of all that the search completes.

    Args:
        visual_tokens: (B, T, N, D).
        queries: B of them.
        beams: texts that are followed at a time.
    """
    texts = [""] * len(queries)
    for rows, cache in model.read(visual_tokens, queries):
        for row, tokens in zip(rows, _search(model, cache, len(rows), beams), strict=True):
            texts[row] = model.text_tokenizer.decode(tokens)
    return texts


def _search(model: LanguageModel, cache: KVCache, batch: int, beams: int) -> list[list[int]]:
    """The best text of each of the cache's ``batch`` sequences, without its end token."""
    device = model.tokens.weight.device
    found: list[list[int]] = [[] for _ in range(batch)]
    # Mean log-probability of what was found, and the sum of each text that goes on; -inf where none is.
    best = torch.full((batch,), -math.inf, device=device)
    scores = torch.zeros(batch, 1, device=device)
    written = torch.empty(batch, 1, 0, dtype=torch.long, device=device)
    last = torch.full((batch, 1), model.end, device=device)
    for length in range(1, model.max_tokens + 1):
        logits = model.write(last.view(-1, 1), cache)[:, 0]
        each = logits.float().log_softmax(dim=-1).unflatten(0, scores.shape)
        vocabulary = each.shape[-1]
        values, index = (scores[:, :, None] + each).flatten(1).topk(min(beams, each[0].numel()))
        parent, last = index // vocabulary, index % vocabulary
        before = written.gather(1, parent[:, :, None].expand(-1, -1, length - 1))
        written = torch.cat((before, last[:, :, None]), dim=2)

        complete = (last == model.end) | (length == model.max_tokens)
        mean, which = (values / length).masked_fill(~complete, -math.inf).max(dim=1)
        for row in (mean > best).nonzero()[:, 0].tolist():
            found[row] = written[row, which[row]].tolist()
        best = torch.maximum(best, mean)
        scores = values.masked_fill(complete, -math.inf)
        # Were all that follows certain, no text could still surpass what was found.
        if (scores.max(dim=1).values / model.max_tokens <= best).all():
            break
        if beams > 1:
            first = torch.arange(batch, device=device)[:, None] * each.shape[1]
            cache = cache.select((first + parent).flatten())
    return [tokens[:-1] if tokens[-1:] == [model.end] else tokens for tokens in found]


@torch.no_grad()
def log_likelihood(
    model: LanguageModel, visual_tokens: Tensor, queries: Sequence[str], candidates: Sequence[Sequence[str]]
) -> list[Tensor]:
    """Mean log-probability a token, nats, of candidate texts: minus the logarithm of their perplexity.

    The end token is one of them; a mean, so that long candidates are not at a disadvantage.

    Args:
        visual_tokens: (B, T, N, D).
        queries: B of them.
        candidates: B lists of texts; lengths may differ.

    Returns:
        B tensors, float32, a number for each candidate.
    """
    scores = [torch.empty(len(texts)) for texts in candidates]
    distinct = list(dict.fromkeys(text for texts in candidates for text in texts))
    tokens = dict(zip(distinct, model.tokenize(distinct), strict=True))
    device = model.tokens.weight.device
    for rows, cache in model.read(visual_tokens, queries):
        # By length: place in the cache, row, place among its candidates, tokens.
        places: defaultdict[int, list[tuple[int, int, int, list[int]]]] = defaultdict(list)
        for sequence, row in enumerate(rows):
            for place, text in enumerate(candidates[row]):
                places[len(tokens[text])].append((sequence, row, place, tokens[text]))
        for length, all_places in places.items():
            at_once = max(1, _CACHED_TOKENS // (cache.length + length))
            for first in range(0, len(all_places), at_once):
                some = all_places[first : first + at_once]
                target = torch.tensor([text for *_, text in some], device=device)
                start = torch.full((len(some), 1), model.end, device=device)
                after = cache.select(torch.tensor([sequence for sequence, *_ in some], device=device))
                logits = model.write(torch.cat((start, target[:, :-1]), dim=1), after)
                each = logits.float().log_softmax(dim=-1).gather(2, target[:, :, None])
                for (_, row, place, _), value in zip(some, each.mean(dim=(1, 2)).tolist(), strict=True):
                    scores[row][place] = value
    return scores
