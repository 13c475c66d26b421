from dataclasses import replace

import pytest
import torch

from vljepa.config import PredictorConfig, TransformerConfig
from vljepa.errors import UserError
from vljepa.model import predictor as module
from vljepa.model.predictor import Predictor

TINY = TransformerConfig(dim=32, num_layers=2, num_heads=4, num_kv_heads=2, ffn_dim=48)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    torch.manual_seed(0)
    return Predictor(PredictorConfig(transformer=TINY), token_dim=12, tokens_per_frame=4, max_steps=8, embed_dim=16)


def test_a_clip_with_its_query_is_predicted_alike_alone_and_in_company(predictor: Predictor) -> None:
    visual = torch.randn(4, 8, 4, 12)
    queries = ["", "What is the action shown?", "How many cubes?", ""]
    with torch.no_grad():
        together = predictor(visual, queries)
        alone = torch.cat([predictor(visual[i : i + 1], queries[i : i + 1]) for i in range(4)])
    assert together.shape == (4, 16)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("tokens_at_once", [1, 40])
def test_clips_a_few_at_a_time_have_the_outputs_and_gradients_of_all_at_once(
    predictor: Predictor, tokens_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    visual = torch.randn(5, 8, 4, 12)
    queries = ["", "What is the action shown?", "How many cubes?", "", ""]
    weight = torch.randn(5, 16)

    def run() -> list[torch.Tensor]:
        out = predictor(visual, queries)
        return [out, *torch.autograd.grad((out * weight).sum(), list(predictor.parameters()))]

    whole = run()
    monkeypatch.setattr(module, "_TOKENS_AT_ONCE", tokens_at_once)
    for found, expected in zip(run(), whole, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("causal", [False, True])
def test_visual_tokens_see_the_query_unless_attention_is_causal(causal: bool) -> None:
    predictor = Predictor(PredictorConfig(transformer=replace(TINY, causal=causal)), 12, 4, 8, 16)
    outputs: list[torch.Tensor] = []
    predictor.transformer.register_forward_hook(lambda *passed: outputs.append(passed[-1]))
    visual = torch.randn(1, 8, 4, 12)
    with torch.no_grad():
        for query in ("red cube", "blue ball"):
            predictor(visual, [query])
    # Eight frames of four tokens, two frames joined.
    seen = [out[:16] for out in outputs]
    assert torch.allclose(*seen, atol=1e-6) == causal


def test_query_and_every_frame_and_their_order_count(predictor: Predictor) -> None:
    visual = torch.randn(1, 8, 4, 12)
    with torch.no_grad():
        base = predictor(visual, ["red cube"])
        assert not torch.allclose(base, predictor(visual, [""]), atol=1e-5)
        assert not torch.allclose(base, predictor(visual, ["cube red"]), atol=1e-5)
        assert not torch.allclose(base, predictor(visual.flip(1), ["red cube"]), atol=1e-5)
        for frame in range(8):
            changed = visual.clone()
            changed[:, frame] = torch.randn(4, 12)
            assert not torch.allclose(base, predictor(changed, ["red cube"]), atol=1e-5)


def test_contents_cannot_outgrow_positions_and_query() -> None:
    """Visual tokens once grew to a hundred times the query's scale in training, and no question was learned."""
    torch.manual_seed(0)
    predictor = Predictor(
        PredictorConfig(transformer=TINY), token_dim=12, tokens_per_frame=4, max_steps=8, embed_dim=16
    )
    visual, queries = torch.randn(2, 8, 4, 12), ["red cube", "blue ball"]
    with torch.no_grad():
        before = predictor(visual, queries)
        predictor.visual_proj.weight.mul_(1000)
        predictor.visual_proj.bias.mul_(1000)
        torch.testing.assert_close(predictor(visual, queries), before, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("num_frames", [1, 3, 4, 8, 16])
def test_any_number_of_frames_is_read(predictor: Predictor, num_frames: int) -> None:
    assert predictor(torch.randn(2, num_frames, 4, 12), ["a", ""]).shape == (2, 16)


def test_an_image_is_a_tubelet_of_its_repetitions(predictor: Predictor) -> None:
    image = torch.randn(1, 1, 4, 12)
    with torch.no_grad():
        torch.testing.assert_close(predictor(image, ["a"]), predictor(image.expand(-1, 2, -1, -1), ["a"]))


def test_queries_are_cut_to_the_context() -> None:
    config = PredictorConfig(transformer=TINY, max_query_tokens=3)
    predictor = Predictor(config, token_dim=12, tokens_per_frame=4, max_steps=2, embed_dim=16)
    visual = torch.randn(1, 2, 4, 12)
    with torch.no_grad():
        assert torch.equal(predictor(visual, ["one red cube here"]), predictor(visual, ["one red cube"]))
        assert not torch.equal(predictor(visual, ["one red ball"]), predictor(visual, ["one red cube"]))


def test_all_trained_weights_get_gradients_and_the_token_table_is_not_among_them(predictor: Predictor) -> None:
    predictor.zero_grad()
    predictor(torch.randn(2, 8, 4, 12), ["a red cube", ""]).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in predictor.parameters())
    assert "token_table" not in predictor.state_dict()


def test_runs_under_autocast(predictor: Predictor) -> None:
    visual = torch.randn(2, 8, 4, 12, dtype=torch.float16)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        low = predictor(visual, ["a red cube", ""])
    with torch.no_grad():
        torch.testing.assert_close(low.float(), predictor(visual, ["a red cube", ""]), atol=0.05, rtol=0.05)


def test_another_number_of_queries_is_refused(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="2 clips but 1 queries"):
        predictor(torch.randn(2, 8, 4, 12), ["a"])


def test_an_unknown_tokenizer_is_named() -> None:
    with pytest.raises(UserError, match="no-such-model"):
        Predictor(PredictorConfig(transformer=TINY, tokenizer="no-such-model"), 12, 4, 8, 16)
