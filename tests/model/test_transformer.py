"""The transformer against an independent implementation, and its packing."""

import pytest
import torch
from transformers import LlamaConfig, LlamaModel

from vljepa.config import TransformerConfig
from vljepa.model import transformer
from vljepa.model.transformer import KVCache, Transformer


def make(causal: bool, kv_heads: int = 2) -> Transformer:
    torch.manual_seed(0)
    model = Transformer(
        TransformerConfig(
            dim=32, num_layers=2, num_heads=4, num_kv_heads=kv_heads, ffn_dim=48, causal=causal, rope_theta=500.0
        )
    )
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=float(parameter.dim() == 1), std=0.2)
    return model


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_agrees_with_transformers_llama(kv_heads: int) -> None:
    ours = make(causal=True, kv_heads=kv_heads)
    config = LlamaConfig(
        vocab_size=8,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
    )
    theirs = LlamaModel(config).eval()
    assert theirs.load_state_dict(ours.state_dict(), strict=False).missing_keys == ["embed_tokens.weight"]
    hidden = torch.randn(3, 7, 32)
    with torch.no_grad():
        expected = theirs(inputs_embeds=hidden).last_hidden_state
        found = ours(hidden.flatten(0, 1), [7, 7, 7]).view(3, 7, 32)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("causal", [True, False])
def test_packed_sequences_equal_the_same_sequences_alone(causal: bool) -> None:
    model = make(causal)
    lengths = [5, 1, 3, 5, 2, 3]
    hidden = torch.randn(sum(lengths), 32)
    with torch.no_grad():
        together = model(hidden, lengths)
        alone = torch.cat([model(part, [len(part)]) for part in hidden.split(lengths)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_causal_outputs_ignore_the_future_and_bidirectional_ones_do_not() -> None:
    hidden = torch.randn(6, 32)
    changed = hidden.clone()
    changed[-1] += 1
    with torch.no_grad():
        for causal in (True, False):
            model = make(causal)
            same = torch.allclose(model(hidden, [6])[:5], model(changed, [6])[:5], atol=1e-6)
            assert same == causal


def test_a_cache_continues_as_one_pass_would() -> None:
    model = make(causal=True)
    hidden = torch.randn(2, 6, 32)
    with torch.no_grad():
        expected = model(hidden.flatten(0, 1), [6, 6]).view(2, 6, 32)
        cache, parts = KVCache(), []
        for start, end in ((0, 2), (2, 5), (5, 6)):
            part = hidden[:, start:end].flatten(0, 1)
            parts.append(model(part, [end - start] * 2, cache).view(2, -1, 32))
    assert cache.length == 6
    torch.testing.assert_close(torch.cat(parts, dim=1), expected, atol=1e-5, rtol=1e-4)


def test_gradients_of_a_sequence_stay_within_it() -> None:
    model = make(causal=False)
    hidden = torch.randn(7, 32, requires_grad=True)
    model(hidden, [3, 4])[:3].sum().backward()
    assert hidden.grad is not None
    assert hidden.grad[:3].abs().min() > 0
    assert hidden.grad[3:].abs().max() == 0


def test_lengths_that_do_not_fit_are_refused() -> None:
    model = make(causal=True)
    with pytest.raises(ValueError, match="do not cut"):
        model(torch.randn(4, 32), [3, 2])
    with pytest.raises(ValueError, match="same length"):
        model(torch.randn(5, 32), [3, 2], KVCache())


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("weights_at_once", [1, 60, 2**20])
def test_bfloat16_on_a_cpu_agrees_with_float32(
    kv_heads: int, causal: bool, weights_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformer, "_WEIGHTS_AT_ONCE", weights_at_once)
    model = make(causal=causal, kv_heads=kv_heads)
    lengths = [5, 1, 3, 5]
    hidden = torch.randn(sum(lengths), 32, requires_grad=True)
    weight = torch.randn(sum(lengths), 32)
    results = []
    for enabled in (False, True):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            out = model(hidden, lengths)
        (gradient,) = torch.autograd.grad((out.float() * weight).sum(), hidden)
        results.append((out.float(), gradient))
    for exact, rounded in zip(*results, strict=True):
        assert (rounded - exact).norm() < 0.02 * exact.norm()
