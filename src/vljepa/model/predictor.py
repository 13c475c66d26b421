"""The predictor: visual tokens and a query to the predicted embedding of the target text (paper, section 3.1)."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import embedding, interpolate

from vljepa.config import PredictorConfig
from vljepa.errors import UserError
from vljepa.model.llama import TokenEmbedder, load_llama, load_token_embedder
from vljepa.model.transformer import Transformer

_MEMO_SIZE = 65_536
_TOKENS_AT_ONCE = 2048
"""Visual tokens that pass together on a CPU: their activations fit its cache, those of a whole batch do not."""
_POSITION_STD = 0.5
"""Of the learned positions at the start, beside contents of unit scale."""


class Predictor(nn.Module):
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

    token_table: Tensor

    def __init__(
        self,
        config: PredictorConfig,
        token_dim: int,
        tokens_per_frame: int,
        max_steps: int,
        embed_dim: int,
        embedder: TokenEmbedder | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        dim = config.transformer.dim
        embedder = embedder or load_token_embedder(config.tokenizer)
        self.tokenizer = embedder.tokenizer
        # Frozen and had from its source again, so no part of the trained weights.
        self.register_buffer("token_table", embedder.table, persistent=False)
        plain = config.inputs == "plain"
        if plain and embedder.table.shape[1] != dim:
            raise UserError(
                f"predictor.inputs: plain queries need token embeddings as wide as the transformer, {dim}; "
                f"those of {config.tokenizer} have {embedder.table.shape[1]}"
            )
        self.token_norm = nn.Identity() if plain else nn.LayerNorm(token_dim)
        # Visual and query tokens enter on one scale. Without it the visual ones grow a hundredfold, drown positions
        # and query, and no question is learned (docs/log.md).
        self.visual_proj = nn.Linear(token_dim * config.tubelet, dim)
        self.visual_norm = nn.Identity() if plain else nn.RMSNorm(dim, eps=config.transformer.norm_eps)
        if not plain:
            self.time_position = nn.Parameter(torch.randn(-(-max_steps // config.tubelet), dim) * _POSITION_STD)
            self.space_position = nn.Parameter(torch.randn(tokens_per_frame, dim) * _POSITION_STD)
        self.query_proj = nn.Identity() if plain else nn.Linear(embedder.table.shape[1], dim)
        self.query_norm = nn.Identity() if plain else nn.RMSNorm(dim, eps=config.transformer.norm_eps)
        self.transformer = Transformer(config.transformer)
        self.head = nn.Linear(dim, embed_dim)
        self._memo: dict[str, list[int]] = {}
        if config.init is not None:
            _start_from_language_model(self.transformer, config.init, config.init_first_layer)

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
        batch = len(visual_tokens)
        visual = self._embed_visual(visual_tokens)
        ids = [self._tokenize(query) for query in queries]
        query = self._embed_query([i for row in ids for i in row])
        num_visual = visual.shape[1]
        lengths = [num_visual + len(row) for row in ids]
        owner = torch.repeat_interleave(torch.arange(batch), torch.tensor(lengths)).to(visual.device)
        if len(query):
            hidden = torch.cat((visual.flatten(0, 1), query.to(visual.dtype)))
            hidden = hidden[_interleave(batch, num_visual, [len(row) for row in ids]).to(hidden.device)]
        else:
            hidden = visual.flatten(0, 1)
        out = self.transformer(hidden, lengths)
        total = out.new_zeros(batch, out.shape[1]).index_add(0, owner, out)
        return self.head(total / torch.tensor(lengths, device=out.device, dtype=out.dtype)[:, None])

    def _embed_visual(self, tokens: Tensor) -> Tensor:
        """Visual tokens with positions, ``(B, tubelets * N, dim)``; a cell's consecutive steps become one token."""
        tubelet = self.config.tubelet
        tokens = self.token_norm(tokens.float())
        batch, num_steps, num_tokens, token_dim = tokens.shape
        short = -num_steps % tubelet
        if short:
            # The last step fills the tubelet; for an image that is the image itself.
            tokens = torch.cat((tokens, tokens[:, -1:].expand(-1, short, -1, -1)), dim=1)
        tokens = tokens.view(batch, -1, tubelet, num_tokens, token_dim).transpose(2, 3).flatten(3)
        content = self.visual_norm(self.visual_proj(tokens).float())
        if self.config.inputs == "plain":
            return content.flatten(1, 2)
        time = self._time_positions(content.shape[1])
        return (content + time[:, None] + self.space_position).flatten(1, 2)

    def _time_positions(self, count: int) -> Tensor:
        """``(count, dim)``: clips are sampled uniformly, so another number of tubelets is another resolution."""
        if count == len(self.time_position):
            return self.time_position
        return interpolate(self.time_position.T[None], size=count, mode="linear")[0].T

    def _embed_query(self, ids: list[int]) -> Tensor:
        """``(tokens, dim)`` of all queries end to end."""
        words = embedding(torch.tensor(ids, dtype=torch.long, device=self.token_table.device), self.token_table)
        return self.query_norm(self.query_proj(words).float())

    def _tokenize(self, query: str) -> list[int]:
        """Token ids, cut to the context, special ones only if plain; queries repeat, so they are remembered."""
        if query not in self._memo:
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            ids = self.tokenizer.encode(query, add_special_tokens=self.config.inputs == "plain").ids
            self._memo[query] = ids[: self.config.max_query_tokens]
        return self._memo[query]


def _interleave(batch: int, num_visual: int, query_lengths: list[int]) -> Tensor:
    """Order that takes all visual tokens, then all query tokens, to sample after sample."""
    sizes = torch.tensor(query_lengths)
    visual_owner = torch.arange(batch).repeat_interleave(num_visual)
    query_owner = torch.arange(batch).repeat_interleave(sizes)
    # Stable: inside a sample, visual tokens stay first and the order inside both parts is kept.
    return torch.cat((visual_owner, query_owner)).argsort(stable=True)


def _start_from_language_model(transformer: Transformer, name: str, first_layer: int) -> None:
    """Load as many layers of a language model as ours has, from ``first_layer`` on, and its final norm."""
    ours = transformer.config
    llama = load_llama(name, first_layer, ours.num_layers)
    theirs = replace(llama.config, num_layers=ours.num_layers, causal=ours.causal)
    if ours != theirs:
        raise UserError(f"predictor.init: the layers of {name} are {theirs}; the config says {ours}")
    transformer.load_state_dict(llama.state)
