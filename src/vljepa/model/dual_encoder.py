"""The CLIP-style baseline: pooled visual features in the predictor's place, no query.

Same X-Encoder, Y-Encoder, loss, data and samples as VL-JEPA; only what stands between the two sides differs.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from vljepa.config import PredictorConfig


class PooledPredictor(nn.Module):
    """Mean of the visual tokens over time and places, then a two-layer perceptron into the shared space.

    Takes the predictor's arguments, so that either stands in ``VLJEPA`` without a special case.

    Args:
        config: its transformer's ``dim`` sets the perceptron's inner width, 4 * dim.
        token_dim: D, width of the visual tokens.
        tokens_per_frame: N; the mean does not depend on it.
        max_steps: T, longest clip; the mean does not depend on it.
        embed_dim: E, width of the shared space.
    """

    def __init__(
        self, config: PredictorConfig, token_dim: int, tokens_per_frame: int, max_steps: int, embed_dim: int
    ) -> None:
        super().__init__()
        inner = 4 * config.transformer.dim
        self.norm = nn.LayerNorm(token_dim)
        self.up = nn.Linear(token_dim, inner)
        self.act = nn.GELU()
        self.head = nn.Linear(inner, embed_dim)

    def forward(self, visual_tokens: Tensor, queries: Sequence[str]) -> Tensor:
        """Visual tokens (B, T, N, D) to embeddings (B, E), not normalised; ``queries`` are ignored."""
        pooled = visual_tokens.float().mean(dim=(1, 2))
        embeddings: Tensor = self.head(self.act(self.up(self.norm(pooled))))
        return embeddings
