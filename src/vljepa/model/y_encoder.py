"""The Y-Encoder: target text to its embedding (paper, section 2).

all-MiniLM-L6-v2 with a linear head into the shared space. It trains jointly with the predictor, at a much smaller
learning rate (section 3.1); its token tables stay frozen unless asked for.
"""

from collections.abc import Sequence
from itertools import groupby

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from vljepa.config import YEncoderConfig
from vljepa.errors import UserError
from vljepa.model.weights import weights_path

NAME = "all-MiniLM-L6-v2"
Group = tuple[int, int]
"""Length in tokens and number of texts of a run of equally long ones."""


class YEncoder(nn.Module):
    """Texts to target embeddings S_Y.

    Dropout is off in training too: equal texts must have equal embeddings, so each is encoded once.

    Args:
        config: which encoder, and its context.
        embed_dim: E, width of the shared space.

    Raises:
        UserError: an unknown encoder name, or its weights are not installed or not the expected file.
    """

    def __init__(self, config: YEncoderConfig, embed_dim: int) -> None:
        super().__init__()
        if config.name != NAME:
            raise UserError(f"y_encoder: unknown name {config.name!r}; use {NAME!r}")
        weights_file = weights_path(NAME)
        folder = weights_file.parent
        bert_config = BertConfig.from_json_file(folder / "config.json")
        bert_config.hidden_dropout_prob = bert_config.attention_probs_dropout_prob = 0.0
        self.bert = BertModel(bert_config, add_pooling_layer=False)
        weights = load_file(weights_file)
        # Sentence embeddings never pass through BERT's pooler; position_ids are not weights.
        self.bert.load_state_dict(
            {k: v for k, v in weights.items() if not k.startswith("pooler.") and not k.endswith("position_ids")}
        )
        if not config.train_token_embeddings:
            tables = self.bert.embeddings
            for table in (tables.word_embeddings, tables.position_embeddings, tables.token_type_embeddings):
                table.requires_grad_(False)

        self.width = int(bert_config.hidden_size)
        self.head = nn.Linear(self.width, embed_dim)
        if embed_dim == self.width:
            # Training then starts from the space that MiniLM already knows.
            nn.init.eye_(self.head.weight)
            nn.init.zeros_(self.head.bias)

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(min(config.max_tokens, int(bert_config.max_position_embeddings)))

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Texts to embeddings, (n, E), not normalised; row i belongs to ``texts[i]``."""
        embeddings: Tensor = self.head(self.sentence_embedding(texts))
        return embeddings

    def sentence_embedding(self, texts: Sequence[str]) -> Tensor:
        """Texts to all-MiniLM-L6-v2's own sentence embeddings, (n, 384), of unit length: before our head.

        Each distinct text is encoded once; texts are packed end to end, so that there is no [PAD].
        """
        device = self.head.weight.device
        if not texts:
            return torch.empty(0, self.width, device=device)
        distinct = {text: index for index, text in enumerate(dict.fromkeys(texts))}
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(distinct))]
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        packed = [ids[row] for row in order]
        groups = [(length, len(list(rows))) for length, rows in groupby(map(len, packed))]
        hidden = self._encode_packed(
            torch.tensor([token for row in packed for token in row], device=device),
            torch.tensor([position for row in packed for position in range(len(row))], device=device),
            groups,
        )
        pooled = torch.cat([rows.float().mean(dim=1) for rows in _cut(hidden, groups)])
        place = torch.empty(len(order), dtype=torch.long)
        place[torch.tensor(order)] = torch.arange(len(order))
        back = place[torch.tensor([distinct[text] for text in texts])].to(device)
        return functional.normalize(pooled, dim=-1)[back]

    def _encode_packed(self, ids: Tensor, positions: Tensor, groups: Sequence[Group]) -> Tensor:
        """BERT over texts that lie end to end: (tokens,) to (tokens, width).

        Everything but attention treats tokens alone, so all texts share its matrix products whatever their lengths:
        on a CPU a training step is much faster so than with a batch a length.
        """
        hidden: Tensor = self.bert.embeddings(input_ids=ids[None], position_ids=positions[None])[0]
        for layer in self.bert.encoder.layer:
            attention = layer.attention.self
            projections = (attention.query, attention.key, attention.value)
            parts = zip(*(_cut(projection(hidden), groups) for projection in projections), strict=True)
            mixed = [_attend(*(x.unflatten(-1, (attention.num_attention_heads, -1)) for x in part)) for part in parts]
            hidden = layer.feed_forward_chunk(layer.attention.output(torch.cat(mixed), hidden))
        return hidden


def _cut(tokens: Tensor, groups: Sequence[Group]) -> list[Tensor]:
    """Packed tokens (tokens, dim) as one (texts, length, dim) a group."""
    parts = tokens.split([length * count for length, count in groups])
    return [part.unflatten(0, (-1, length)) for part, (length, _) in zip(parts, groups, strict=True)]


def _attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention inside each text, (texts, length, heads, head_dim) each, to packed tokens (texts * length, dim).

    Written out: for short texts its backward is a third faster on a CPU than the fused kernel's.
    """
    scores = torch.einsum("tqhd,tkhd->thqk", q, k) * q.shape[-1] ** -0.5
    return torch.einsum("thqk,tkhd->tqhd", scores.softmax(dim=-1).to(v.dtype), v).flatten(0, 1).flatten(1)
