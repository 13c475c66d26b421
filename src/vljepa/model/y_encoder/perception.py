"""Perception Encoder's text tower (arXiv 2504.13181), a Y-Encoder of the paper's table 7e.

CLIP's text transformer with GELU, whose weights transformers reads under other names. The weights come without a
tokenizer: it is CLIP's, taken from ``tokenizer.json`` beside them, or from OpenAI's CLIP.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HTTPError
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from vljepa.config import YEncoderConfig
from vljepa.errors import UserError
from vljepa.model.architectures import perception_encoder
from vljepa.model.weights import check_complete, find_weights
from vljepa.model.y_encoder.base import YEncoder

_TOKENIZER = "openai/clip-vit-base-patch32"

TOWERS: dict[str, dict[str, int]] = {
    "PE-Core-B16-224": {"context": 32, "dim": 1024, "num_heads": 16, "num_layers": 24, "width": 1024},
    "PE-Core-L14-336": {"context": 32, "dim": 1024, "num_heads": 16, "num_layers": 24, "width": 1024},
    "PE-Core-G14-448": {"context": 72, "dim": 1280, "num_heads": 20, "num_layers": 24, "width": 1280},
}
"""Sizes of the text towers, as in the official ``config.py``; ``width`` is that of the embedding."""


class PerceptionText(YEncoder):
    """The output at the end token, projected.

    Args:
        config: which one, its context (at most that of the tower), and whether token tables train.
        embed_dim: E, width of the shared space.

    Raises:
        UserError: the weights or the tokenizer cannot be had, or the weights are incomplete.
    """

    def __init__(self, config: YEncoderConfig, embed_dim: int) -> None:
        weights = find_weights(config.name)
        backbone, width = self.skeleton(config)
        state = torch.load(weights.files[0], map_location="cpu", weights_only=True, mmap=True)
        report = backbone.load_state_dict(_renamed(state), strict=False)
        check_complete(weights, report.missing_keys)
        super().__init__(config, backbone, "backbone", width, embed_dim)
        self._tokenizer = _tokenizer(weights.folder)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(
            min(config.max_tokens, TOWERS[str(perception_encoder(config.name))]["context"])
        )

    @staticmethod
    def skeleton(config: YEncoderConfig) -> tuple[nn.Module, int]:
        which = perception_encoder(config.name)
        if which not in TOWERS:
            raise UserError(
                f"y_encoder.name: {config.name} is no known Perception Encoder; read are {', '.join(TOWERS)}"
            )
        sizes = TOWERS[which]
        settings = CLIPTextConfig(
            hidden_size=sizes["dim"],
            intermediate_size=4 * sizes["dim"],
            num_hidden_layers=sizes["num_layers"],
            num_attention_heads=sizes["num_heads"],
            max_position_embeddings=sizes["context"],
            projection_dim=sizes["width"],
            hidden_act="gelu",
            # CLIP's own; the output is read at the first of them.
            bos_token_id=49406,
            eos_token_id=49407,
        )
        return CLIPTextModelWithProjection(settings), sizes["width"]

    def encode(self, texts: Sequence[str]) -> Tensor:
        ids = [torch.tensor(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        # Causal: nothing looks at what stands after the end token.
        padded = nn.utils.rnn.pad_sequence(ids, batch_first=True).to(self.head.weight.device)
        backbone: Any = self.backbone
        embeddings: Tensor = backbone(input_ids=padded).text_embeds
        return embeddings

    def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts)))


def _tokenizer(folder: Path) -> Tokenizer:
    path = folder / "tokenizer.json"
    if not path.is_file():
        try:
            path = Path(hf_hub_download(_TOKENIZER, "tokenizer.json"))
        except (OSError, HTTPError) as error:
            raise UserError(f"{path}: file not found; copy the tokenizer.json of {_TOKENIZER} there") from error
    return Tokenizer.from_file(str(path))


def _renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The text tower's tensors under the names of transformers."""
    renamed = {
        "text_model.embeddings.token_embedding.weight": state["token_embedding.weight"],
        "text_model.embeddings.position_embedding.weight": state["positional_embedding"],
        "text_model.final_layer_norm.weight": state["ln_final.weight"],
        "text_model.final_layer_norm.bias": state["ln_final.bias"],
        "text_projection.weight": state["text_projection"].T,
    }
    parts = {
        "ln_1.": "layer_norm1.",
        "ln_2.": "layer_norm2.",
        "mlp.c_fc.": "mlp.fc1.",
        "mlp.c_proj.": "mlp.fc2.",
        "attn.out_proj.": "self_attn.out_proj.",
    }
    for name, tensor in state.items():
        if not name.startswith("transformer.resblocks."):
            continue
        layer, rest = name.removeprefix("transformer.resblocks.").split(".", 1)
        prefix = f"text_model.encoder.layers.{layer}."
        if rest.startswith("attn.in_proj_"):
            kind = rest.removeprefix("attn.in_proj_")
            for part, piece in zip("qkv", tensor.chunk(3), strict=True):
                renamed[f"{prefix}self_attn.{part}_proj.{kind}"] = piece
        for theirs, ours in parts.items():
            if rest.startswith(theirs):
                renamed[prefix + ours + rest.removeprefix(theirs)] = tensor
    return renamed
