"""The Y-Decoder: embedding to text (paper, section 2); no part of the main training, run only when text is wanted.

The paper leaves its build open. Here: a small causal transformer that reads the embedding as a few prefix tokens,
over a byte-level BPE learned from the training targets.
"""

from collections.abc import Iterable, Sequence

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional

from vljepa.config import YDecoderConfig
from vljepa.embedding import normalize
from vljepa.errors import UserError
from vljepa.model.transformer import KVCache, Transformer

_END = "<end of text>"
"""Name of the token that ends a text. Byte-level BPE writes a blank otherwise, so that no merge can ever spell it."""
_MIN_VOCAB = 257
"""All bytes and the end token."""


class YDecoder(nn.Module):
    """Embeddings to texts, greedily.

    Args:
        config: the decoder's shape; its transformer must be causal.
        embed_dim: E, width of the shared space.
        tokenizer: from ``train_tokenizer``.

    Raises:
        UserError: a bidirectional transformer; a tokenizer larger than ``config.vocab_size`` or without an end token.
    """

    def __init__(self, config: YDecoderConfig, embed_dim: int, tokenizer: Tokenizer) -> None:
        super().__init__()
        if not config.transformer.causal:
            raise UserError("y_decoder: the transformer must be causal; set transformer.causal = True")
        if tokenizer.get_vocab_size() > config.vocab_size:
            raise UserError(
                f"y_decoder: the tokenizer has {tokenizer.get_vocab_size()} tokens, vocab_size is {config.vocab_size}"
            )
        # A text that spells the end token is a text like any other. The tokenizer's file does not keep this setting.
        tokenizer.encode_special_tokens = True
        self.config = config
        self.tokenizer = tokenizer
        self.end = end_token(tokenizer)
        dim = config.transformer.dim
        self.prefix = nn.Linear(embed_dim, config.prefix_tokens * dim)
        # Serves as output layer too: small, so that the first guesses are near uniform.
        self.tokens = nn.Embedding(tokenizer.get_vocab_size(), dim)
        nn.init.normal_(self.tokens.weight, std=0.02)
        self.transformer = Transformer(config.transformer)

    def loss(self, embeddings: Tensor, texts: Sequence[str]) -> Tensor:
        """Mean cross-entropy per token of the texts given their embeddings, nats.

        Texts are cut at ``config.max_tokens`` tokens, the end token included.

        Args:
            embeddings: (B, E); only their direction counts.
            texts: B texts.
        """
        ids = self._tokenize(texts)
        prefix = self._prefix(embeddings)
        # The last prefix token predicts the first text token; the last text token predicts nothing.
        inputs = self.tokens(_on(prefix, [token for row in ids for token in row[:-1]]))
        text_lengths = [len(row) - 1 for row in ids]
        parts = [part for pair in zip(prefix, inputs.split(text_lengths), strict=True) for part in pair]
        lengths = [self.config.prefix_tokens + length for length in text_lengths]
        hidden = self.transformer(torch.cat(parts), lengths)
        predicts = [flag for row in ids for flag in [False] * (self.config.prefix_tokens - 1) + [True] * len(row)]
        logits = functional.linear(hidden[_on(prefix, predicts)], self.tokens.weight)
        return functional.cross_entropy(logits.float(), _on(prefix, [token for row in ids for token in row]))

    def num_tokens(self, texts: Sequence[str]) -> int:
        """Tokens of the texts, as many as ``loss`` is the mean of."""
        return sum(map(len, self._tokenize(texts)))

    @torch.no_grad()
    def generate(self, embeddings: Tensor) -> list[str]:
        """The likeliest text of each embedding, token by token.

        Args:
            embeddings: (B, E); only their direction counts.
        """
        if not len(embeddings):
            return []
        hidden = self._prefix(embeddings)
        batch = len(hidden)
        cache = KVCache()
        tokens: list[Tensor] = []
        ended = torch.zeros(batch, dtype=torch.bool, device=hidden.device)
        for _ in range(self.config.max_tokens):
            length = hidden.shape[1]
            out = self.transformer(hidden.flatten(0, 1), [length] * batch, cache)
            logits = functional.linear(out.unflatten(0, (batch, length))[:, -1], self.tokens.weight)
            token = logits.argmax(dim=-1)
            tokens.append(token)
            ended |= token == self.end
            if ended.all():
                break
            hidden = self.tokens(token)[:, None]
        rows = torch.stack(tokens, dim=1).tolist()
        return [self.tokenizer.decode(row[: row.index(self.end)] if self.end in row else row) for row in rows]

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        limit = self.config.max_tokens
        return [[*encoding.ids, self.end][:limit] for encoding in self.tokenizer.encode_batch_fast(list(texts))]

    def _prefix(self, embeddings: Tensor) -> Tensor:
        """(B, E) to the prefix's hidden states, (B, prefix_tokens, D)."""
        prefix: Tensor = self.prefix(normalize(embeddings))
        return prefix.unflatten(-1, (self.config.prefix_tokens, self.config.transformer.dim))


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Learn a byte-level BPE, which can write any text, from the training targets.

    Raises:
        UserError: ``vocab_size`` does not even hold the bytes.
    """
    if vocab_size < _MIN_VOCAB:
        raise UserError(f"y_decoder: vocab_size is {vocab_size}; bytes alone need {_MIN_VOCAB}")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def end_token(tokenizer: Tokenizer) -> int:
    """Number of the token that ends a text.

    Raises:
        UserError: the tokenizer is not from ``train_tokenizer``.
    """
    special = [number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special]
    if len(special) != 1:
        raise UserError(
            f"y_decoder: the tokenizer has {len(special)} special tokens instead of the one that ends a text; "
            "make it with train_tokenizer"
        )
    return special[0]


def _on(like: Tensor, values: list[int] | list[bool]) -> Tensor:
    """Integers or flags as a tensor on the device of ``like``."""
    return torch.tensor(values, dtype=torch.bool if values and isinstance(values[0], bool) else torch.long).to(
        like.device
    )
