"""What stands before the transformer of the predictor, and of the token-space VLM: visual tokens and a query.

Both read a clip and its query alike, so that a comparison of the two compares what they predict.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import embedding, interpolate

from vljepa.config import PredictorConfig
from vljepa.errors import UserError

Part = tuple[Tensor, list[int]]
"""What several sequences have in one place, end to end ``(tokens, dim)``, and how many tokens each has of it."""
_MEMO_SIZE = 65_536
_POSITION_STD = 0.5
"""Of the learned positions at the start, beside contents of unit scale."""


class Inputs(nn.Module):
    """Visual tokens and query, brought to the transformer's width and, unless ``inputs`` is plain, to one scale.

    The table that reads queries is the subclass's: ``token_table``, ``(vocabulary, word_dim)``.

    Args:
        config: size, tubelet, form of the inputs.
        token_dim: D of the visual tokens.
        tokens_per_frame: N.
        max_steps: time steps T of a full clip; fixes how many time positions are learned.
        tokenizer: of the query.
        word_dim: width of the token embeddings that read the query.

    Raises:
        UserError: plain inputs, and token embeddings of another width than the transformer.
    """

    token_table: Tensor

    def __init__(
        self,
        config: PredictorConfig,
        token_dim: int,
        tokens_per_frame: int,
        max_steps: int,
        tokenizer: Tokenizer,
        word_dim: int,
    ) -> None:
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        dim = config.transformer.dim
        plain = config.inputs == "plain"
        if plain and word_dim != dim:
            raise UserError(
                f"predictor.inputs: plain queries need token embeddings as wide as the transformer, {dim}; "
                f"those of {config.tokenizer} have {word_dim}"
            )
        self.token_norm = nn.Identity() if plain else nn.LayerNorm(token_dim)
        # Visual and query tokens enter on one scale. Without it the visual ones grow a hundredfold, drown positions
        # and query, and no question is learned (docs/log.md).
        self.visual_proj = nn.Linear(token_dim * config.tubelet, dim)
        self.visual_norm = nn.Identity() if plain else nn.RMSNorm(dim, eps=config.transformer.norm_eps)
        if not plain:
            self.time_position = nn.Parameter(torch.randn(-(-max_steps // config.tubelet), dim) * _POSITION_STD)
            self.space_position = nn.Parameter(torch.randn(tokens_per_frame, dim) * _POSITION_STD)
        self.query_proj = nn.Identity() if plain else nn.Linear(word_dim, dim)
        self.query_norm = nn.Identity() if plain else nn.RMSNorm(dim, eps=config.transformer.norm_eps)
        self._memo: dict[str, list[int]] = {}

    def embed_inputs(self, visual_tokens: Float[Tensor, "B T N D"], queries: Sequence[str]) -> list[Part]:
        """The visual tokens and the query of each clip's sequence, to be packed; an empty query adds no tokens.

        With plain inputs the query begins with the begin token.

        Raises:
            ValueError: another number of queries than of clips.
        """
        batch = len(visual_tokens)
        if len(queries) != batch:
            raise ValueError(f"{batch} clips but {len(queries)} queries")
        visual = self._embed_visual(visual_tokens)
        ids = [self._tokenize(query) for query in queries]
        query = self._embed_query([i for row in ids for i in row])
        return [
            (visual.flatten(0, 1), [visual.shape[1]] * batch),
            (query.to(visual.dtype), [len(row) for row in ids]),
        ]

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


def pack(parts: Sequence[Part]) -> tuple[Tensor, list[int]]:
    """Sequences end to end, ``(tokens, dim)``, each with its parts in order; and the sequences' lengths."""
    # What is empty throughout stays out of the graph.
    parts = [(tokens, sizes) for tokens, sizes in parts if len(tokens)]
    lengths = [sum(sizes) for sizes in zip(*(sizes for _, sizes in parts), strict=True)]
    if len(parts) == 1:
        return parts[0][0], lengths
    owner = torch.cat([torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes)) for _, sizes in parts])
    # Stable: inside a sequence, the parts and the order inside each are kept.
    order = owner.argsort(stable=True)
    hidden = torch.cat([tokens for tokens, _ in parts])
    return hidden[order.to(hidden.device)], lengths
