import dataclasses
import json

import pytest
import torch
from tokenizers import Tokenizer, models
from torch.nn import functional

from vljepa.config import TransformerConfig, YDecoderConfig
from vljepa.errors import UserError
from vljepa.model.y_decoder import YDecoder, train_tokenizer

TRANSFORMER = TransformerConfig(dim=32, num_layers=2, num_heads=4, num_kv_heads=2, ffn_dim=64, causal=True)
CONFIG = YDecoderConfig(transformer=TRANSFORMER, prefix_tokens=3, vocab_size=300, max_tokens=24)
CONFIG_400 = dataclasses.replace(CONFIG, vocab_size=400)
TEXTS = ["a red cube", "the ball rolls", "lift the large cone, then drop it", "a red ball"]


@pytest.fixture
def decoder() -> YDecoder:
    torch.manual_seed(0)
    return YDecoder(CONFIG, 16, train_tokenizer(TEXTS, 300))


def test_tokenizer_writes_any_text() -> None:
    tokenizer = train_tokenizer(TEXTS, 300)
    for text in [*TEXTS, "Ünïcode 漢字 🙂", " two  blanks "]:
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert tokenizer.to_str() == train_tokenizer(TEXTS, 300).to_str()
    with pytest.raises(UserError, match="257"):
        train_tokenizer(TEXTS, 100)


def test_loss_is_the_mean_over_tokens_of_texts_one_at_a_time(decoder: YDecoder) -> None:
    embeddings = torch.randn(len(TEXTS), 16)
    counts = torch.tensor([len(decoder.tokenizer.encode(text).ids) + 1 for text in TEXTS]).clamp(max=CONFIG.max_tokens)
    alone = torch.stack([decoder.loss(embeddings[i : i + 1], [text]) for i, text in enumerate(TEXTS)])
    expected = (alone * counts).sum() / counts.sum()
    assert torch.allclose(decoder.loss(embeddings, TEXTS), expected, atol=1e-5)
    assert torch.allclose(decoder.loss(7 * embeddings, TEXTS), expected, atol=1e-5)


def test_greedy_with_cache_equals_greedy_without(decoder: YDecoder) -> None:
    embedding = torch.randn(1, 16)
    prefix = decoder.prefix(functional.normalize(embedding, dim=-1)).view(3, 32)
    tokens: list[int] = []
    with torch.no_grad():
        while len(tokens) < CONFIG.max_tokens and decoder.end not in tokens:
            inputs = torch.cat([prefix, decoder.tokens(torch.tensor(tokens, dtype=torch.long))])
            hidden = decoder.transformer(inputs, [len(inputs)])
            tokens.append(int((hidden[-1] @ decoder.tokens.weight.T).argmax()))
    expected = decoder.tokenizer.decode([t for t in tokens if t != decoder.end])
    assert decoder.generate(embedding) == [expected]


def test_learns_texts_and_depends_on_the_embedding(decoder: YDecoder) -> None:
    embeddings = torch.randn(len(TEXTS), 16)
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=5e-3)
    for _ in range(100):
        optimizer.zero_grad()
        loss = decoder.loss(embeddings, TEXTS)
        loss.backward()
        optimizer.step()
    assert decoder.generate(embeddings) == TEXTS
    assert decoder.generate(embeddings.roll(1, 0)) == [TEXTS[-1], *TEXTS[:-1]]
    assert decoder.generate(embeddings[:0]) == []


def test_bad_configs_are_refused() -> None:
    tokenizer = train_tokenizer(TEXTS, 300)
    with pytest.raises(UserError, match="vocab_size"):
        YDecoder(dataclasses.replace(CONFIG, vocab_size=270), 16, tokenizer)
    with pytest.raises(UserError, match="causal"):
        YDecoder(dataclasses.replace(CONFIG, transformer=dataclasses.replace(TRANSFORMER, causal=False)), 16, tokenizer)
    with pytest.raises(UserError, match="0 special tokens"):
        YDecoder(CONFIG, 16, Tokenizer(models.BPE()))


@pytest.mark.parametrize("literal", ["<end>", "<end of text>"])
def test_text_that_spells_the_end_token_is_a_text(literal: str) -> None:
    # Often enough in the training targets that every merge within the literal is learned.
    tokenizer = train_tokenizer([f"lift it {literal} and drop it", literal] * 50, 400)
    decoder = YDecoder(CONFIG_400, 16, Tokenizer.from_str(tokenizer.to_str()))
    (end,) = tokenizer.get_added_tokens_decoder()
    assert decoder.end == end
    for text in (literal, f"lift it {literal}{literal} and drop it"):
        ids = decoder.tokenizer.encode_batch_fast([text])[0].ids
        assert end not in ids
        assert decoder.tokenizer.decode(ids) == text


def test_tokenizer_of_an_earlier_version_is_read() -> None:
    document = json.loads(train_tokenizer(TEXTS, 300).to_str())
    (token,) = document["added_tokens"]
    document["model"]["vocab"]["<end>"] = document["model"]["vocab"].pop(token["content"])
    token["content"] = "<end>"
    decoder = YDecoder(CONFIG, 16, Tokenizer.from_str(json.dumps(document)))
    assert decoder.end == token["id"]
    assert decoder.end not in decoder.tokenizer.encode("a red <end> cube").ids
