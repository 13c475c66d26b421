import torch

from vljepa.config import PredictorConfig, TransformerConfig
from vljepa.model.dual_encoder import PooledPredictor

CONFIG = PredictorConfig(transformer=TransformerConfig(dim=16, num_layers=1, num_heads=2, num_kv_heads=2, ffn_dim=32))


def test_ignores_query_and_the_order_of_frames_and_tokens() -> None:
    torch.manual_seed(0)
    predictor = PooledPredictor(CONFIG, 12, 4, 8, 6)
    tokens = torch.randn(2, 8, 4, 12)
    expected = predictor(tokens, ["", ""])
    assert expected.shape == (2, 6)
    assert torch.equal(predictor(tokens, ["what?", "how many?"]), expected)
    assert torch.allclose(predictor(tokens.flip(1).flip(2), ["", ""]), expected, atol=1e-5)
    assert torch.allclose(predictor(tokens.half(), ["", ""]), expected, atol=1e-2)
