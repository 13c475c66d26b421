"""The whole VL-JEPA: four parts and the shared space (paper, figure 1)."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer
from torch import Tensor, nn

from vljepa.config import ModelConfig
from vljepa.embedding import LogitScale, normalize
from vljepa.errors import UserError
from vljepa.model.dual_encoder import PooledPredictor
from vljepa.model.network import Network, read_tokenizer
from vljepa.model.predictor import Predictor
from vljepa.model.transformer import Transformer
from vljepa.model.y_decoder import YDecoder
from vljepa.model.y_encoder import load_y_encoder

_TOKENIZER = "y_decoder_tokenizer.json"


class VLJEPA(Network):
    """X-Encoder, Predictor, Y-Encoder and, once trained, Y-Decoder.

    Args:
        config: shapes and names of the parts; ``kind="dual_encoder"`` puts the pooled baseline for the predictor.
        decoder_tokenizer: builds the Y-Decoder at once; without it, ``y_decoder`` is None until ``add_y_decoder``.
    """

    kinds = ("vl_jepa", "dual_encoder")
    y_decoder: YDecoder | None

    def __init__(self, config: ModelConfig, decoder_tokenizer: Tokenizer | None = None) -> None:
        super().__init__(config)
        predictor = Predictor if config.kind == "vl_jepa" else PooledPredictor
        self.predictor: nn.Module = predictor(
            config.predictor,
            self.x_encoder.token_dim,
            self.x_encoder.tokens_per_frame,
            self.max_steps,
            config.embed_dim,
        )
        self.y_encoder = load_y_encoder(config.y_encoder, config.embed_dim)
        self.logit_scale = LogitScale()
        self.y_decoder = None
        self.fix_trained()
        if decoder_tokenizer is not None:
            self.add_y_decoder(decoder_tokenizer)

    def add_y_decoder(self, tokenizer: Tokenizer) -> YDecoder:
        """Give the model a new, untrained Y-Decoder over ``tokenizer``; returns it."""
        decoder = YDecoder(self.config.y_decoder, self.config.embed_dim, tokenizer).to(self.device)
        self._trained = [name for name in self._trained if not name.startswith("y_decoder.")]
        self._trained += [f"y_decoder.{name}" for name, _ in decoder.named_parameters()]
        self.y_decoder = decoder
        return decoder

    @property
    def transformer(self) -> Transformer | None:
        return getattr(self.predictor, "transformer", None)

    def predict(self, visual_tokens: Tensor, queries: Sequence[str]) -> Tensor:
        """Visual tokens (B, T, N, D) and B queries to predicted embeddings (B, E), unit length."""
        return normalize(self.predictor(visual_tokens, list(queries)).float())

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Texts to target embeddings S_Y (n, E), unit length."""
        return normalize(self.y_encoder(texts).float())

    def decode(self, embeddings: Tensor) -> list[str]:
        """Embeddings (B, E) to texts.

        Raises:
            UserError: no Y-Decoder trained yet.
        """
        if self.y_decoder is None:
            raise UserError("this checkpoint holds no Y-Decoder; train one with: vljepa train-decoder CHECKPOINT")
        return self.y_decoder.generate(embeddings)

    def tokenizers(self) -> dict[str, Tokenizer]:
        return {} if self.y_decoder is None else {_TOKENIZER: self.y_decoder.tokenizer}

    @classmethod
    def _built(cls, config: ModelConfig, folder: Path, *, has_decoder: bool) -> "VLJEPA":
        return cls(config, read_tokenizer(folder / _TOKENIZER) if has_decoder else None)
