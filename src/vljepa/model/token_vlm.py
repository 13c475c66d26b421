"""The token-space VLM beside which the paper measures VL-JEPA (section 4.5), by PerceptionLM's recipe.

The same frozen X-Encoder; its visual tokens, projected, and the query stand before a causal language model, which
learns to write the target token by token. At the size of ``nano`` there is no pretrained vocabulary to write in: the
output layer of MiniLM's 30,522 uncased word pieces alone would outweigh the model. It learns the Y-Decoder's byte pairs
instead, which spell any text exactly, and reads queries with MiniLM's embeddings, as the predictor does.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from vljepa.config import ModelConfig, PredictorConfig
from vljepa.errors import UserError
from vljepa.model.inputs import Inputs, pack
from vljepa.model.llama import TokenEmbedder, load_token_embedder, start_from_llama
from vljepa.model.network import Network, read_tokenizer
from vljepa.model.transformer import KVCache, Transformer
from vljepa.model.y_decoder import end_token

_TOKENIZER = "tokenizer.json"


class LanguageModel(Inputs):
    """Causal transformer over one clip's visual tokens, its query, then the target, whose tokens it predicts.

    The token that ends a text also stands before it, so that the query's end is seen even where it has no full stop.

    Args:
        config: as of the predictor, but causal.
        token_dim: D of the visual tokens.
        tokens_per_frame: N.
        max_steps: time steps T of a full clip.
        max_tokens: longest text, the end token included.
        tokenizer: of the texts, from ``train_tokenizer``; None with plain inputs, which write in the query's tokens.
        embedder: reads the query; default: that of ``config.tokenizer``.

    Raises:
        UserError: a bidirectional transformer; plain inputs, and a backbone that writes no texts; weights that cannot
            be had, or that do not fit the sizes in ``config``.
    """

    def __init__(
        self,
        config: PredictorConfig,
        token_dim: int,
        tokens_per_frame: int,
        max_steps: int,
        max_tokens: int,
        tokenizer: Tokenizer | None,
        embedder: TokenEmbedder | None = None,
    ) -> None:
        if not config.transformer.causal:
            raise UserError("token_vlm: the transformer must be causal; set model.predictor.transformer.causal")
        embedder = embedder or load_token_embedder(config.tokenizer)
        super().__init__(config, token_dim, tokens_per_frame, max_steps, embedder.tokenizer, embedder.table.shape[1])
        self.max_tokens = max_tokens
        dim = config.transformer.dim
        # On the scale of the other inputs; a pretrained model has its own.
        self.text_norm = nn.Identity() if config.inputs == "plain" else nn.RMSNorm(dim, eps=config.transformer.norm_eps)
        if config.inputs == "plain":
            if embedder.end is None:
                raise UserError(
                    f"predictor.tokenizer: {config.tokenizer} does not write with the table that it reads; name a "
                    "Llama whose embeddings are tied, such as Llama-3.2-1B"
                )
            self.end, self.text_tokenizer = embedder.end, embedder.tokenizer
            self.tokens = nn.Embedding.from_pretrained(embedder.table, freeze=False)
        else:
            assert tokenizer is not None, "whoever builds the model learns the vocabulary first"
            self.end, self.text_tokenizer = end_token(tokenizer), tokenizer
            self.register_buffer("token_table", embedder.table, persistent=False)
            # Serves as output layer too: small, so that the first guesses are near uniform.
            self.tokens = nn.Embedding(tokenizer.get_vocab_size(), dim)
            nn.init.normal_(self.tokens.weight, std=0.02)
        # A text that spells a special token is a text like any other.
        self.text_tokenizer.encode_special_tokens = True
        self.transformer = Transformer(config.transformer)
        if config.init is not None:
            start_from_llama(self.transformer, config.init, config.init_first_layer)

    def forward(
        self, visual_tokens: Float[Tensor, "B T N D"], queries: Sequence[str], targets: Sequence[str]
    ) -> tuple[Float[Tensor, "tokens vocabulary"], Int[Tensor, " tokens"]]:
        """Logits of the targets' tokens, each given all before it, and these tokens: all targets end to end.

        Raises:
            ValueError: clips, queries and targets that differ in number.
        """
        inputs = self.embed_inputs(visual_tokens, queries)
        texts = self.tokenize(targets)
        sizes = [len(text) for text in texts]
        # The start predicts the first token; the last token predicts nothing.
        read = self._embed_text([token for text in texts for token in [self.end, *text[:-1]]])
        hidden, lengths = pack([*inputs, (read.to(inputs[0][0].dtype), sizes)])
        out = self.transformer(hidden, lengths)
        is_text: list[bool] = []
        for length, size in zip(lengths, sizes, strict=True):
            is_text += [False] * (length - size) + [True] * size
        logits = self._logits(out[torch.tensor(is_text).to(out.device)])
        return logits, torch.tensor([token for text in texts for token in text]).to(out.device)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token numbers of texts, each with the end token, unless it was cut at ``max_tokens``."""
        encoded = self.text_tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [[*text.ids, self.end][: self.max_tokens] for text in encoded]

    def num_tokens(self, texts: Sequence[str]) -> int:
        """Tokens of the texts, as many as ``forward`` gives logits of."""
        return sum(map(len, self.tokenize(texts)))

    def read(
        self, visual_tokens: Float[Tensor, "B T N D"], queries: Sequence[str]
    ) -> Iterator[tuple[list[int], KVCache]]:
        """Keys and values of clips and queries, read once, whatever is then written after them.

        Yields:
            Rows of equally long sequences, and the cache of them in this order.
        """
        hidden, lengths = pack(self.embed_inputs(visual_tokens, queries))
        sequences = hidden.split(lengths)
        for length in sorted(set(lengths)):
            rows = [row for row, other in enumerate(lengths) if other == length]
            cache = KVCache()
            self.transformer(torch.cat([sequences[row] for row in rows]), [length] * len(rows), cache)
            yield rows, cache

    def write(self, tokens: Int[Tensor, "n new"], cache: KVCache) -> Float[Tensor, "n new vocabulary"]:
        """Logits of what follows each token; the cache, of as many sequences, then holds these tokens too.

        Args:
            tokens: the next ones of each text; its very first is ``end``.
        """
        count, new = tokens.shape
        out = self.transformer(self._embed_text(tokens.flatten()), [new] * count, cache)
        return self._logits(out).unflatten(0, (count, new))

    def _embed_query(self, ids: list[int]) -> Tensor:
        return self._embed_text(ids) if self.config.inputs == "plain" else super()._embed_query(ids)

    def _embed_text(self, ids: list[int] | Tensor) -> Tensor:
        tokens = torch.as_tensor(ids, dtype=torch.long).to(self.tokens.weight.device)
        words: Tensor = self.text_norm(self.tokens(tokens))
        return words

    def _logits(self, hidden: Tensor) -> Tensor:
        return functional.linear(hidden, self.tokens.weight)


class TokenVLM(Network):
    """X-Encoder and language model.

    Args:
        config: of ``kind="token_vlm"``.
        tokenizer: of its texts, unless its inputs are plain.
    """

    kinds = ("token_vlm",)

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer | None = None) -> None:
        super().__init__(config)
        self.language_model = LanguageModel(
            config.predictor,
            self.x_encoder.token_dim,
            self.x_encoder.tokens_per_frame,
            self.max_steps,
            config.y_decoder.max_tokens,
            tokenizer,
        )
        self.fix_trained()

    @property
    def transformer(self) -> Transformer:
        return self.language_model.transformer

    def tokenizers(self) -> dict[str, Tokenizer]:
        return {_TOKENIZER: self.language_model.text_tokenizer} if learns_vocabulary(self.config) else {}

    @classmethod
    def _built(cls, config: ModelConfig, folder: Path, *, has_decoder: bool) -> "TokenVLM":
        return cls(config, read_tokenizer(folder / _TOKENIZER) if learns_vocabulary(config) else None)


def learns_vocabulary(config: ModelConfig) -> bool:
    """Whether a model is a token-space VLM that writes in tokens learned from the targets."""
    return config.kind == "token_vlm" and config.predictor.inputs != "plain"
