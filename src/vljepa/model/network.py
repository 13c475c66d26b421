"""What every model here is: a frozen X-Encoder, what is trained on its visual tokens, and a checkpoint folder."""

import json
import shutil
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from vljepa.config import ModelConfig, from_json, to_json
from vljepa.errors import UserError
from vljepa.model.familiarity import Familiarity
from vljepa.model.transformer import Transformer
from vljepa.model.weights import find_weights
from vljepa.model.x_encoder import load_x_encoder

N = TypeVar("N", bound="Network")

FORMAT = 1
"""Version of the checkpoint folder."""
_CONFIG = "config.json"
_WEIGHTS = "model.safetensors"
_CARD = "README.md"
_OTHER_KIND = {
    "vl_jepa": "a VL-JEPA and no token-space VLM",
    "dual_encoder": "a dual encoder and no token-space VLM",
    "token_vlm": "a token-space VLM; it writes and ranks texts (caption, ask, classify, eval) but makes no embeddings",
}
"""What a folder holds instead of what was wanted."""


class Network(nn.Module):
    """A frozen X-Encoder and what stands behind it; a subclass adds its parts, then calls ``fix_trained``.

    Args:
        config: shapes and names of the parts.
    """

    kinds: tuple[str, ...] = ()
    """The values of ``config.kind`` that a subclass is for."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.x_encoder = load_x_encoder(config.x_encoder)
        self.familiarity = Familiarity(self.x_encoder.token_dim)
        self._trained: list[str] = []
        self._stored_dtype: Literal["float16", "float32"] = "float16"

    def fix_trained(self) -> None:
        """Take what can be trained now as what a checkpoint holds: a stage may freeze a part for a while."""
        self._trained = [name for name, parameter in self.named_parameters() if parameter.requires_grad]
        self._trained += [f"familiarity.{name}" for name, _ in self.familiarity.named_buffers()]

    @property
    def device(self) -> torch.device:
        return self.familiarity.get_buffer("mean").device

    @property
    def max_steps(self) -> int:
        """Time steps T of a full clip's visual tokens."""
        return -(-self.config.x_encoder.num_frames // self.x_encoder.tubelet)

    @property
    def transformer(self) -> Transformer | None:
        """What of it is large and trained, the Y-Encoder apart: its layers may be recomputed, compiled and sharded."""
        return None

    def encode_frames(self, frames: Tensor) -> Tensor:
        """Frames, uint8 (B, F, S, S, 3), to visual tokens S_V (B, T, N, D), without gradient."""
        # On a CPU a clip's activations fit its cache and those of several do not: together they took twice as long.
        at_once = 1 if self.device.type == "cpu" else len(frames)
        return torch.cat([self.x_encoder(some.to(self.device)) for some in frames.split(at_once)])

    def familiar(self, visual_tokens: Tensor) -> Tensor:
        """p-value (B,) in [0, 1] of the clips with visual tokens (B, T, N, D) under the training world.

        Raises:
            UserError: the checkpoint holds no fitted score.
        """
        return self.familiarity.p_value(pool(visual_tokens))

    def tokenizers(self) -> dict[str, Tokenizer]:
        """Those that a checkpoint must hold, by their files' names."""
        return {}

    def trained_state(self) -> dict[str, Tensor]:
        """Every tensor that training changes, by name: what a checkpoint holds. Frozen backbones are not in it."""
        state = self.state_dict()
        return {name: state[name] for name in self._trained}

    def save(self, folder: Path | str, *, card: str, dtype: Literal["float16", "float32"] | None = None) -> None:
        """Write a checkpoint folder (design, section 3).

        Args:
            folder: made if absent, replaced as a whole if it is a checkpoint folder already: written aside and
                renamed, so that nobody ever reads one half written.
            card: text of the model card: data, recipe, seed, steps, results.
            dtype: of matrices; vectors, scalars and the familiarity score always stay float32. Default: that of the
                checkpoint the model was loaded from, so that what was not trained stays the same bit for bit;
                float16 for a new model.

        Raises:
            UserError: the folder holds something else.
        """
        folder = Path(folder)
        if folder.exists() and any(folder.iterdir()) and not (folder / _CONFIG).exists():
            raise UserError(f"{folder}: holds other files than a checkpoint; name a new or an empty folder")
        aside = folder.with_name(folder.name + ".writing")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)

        matrices = getattr(torch, dtype or self._stored_dtype)

        def stored(name: str, tensor: Tensor) -> Tensor:
            return tensor.detach().to("cpu", torch.float32 if _is_exact(name, tensor) else matrices).contiguous()

        save_file({name: stored(name, tensor) for name, tensor in self.trained_state().items()}, aside / _WEIGHTS)
        for name, tokenizer in self.tokenizers().items():
            tokenizer.save(str(aside / name))
        (aside / _CARD).write_text(card, encoding="utf-8")
        document = {
            "format": FORMAT,
            "model": to_json(self.config),
            "y_decoder": getattr(self, "y_decoder", None) is not None,
            "backbones": backbones(self.config),
        }
        (aside / _CONFIG).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        old = folder.with_name(folder.name + ".old")
        if folder.exists():
            # Left by a kill in the removal below.
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        aside.rename(folder)
        shutil.rmtree(old, ignore_errors=True)

    @classmethod
    def load(cls: type[N], folder: Path | str) -> N:
        """Read a checkpoint folder, in evaluation mode, on the CPU.

        Raises:
            UserError: a file is missing or damaged, the format is newer, the model is of another kind, a frozen
                backbone is another one, or a tensor is missing, foreign or of the wrong shape; named with its file.
        """
        folder = Path(folder)
        document = _read_config(folder / _CONFIG)
        config = model_config(folder)
        if config.kind not in cls.kinds:
            raise UserError(f"{folder}: {_OTHER_KIND[config.kind]}")
        for name, recorded in document["backbones"].items():
            if find_weights(name).sha256 != recorded["sha256"]:
                raise UserError(
                    f"{folder / _CONFIG}: backbone {name!r} is another file here than in training "
                    f"(sha256 {recorded['sha256']}); get {recorded['package']}"
                )
        model = cls._built(config, folder, has_decoder=document["y_decoder"])
        assert isinstance(model, cls)
        model._restore(folder / _WEIGHTS)
        return model.eval()

    @classmethod
    def _built(cls, config: ModelConfig, folder: Path, *, has_decoder: bool) -> "Network":
        """The model of a checkpoint folder before its weights are read."""
        raise NotImplementedError

    def _restore(self, path: Path) -> None:
        if not path.is_file():
            raise UserError(f"{path}: file not found; a checkpoint folder holds {_CONFIG} and {_WEIGHTS}")
        try:
            found = load_file(path)
        except SafetensorError as error:
            raise UserError(f"{path}: not a readable safetensors file ({error}); copy it again") from error
        own = self.trained_state()
        for name in sorted(own.keys() - found.keys()):
            raise UserError(f"{path}: tensor {name!r} is missing; the file does not belong to this {_CONFIG}")
        for name in sorted(found.keys() - own.keys()):
            raise UserError(f"{path}: foreign tensor {name!r}; the file does not belong to this {_CONFIG}")
        for name, tensor in own.items():
            if found[name].shape != tensor.shape:
                raise UserError(
                    f"{path}: tensor {name!r} has shape {tuple(found[name].shape)}, "
                    f"{_CONFIG} asks for {tuple(tensor.shape)}"
                )
            tensor.copy_(found[name])
        in_full = any(t.dtype == torch.float32 and not _is_exact(name, t) for name, t in found.items())
        self._stored_dtype = "float32" if in_full else "float16"


def _is_exact(name: str, tensor: Tensor) -> bool:
    """Whether a checkpoint keeps a tensor in float32 whatever its other dtype."""
    return tensor.ndim < 2 or name.startswith("familiarity.")


def pool(visual_tokens: Tensor) -> Tensor:
    """Visual tokens (B, T, N, D) to clip features (B, D): the mean over time and places, float32."""
    return visual_tokens.float().mean(dim=(1, 2))


def backbones(config: ModelConfig) -> dict[str, dict[str, str]]:
    """Origin and sha256 of the pretrained weights a model reads; checkpoints name them instead of copying."""
    names = {config.x_encoder.name, config.predictor.tokenizer}
    if config.kind != "token_vlm":
        names.add(config.y_encoder.name)
    found = {name: find_weights(name) for name in sorted(names)}
    # Called a package since before there were backbones from the hub.
    return {name: {"package": weights.origin, "sha256": weights.sha256} for name, weights in found.items()}


def model_config(folder: Path | str) -> ModelConfig:
    """The architecture of a checkpoint folder.

    Raises:
        UserError: its config.json is missing or damaged.
    """
    path = Path(folder) / _CONFIG
    return from_json(ModelConfig, _read_config(path)["model"], str(path))


def _read_config(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: file not found; name a checkpoint folder") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(document, dict):
        raise UserError(f"{path}: not a JSON object; this is not a vljepa checkpoint")
    for field, kind in (("format", int), ("model", dict), ("backbones", dict), ("y_decoder", bool)):
        if not isinstance(document.get(field), kind):
            raise UserError(f"{path}: field {field!r} is missing or wrong; this is not a vljepa checkpoint")
    if document["format"] != FORMAT:
        raise UserError(f"{path}: format is {document['format']}, this version reads {FORMAT}; update vljepa")
    return document


def read_tokenizer(path: Path) -> Tokenizer:
    """A checkpoint's own tokenizer.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: file not found; it holds the tokens of the texts") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a readable tokenizer ({error})") from error
