"""What every Y-Encoder is: a pretrained text encoder with a linear head into the shared space.

It trains jointly with the predictor, at a much smaller learning rate (paper, section 3.1); its token tables stay frozen
unless asked for.
"""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from vljepa.config import YEncoderConfig


class YEncoder(nn.Module):
    """Texts to target embeddings S_Y.

    Dropout is off in training too: equal texts must have equal embeddings, so each is encoded once.

    Args:
        backbone: the text encoder without its head.
        backbone_name: the attribute it gets, which checkpoints name its weights by.
        width: of its sentence embeddings.
        embed_dim: E, width of the shared space.
    """

    def __init__(
        self, config: YEncoderConfig, backbone: nn.Module, backbone_name: str, width: int, embed_dim: int
    ) -> None:
        super().__init__()
        self.add_module(backbone_name, backbone)
        if not config.train_token_embeddings:
            for module in backbone.modules():
                if isinstance(module, nn.Embedding):
                    module.requires_grad_(False)
        self.width = width
        self._pooled_only = config.pooled_only
        self.head = nn.Linear(width, embed_dim)
        if embed_dim == width:
            # Training then starts from the space that the encoder already knows.
            nn.init.eye_(self.head.weight)
            nn.init.zeros_(self.head.bias)

    @staticmethod
    @abstractmethod
    def skeleton(config: YEncoderConfig) -> tuple[nn.Module, int]:
        """The backbone without its weights, for counting parameters, and the width of its embeddings.

        Raises:
            UserError: the architecture is not known, and its config cannot be had.
        """

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Distinct texts, at least one, to the backbone's own sentence embeddings ``(n, width)``, of any length."""

    @abstractmethod
    def count_tokens(self, texts: Sequence[str]) -> int:
        """Tokens read of the texts, what is cut off not counted."""

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Texts to embeddings, (n, E), not normalised; row i belongs to ``texts[i]``."""
        embeddings: Tensor = self.head(self._encode_distinct(texts, unit=not self._pooled_only))
        return embeddings

    def sentence_embedding(self, texts: Sequence[str]) -> Tensor:
        """Texts to the backbone's own sentence embeddings, (n, width), of unit length: before our head."""
        return self._encode_distinct(texts, unit=True)

    def _encode_distinct(self, texts: Sequence[str], *, unit: bool) -> Tensor:
        """What the backbone gives, (n, width), scaled to unit length if asked. Each distinct text is encoded once."""
        device = self.head.weight.device
        if not texts:
            return torch.empty(0, self.width, device=device)
        distinct = {text: index for index, text in enumerate(dict.fromkeys(texts))}
        embeddings = self.encode(list(distinct)).float()
        if unit:
            embeddings = functional.normalize(embeddings, dim=-1)
        return embeddings[torch.tensor([distinct[text] for text in texts], device=device)]
