"""all-MiniLM-L6-v2: the small Y-Encoder of ``nano``, from a Python package."""

from collections.abc import Sequence
from itertools import groupby

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from vljepa.config import YEncoderConfig
from vljepa.model.weights import find_weights
from vljepa.model.y_encoder.base import YEncoder

MINILM = "all-MiniLM-L6-v2"
Group = tuple[int, int]
"""Length in tokens and number of texts of a run of equally long ones."""


class MiniLM(YEncoder):
    """Mean of BERT's outputs; texts are packed end to end, so that there is no [PAD].

    Args:
        config: its context, and whether token tables train.
        embed_dim: E, width of the shared space.

    Raises:
        UserError: its weights are not installed or not the expected file.
    """

    bert: BertModel

    def __init__(self, config: YEncoderConfig, embed_dim: int) -> None:
        weights = find_weights(MINILM)
        bert, width = self.skeleton(config)
        # Sentence embeddings never pass through BERT's pooler; position_ids are not weights.
        bert.load_state_dict(
            {
                name: tensor
                for name, tensor in load_file(weights.files[0]).items()
                if not name.startswith("pooler.") and not name.endswith("position_ids")
            }
        )
        super().__init__(config, bert, "bert", width, embed_dim)
        self._tokenizer = Tokenizer.from_file(str(weights.folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(min(config.max_tokens, int(self.bert.config.max_position_embeddings)))

    @staticmethod
    def skeleton(config: YEncoderConfig) -> tuple[nn.Module, int]:
        settings = BertConfig.from_json_file(find_weights(MINILM).folder / "config.json")
        settings.hidden_dropout_prob = settings.attention_probs_dropout_prob = 0.0
        return BertModel(settings, add_pooling_layer=False), int(settings.hidden_size)

    def encode(self, texts: Sequence[str]) -> Tensor:
        device = self.head.weight.device
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
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
        return pooled[place.to(device)]

    def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts)))

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
