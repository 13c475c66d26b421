"""The token-space VLM against transformers' Llama, its packing, and its checkpoint folder."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

from vljepa.config import ModelConfig, PredictorConfig, TransformerConfig
from vljepa.errors import UserError
from vljepa.model.token_vlm import LanguageModel, TokenVLM
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer

TINY = TransformerConfig(dim=32, num_layers=2, num_heads=4, num_kv_heads=2, ffn_dim=48, causal=True)
TEXTS = ["a red cube", "the ball rolls to the left", "", "a blue cube"]
QUERIES = ["", "What is the action shown?", "How many?", ""]


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    torch.manual_seed(0)
    tokenizer = train_tokenizer(TEXTS, 300)
    config = PredictorConfig(transformer=TINY)
    model = LanguageModel(config, 12, tokens_per_frame=4, max_steps=8, max_tokens=12, tokenizer=tokenizer).eval()
    # At the start all tokens are equally likely.
    torch.nn.init.normal_(model.tokens.weight, std=0.5)
    return model


def write_tied_llama(folder: Path) -> LlamaForCausalLM:
    """A small random Llama that writes with the table it reads, and knows two words."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
    llama = LlamaForCausalLM(LlamaConfig(vocab_size=7, rms_norm_eps=1e-5, tie_word_embeddings=True, **sizes)).eval()
    torch.nn.init.normal_(llama.model.embed_tokens.weight, std=0.5)
    llama.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return llama


def test_logits_and_loss_are_those_of_transformers_llama(tmp_path: Path) -> None:
    """With plain inputs the model is a Llama with a projection before it: its table, layers, norm and tied head."""
    theirs = write_tied_llama(tmp_path)
    transformer = TransformerConfig(
        dim=16, num_layers=3, num_heads=2, num_kv_heads=2, ffn_dim=32, causal=True, rope_theta=10_000.0
    )
    name = str(tmp_path)
    config = PredictorConfig(transformer=transformer, tokenizer=name, init=name, inputs="plain", tubelet=1)
    ours = LanguageModel(config, 12, tokens_per_frame=4, max_steps=2, max_tokens=9, tokenizer=None).eval()
    visual, query, target = torch.randn(1, 2, 4, 12), "a b b", "b a"
    query_ids, target_ids = [0, 1, 1], [1, 0, theirs.config.eos_token_id]
    read = torch.tensor([*query_ids, ours.end, *target_ids[:-1]])
    with torch.no_grad():
        logits, ids = ours(visual, [query], [target])
        embeds = torch.cat((ours.visual_proj(visual).flatten(1, 2), theirs.model.embed_tokens(read)[None]), dim=1)
        # Transformers shifts the labels by one: the place of a token holds the label that the place before predicts.
        labels = torch.tensor([[-100] * (embeds.shape[1] - 2) + target_ids[:-1]])
        padded = torch.cat((embeds, theirs.model.embed_tokens(torch.tensor([[ours.end]]))), dim=1)
        labels = torch.cat((labels, torch.tensor([[ours.end]])), dim=1)
        expected = theirs(inputs_embeds=padded, labels=labels)
    assert ids.tolist() == target_ids
    torch.testing.assert_close(logits, expected.logits[0, -4:-1], atol=1e-5, rtol=1e-4)
    loss = torch.nn.functional.cross_entropy(logits, ids)
    torch.testing.assert_close(loss, expected.loss, atol=1e-5, rtol=1e-4)


def test_targets_are_predicted_alike_alone_and_in_company(model: LanguageModel) -> None:
    visual = torch.randn(4, 8, 4, 12)
    with torch.no_grad():
        logits, ids = model(visual, QUERIES, TEXTS)
        alone = [model(visual[i : i + 1], QUERIES[i : i + 1], TEXTS[i : i + 1]) for i in range(4)]
    assert len(ids) == model.num_tokens(TEXTS)
    assert torch.equal(ids, torch.cat([one for _, one in alone]))
    torch.testing.assert_close(logits, torch.cat([one for one, _ in alone]), atol=1e-5, rtol=1e-4)


def test_a_token_is_predicted_from_all_before_it_and_nothing_after(model: LanguageModel) -> None:
    visual = torch.randn(1, 8, 4, 12)
    with torch.no_grad():
        base, _ = model(visual, ["Which?"], ["a red cube"])
        other_end, _ = model(visual, ["Which?"], ["a red ball"])
        other_query, _ = model(visual, ["Who?"], ["a red cube"])
        other_clip, _ = model(visual + 1e-2 * torch.randn_like(visual), ["Which?"], ["a red cube"])
    common = len(model.tokenize(["a red "])[0]) - 1
    torch.testing.assert_close(other_end[:common], base[:common], atol=1e-6, rtol=0)
    assert not torch.allclose(other_end[-1], base[-1], atol=1e-3)
    for other in (other_query, other_clip):
        assert (other - base).abs().amax(dim=1).min() > 1e-4


def test_texts_are_cut_and_gradients_reach_all_but_the_table_of_queries(model: LanguageModel) -> None:
    long = "the ball rolls " * 9
    assert [len(row) for row in model.tokenize([long, ""])] == [12, 1]
    assert model.tokenize([""]) == [[model.end]]
    model.zero_grad()
    logits, ids = model(torch.randn(4, 8, 4, 12), QUERIES, TEXTS)
    torch.nn.functional.cross_entropy(logits, ids).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert "token_table" not in model.state_dict()


@pytest.fixture(scope="module")
def config(tiny_config: ModelConfig) -> ModelConfig:
    causal = replace(tiny_config.predictor.transformer, causal=True)
    return replace(tiny_config, kind="token_vlm", predictor=replace(tiny_config.predictor, transformer=causal))


def test_a_checkpoint_holds_what_was_trained_and_reads_back(config: ModelConfig, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = TokenVLM(config, train_tokenizer(TEXTS, 300)).eval()
    network.save(tmp_path / "vlm", card="# A test", dtype="float32")
    assert not [name for name in network.trained_state() if name.startswith("x_encoder") or "token_table" in name]
    loaded = TokenVLM.load(tmp_path / "vlm")
    frames = torch.randint(0, 256, (2, 8, 64, 64, 3), dtype=torch.uint8)
    with torch.no_grad():
        tokens = network.encode_frames(frames)
        (expected, ids), (found, same) = (
            one.language_model(tokens, QUERIES[:2], TEXTS[:2]) for one in (network, loaded)
        )
    assert torch.equal(found, expected) and torch.equal(ids, same)
    with pytest.raises(UserError, match=r"vlm: a token-space VLM; it writes and ranks texts .* makes no embeddings"):
        VLJEPA.load(tmp_path / "vlm")
    VLJEPA(replace(config, kind="vl_jepa")).save(tmp_path / "jepa", card="")
    with pytest.raises(UserError, match="a VL-JEPA and no token-space VLM"):
        TokenVLM.load(tmp_path / "jepa")


def test_bad_configs_are_refused(config: ModelConfig, tmp_path: Path) -> None:
    both_ways = replace(config.predictor, transformer=replace(config.predictor.transformer, causal=False))
    with pytest.raises(UserError, match="must be causal"):
        TokenVLM(replace(config, predictor=both_ways), train_tokenizer(TEXTS, 300))
    wide = replace(TINY, dim=384, num_heads=4, num_kv_heads=4)
    with pytest.raises(UserError, match="all-MiniLM-L6-v2 does not write with the table"):
        TokenVLM(replace(config, predictor=PredictorConfig(transformer=wide, inputs="plain")))
