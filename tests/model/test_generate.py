"""Searches and scores against the same computed without a cache, one by one, or by trying everything."""

import itertools

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, models
from torch.nn import functional

from vljepa.config import PredictorConfig, TransformerConfig
from vljepa.model.generate import generate, log_likelihood
from vljepa.model.token_vlm import LanguageModel
from vljepa.model.y_decoder import train_tokenizer

TINY = TransformerConfig(dim=32, num_layers=2, num_heads=4, num_kv_heads=2, ffn_dim=48, causal=True)
TEXTS = ["a red cube", "the ball rolls to the left", "lift the cone", "a blue cube"]
QUERIES = ["", "What is the action shown?", "How many?", ""]


def make(tokenizer: Tokenizer, max_tokens: int, std: float) -> LanguageModel:
    torch.manual_seed(0)
    config = PredictorConfig(transformer=TINY)
    model = LanguageModel(config, 12, tokens_per_frame=4, max_steps=8, max_tokens=max_tokens, tokenizer=tokenizer)
    torch.nn.init.normal_(model.tokens.weight, std=std)
    # So that an untrained model does not merely repeat the token it reads.
    torch.nn.init.constant_(model.text_norm.weight, 0.1)
    return model.eval()


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return make(train_tokenizer(TEXTS, 300), max_tokens=10, std=0.5)


@pytest.fixture(scope="module")
def letters() -> LanguageModel:
    """Knows three letters, and writes four tokens at most: few enough to try them all."""
    tokenizer = Tokenizer(models.BPE(vocab={"a": 0, "b": 1, "c": 2}, merges=[]))
    tokenizer.add_special_tokens([AddedToken("<end of text>", special=True, normalized=False)])
    return make(tokenizer, max_tokens=4, std=0.2)


def visual(count: int) -> torch.Tensor:
    return torch.randn(count, 8, 4, 12, generator=torch.Generator().manual_seed(7))


def log_probability(model: LanguageModel, clip: torch.Tensor, query: str, tokens: list[int]) -> torch.Tensor:
    """Of each token, the whole sequence read anew: (tokens,)."""
    parts = model.embed_inputs(clip, [query])
    read = model.text_norm(model.tokens(torch.tensor([model.end, *tokens[:-1]])))
    hidden = torch.cat([*(part for part, _ in parts), read])
    out = model.transformer(hidden, [len(hidden)])[-len(tokens) :]
    logits = out @ model.tokens.weight.T
    return logits.log_softmax(-1)[torch.arange(len(tokens)), torch.tensor(tokens)]


def texts_of(model: LanguageModel) -> list[list[int]]:
    """Every text that a model can write, as tokens with their end."""
    letters = [number for number in range(model.tokens.num_embeddings) if number != model.end]
    ended = [[*text, model.end] for n in range(model.max_tokens) for text in itertools.product(letters, repeat=n)]
    return ended + [list(text) for text in itertools.product(letters, repeat=model.max_tokens)]


@torch.no_grad()
def test_greedy_with_a_cache_in_company_equals_greedy_without_alone(model: LanguageModel) -> None:
    clips = visual(4)
    expected = []
    for i, query in enumerate(QUERIES):
        tokens: list[int] = []
        while len(tokens) < model.max_tokens and model.end not in tokens:
            parts = model.embed_inputs(clips[i : i + 1], [query])
            read = model.text_norm(model.tokens(torch.tensor([model.end, *tokens])))
            hidden = torch.cat([*(part for part, _ in parts), read])
            tokens.append(int((model.transformer(hidden, [len(hidden)])[-1] @ model.tokens.weight.T).argmax()))
        expected.append(model.text_tokenizer.decode([token for token in tokens if token != model.end]))
    assert generate(model, clips, QUERIES) == expected
    assert len(set(expected)) > 1


@torch.no_grad()
def test_logits_with_a_cache_equal_those_without(model: LanguageModel) -> None:
    clips, ids = visual(2), torch.tensor(model.tokenize(["a red cube"])[0])
    expected, _ = model(clips, ["", ""], ["a red cube"] * 2)
    ((_, cache),) = model.read(clips, ["", ""])
    tokens = torch.cat((torch.tensor([model.end]), ids[:-1])).expand(2, -1)
    steps = [model.write(tokens[:, i : i + 1], cache) for i in range(len(ids))]
    torch.testing.assert_close(torch.cat(steps, dim=1).flatten(0, 1), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_beam_of_everything_finds_the_best_of_all_texts(letters: LanguageModel) -> None:
    clips, queries = visual(3), ["", "How many?", "Which one is it?"]
    everything = texts_of(letters)
    for i, query in enumerate(queries):
        means = torch.stack([log_probability(letters, clips[i : i + 1], query, text).mean() for text in everything])
        best = [token for token in everything[int(means.argmax())] if token != letters.end]
        expected = letters.text_tokenizer.decode(best)
        assert generate(letters, clips, queries, beams=len(everything))[i] == expected


@torch.no_grad()
def test_more_beams_find_texts_at_least_as_likely(letters: LanguageModel) -> None:
    clips = visual(8)
    queries = [""] * 8
    found = []
    for beams in (1, 3, 400):
        written = generate(letters, clips, queries, beams)
        scores = log_likelihood(letters, clips, queries, [[text] for text in written])
        found.append(torch.cat(scores))
    assert (found[2] >= found[1] - 1e-5).all() and (found[2] >= found[0] - 1e-5).all()
    assert (found[2] > found[0] + 1e-3).any()


@torch.no_grad()
def test_scores_equal_those_of_candidates_one_by_one(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    # So few at once that the candidates of a length are split.
    monkeypatch.setattr("vljepa.model.generate._CACHED_TOKENS", 60)
    clips = visual(4)
    candidates = [TEXTS, TEXTS[:1], ["x", "a red cube", "yes", "no"], TEXTS[::-1]]
    scores = log_likelihood(model, clips, QUERIES, candidates)
    for i, texts in enumerate(candidates):
        for text, score in zip(texts, scores[i], strict=True):
            logits, ids = model(clips[i : i + 1], QUERIES[i : i + 1], [text])
            torch.testing.assert_close(score, -functional.cross_entropy(logits, ids), atol=1e-5, rtol=1e-5)


def test_the_searches_end_with_the_texts_that_were_learned(model: LanguageModel) -> None:
    clips = visual(4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        logits, ids = model(clips, QUERIES, TEXTS)
        functional.cross_entropy(logits, ids).backward()
        optimizer.step()
    assert generate(model, clips, QUERIES) == TEXTS
    assert generate(model, clips, QUERIES, beams=3) == TEXTS
    assert generate(model, clips.flip(0), QUERIES[::-1]) == TEXTS[::-1]
    scores = log_likelihood(model, clips, QUERIES, [TEXTS] * 4)
    assert [int(row.argmax()) for row in scores] == [0, 1, 2, 3]
