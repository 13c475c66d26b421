"""The predictor: visual tokens and a query to the predicted embedding of the target text (paper, section 3.1)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vljepa.config import PredictorConfig
from vljepa.model.inputs import Inputs, pack
from vljepa.model.llama import TokenEmbedder, load_token_embedder, start_from_llama
from vljepa.model.transformer import Transformer

_TOKENS_AT_ONCE = 2048
"""Visual tokens that pass together on a CPU: their activations fit its cache, those of a whole batch do not."""


class Predictor(Inputs):
    """Bidirectional transformer over one clip's visual tokens, then its query; the mean of all outputs is projected.

    Args:
        config: size, tubelet, and whose token embeddings read the query.
        token_dim: D of the visual tokens.
        tokens_per_frame: N.
        max_steps: time steps T of a full clip; fixes how many time positions are learned.
        embed_dim: E.
        embedder: reads the query; default: that of ``config.tokenizer``.

    Raises:
        UserError: weights that cannot be had, or that do not fit the sizes in ``config``.
    """

    def __init__(
        self,
        config: PredictorConfig,
        token_dim: int,
        tokens_per_frame: int,
        max_steps: int,
        embed_dim: int,
        embedder: TokenEmbedder | None = None,
    ) -> None:
        embedder = embedder or load_token_embedder(config.tokenizer)
        super().__init__(config, token_dim, tokens_per_frame, max_steps, embedder.tokenizer, embedder.table.shape[1])
        # Frozen and had from its source again, so no part of the trained weights.
        self.register_buffer("token_table", embedder.table, persistent=False)
        self.transformer = Transformer(config.transformer)
        self.head = nn.Linear(config.transformer.dim, embed_dim)
        if config.init is not None:
            start_from_llama(self.transformer, config.init, config.init_first_layer)

    def forward(self, visual_tokens: Float[Tensor, "B T N D"], queries: Sequence[str]) -> Float[Tensor, "B E"]:
        """Predicted embeddings, not normalised. An empty query adds no tokens (with plain inputs the begin token).

        Raises:
            ValueError: another number of queries than of clips.
        """
        batch = len(visual_tokens)
        if len(queries) != batch:
            raise ValueError(f"{batch} clips but {len(queries)} queries")
        at_once = batch
        if visual_tokens.device.type == "cpu":
            at_once = max(1, _TOKENS_AT_ONCE * self.config.tubelet // visual_tokens.shape[1:3].numel())
        parts = zip(visual_tokens.split(at_once), range(0, batch, at_once), strict=True)
        return torch.cat([self._predict(some, queries[first : first + at_once]) for some, first in parts])

    def _predict(self, visual_tokens: Tensor, queries: Sequence[str]) -> Tensor:
        hidden, lengths = pack(self.embed_inputs(visual_tokens, queries))
        out = self.transformer(hidden, lengths)
        sizes = torch.tensor(lengths)
        owner = torch.arange(len(lengths)).repeat_interleave(sizes).to(out.device)
        total = out.new_zeros(len(lengths), out.shape[1]).index_add(0, owner, out)
        return self.head(total / sizes.to(out.device, out.dtype)[:, None])
