"""An image-text-to-text model of others as a system: it ranks texts by their likelihood and writes greedily."""

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vljepa.evaluation.system import System
from vljepa.types import Clip

_AT_ONCE = 32
"""Candidates scored together."""
_NEW_TOKENS = 64
"""Of a written text at most."""
_IGNORED = -1


def vlm_system(
    model: Any, processor: Any, frames: Callable[[Clip], list[Image.Image]], *, name: str, about: str
) -> System:
    """The model as a system that makes no embeddings.

    A candidate's score is the mean log-probability of its tokens and of the end token after the prompt, so that long
    ones are not at a disadvantage: the rule by which the project's own token-space VLM is measured (section 4.5). The
    prompt, frames included, is read once a clip.

    Args:
        model: of ``AutoModelForImageTextToText``.
        processor: image processor, tokenizer and, where the model has one, chat template.
        frames: those seen of a clip, given as so many images; UserError if it cannot be read.
    """
    prompts = _Prompts(processor, model)

    @torch.inference_mode()
    def rank_candidates(clips: list[Clip], queries: list[str], candidates: list[Sequence[str]]) -> list[np.ndarray]:
        return [
            _log_likelihood(model, prompts, frames(clip), query, some)
            for clip, query, some in zip(clips, queries, candidates, strict=True)
        ]

    @torch.inference_mode()
    def caption_clips(clips: list[Clip], queries: list[str]) -> list[str]:
        return [_write(model, prompts, frames(clip), query) for clip, query in zip(clips, queries, strict=True)]

    return System(name=name, about=about, rank_candidates=rank_candidates, caption_clips=caption_clips)


class _Prompts:
    """Frames and a query as the model's own prompt, and texts as what may follow it."""

    def __init__(self, processor: Any, model: Any) -> None:
        self._processor, self._device, self._dtype = processor, model.device, model.dtype
        self.tokenizer = processor.tokenizer
        self.end: int = self.tokenizer.eos_token_id
        self._is_chat = bool(getattr(processor, "chat_template", None))

    def read(self, pictures: list[Image.Image], query: str) -> dict[str, Any]:
        """Inputs of the model, a batch of one."""
        text, begin = self._text(len(pictures), query), self.tokenizer.bos_token
        inputs = self._processor(
            images=[pictures],
            text=[text],
            return_tensors="pt",
            # A chat template may have set them itself.
            add_special_tokens=not (begin and text.startswith(begin)),
        )
        return dict(inputs.to(self._device, self._dtype))

    def continuation(self, text: str) -> list[int]:
        """Tokens of a text after the prompt, the end among them."""
        said = text if self._is_chat else f" {text}"
        return [*self.tokenizer(said, add_special_tokens=False).input_ids, self.end]

    def _text(self, num_pictures: int, query: str) -> str:
        if not self._is_chat:
            return f"{self._processor.image_token * num_pictures}\n{query}".rstrip()
        content = [{"type": "image"}] * num_pictures + ([{"type": "text", "text": query}] if query else [])
        return self._processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)


def _log_likelihood(
    model: Any, prompts: _Prompts, pictures: list[Image.Image], query: str, candidates: Sequence[str]
) -> np.ndarray:
    """Mean log-probability a token, nats, of each candidate (candidates,)."""
    inputs = prompts.read(pictures, query)
    prefix = model(**inputs, use_cache=True)
    first = prefix.logits[:, -1:].float().log_softmax(dim=-1)
    tokens = [prompts.continuation(text) for text in candidates]
    scores = np.empty(len(candidates))
    for start in range(0, len(candidates), _AT_ONCE):
        some = tokens[start : start + _AT_ONCE]
        padded = torch.full((len(some), max(map(len, some))), _IGNORED, device=model.device)
        for row, one in enumerate(some):
            padded[row, : len(one)] = torch.tensor(one)
        each = _after(model, inputs["attention_mask"], prefix[_cache_name(model)], first, padded)
        scores[start : start + len(some)] = each.cpu().numpy()
    return scores


def _after(model: Any, mask: Tensor, cache: Any, first: Tensor, tokens: Tensor) -> Tensor:
    """Mean log-probabilities (candidates,) of ``tokens`` (candidates, length) after a cached prompt.

    Args:
        mask: of the prompt, (1, prompt).
        first: log-probabilities of the token after the prompt, (1, 1, vocabulary).
        tokens: padded at the end with ``_IGNORED``, of which the mean is not taken.
    """
    known = tokens != _IGNORED
    log_probabilities = first.expand(len(tokens), -1, -1)
    if tokens.shape[1] > 1:
        # The model writes into its cache.
        cache = copy.deepcopy(cache)
        cache.batch_repeat_interleave(len(tokens))
        # What is said of the last token nobody asks.
        said = tokens[:, :-1].clamp(min=0)
        seen = torch.cat((mask.expand(len(tokens), -1), known[:, :-1].to(mask.dtype)), dim=1)
        # Positions are the model's own affair: some count those of an image otherwise.
        output = model(input_ids=said, attention_mask=seen, use_cache=True, **{_cache_name(model): cache})
        log_probabilities = torch.cat((log_probabilities, output.logits.float().log_softmax(dim=-1)), dim=1)
    each = log_probabilities.gather(2, tokens.clamp(min=0)[:, :, None])[:, :, 0]
    return (each * known).sum(dim=1) / known.sum(dim=1)


def _cache_name(model: Any) -> str:
    """Releases of transformers differ in what they call the keys and values of the tokens before."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


def _write(model: Any, prompts: _Prompts, pictures: list[Image.Image], query: str) -> str:
    inputs = prompts.read(pictures, query)
    tokens = model.generate(**inputs, max_new_tokens=_NEW_TOKENS, do_sample=False)
    said: str = prompts.tokenizer.decode(tokens[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return said.strip()
