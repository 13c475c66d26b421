"""The Y-Encoder: target text to its embedding (paper, section 2).

all-MiniLM-L6-v2 with a linear head into the shared space. It trains jointly with the predictor, at a much smaller
learning rate (section 3.1); its token tables stay frozen unless asked for.
"""

from collections.abc import Iterator, Sequence
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
        # Targets are short: written out, attention's backward is a third faster on a CPU than the fused kernel's.
        bert_config._attn_implementation = "eager"
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

        Each distinct text is encoded once; texts of equal length share a batch, so that there is no [PAD].
        """
        device = self.head.weight.device
        if not texts:
            return torch.empty(0, self.width, device=device)
        distinct = {text: index for index, text in enumerate(dict.fromkeys(texts))}
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(distinct))]
        order: list[int] = []
        pooled: list[Tensor] = []
        for rows in _equally_long(ids):
            hidden = self.bert(input_ids=torch.tensor([ids[row] for row in rows], device=device)).last_hidden_state
            pooled.append(hidden.float().mean(dim=1))
            order.extend(rows)
        place = torch.empty(len(order), dtype=torch.long)
        place[torch.tensor(order)] = torch.arange(len(order))
        back = place[torch.tensor([distinct[text] for text in texts])].to(device)
        return functional.normalize(torch.cat(pooled), dim=-1)[back]


def _equally_long(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Rows with the same number of tokens, shortest first."""

    def length(row: int) -> int:
        return len(ids[row])

    for _, group in groupby(sorted(range(len(ids)), key=length), key=length):
        yield list(group)
