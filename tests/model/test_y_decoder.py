import dataclasses

import pytest
import torch
from torch.nn import functional

from vljepa.config import TransformerConfig, YDecoderConfig
from vljepa.errors import UserError
from vljepa.model.y_decoder import END, YDecoder, train_tokenizer

TRANSFORMER = TransformerConfig(dim=32, num_layers=2, num_heads=4, num_kv_heads=2, ffn_dim=64, causal=True)
CONFIG = YDecoderConfig(transformer=TRANSFORMER, prefix_tokens=3, vocab_size=300, max_tokens=24)
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
    assert tokenizer.token_to_id(END) is not None
    with pytest.raises(UserError, match="vocab_size"):
        YDecoder(dataclasses.replace(CONFIG, vocab_size=270), 16, tokenizer)
    with pytest.raises(UserError, match="causal"):
        YDecoder(dataclasses.replace(CONFIG, transformer=dataclasses.replace(TRANSFORMER, causal=False)), 16, tokenizer)
