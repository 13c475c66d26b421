"""A checkpoint of open-vljepa's keys, tiny and random, imported and compared with its forward pass written out here."""

import json
from pathlib import Path

import pytest
import torch
from hub import write_vjepa2
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor
from torch.nn.functional import linear, normalize, rms_norm, silu, softmax
from transformers import (
    Gemma3TextConfig,
    Gemma3TextModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    VJEPA2Model,
)
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from vljepa.cli import main
from vljepa.errors import UserError
from vljepa.model.counts import count_parameters
from vljepa.model.open_vljepa import Backbones, Imported, import_open_vljepa
from vljepa.model.vljepa import VLJEPA

SIZE, KEPT = 32, 2
WORDS = ["<pad>", "<bos>", "<eos>", "<unk>", "Describe", "the", "video", ".", "a", "red", "cube", "rolls"]
QUERIES = ["Describe the video .", "a", ""]
TEXTS = ["a red cube rolls", "the video", "a cube ."]
LLAMA = LlamaConfig(
    vocab_size=len(WORDS),
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=256,
    rms_norm_eps=1e-5,
    rope_parameters={
        "rope_type": "llama3",
        "rope_theta": 500.0,
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
)
GEMMA = Gemma3TextConfig(
    use_bidirectional_attention=True,
    vocab_size=len(WORDS),
    hidden_size=24,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=16,
    max_position_embeddings=64,
)
SETTINGS = {
    "data": {"num_frames": 4, "image_size": SIZE, "max_query_len": 16, "max_caption_len": 16},
    "training": {"temperature": 0.05},
}


class Reference:
    """Its three networks by its own keys, and its forward pass over padded batches."""

    def __init__(self, folders: dict[str, str]) -> None:
        torch.manual_seed(1)
        self.vision = VJEPA2Model.from_pretrained(folders["x_encoder"]).eval()
        llama = LlamaForCausalLM.from_pretrained(folders["llama"]).model
        gemma = Gemma3TextModel.from_pretrained(folders["y_encoder"]).eval()
        kept = llama.layers[-KEPT:].state_dict()
        trained = {
            **{f"predictor.layers.{name}": tensor for name, tensor in kept.items()},
            "predictor.norm.weight": llama.norm.weight.detach(),
            "predictor.vis_proj.weight": torch.randn(32, 48) / 7,
            "predictor.vis_proj.bias": torch.randn(32) / 7,
            "predictor.out_proj.weight": torch.randn(20, 32) / 6,
            "predictor.out_proj.bias": torch.randn(20) / 6,
            **{f"y_encoder.model.{name}": tensor for name, tensor in gemma.state_dict().items()},
            "y_encoder.projector.weight": torch.randn(20, 24) / 5,
            "y_encoder.projector.bias": torch.randn(20) / 5,
        }
        # Training has moved them from where the backbones are.
        self.state = {name: tensor + 0.05 * torch.randn_like(tensor) for name, tensor in trained.items()}
        self.state["predictor.embed_tokens.weight"] = llama.embed_tokens.weight.detach().clone()
        weights = {n.removeprefix("y_encoder.model."): t for n, t in self.state.items() if "y_encoder.model." in n}
        gemma.load_state_dict(weights)
        self.gemma = gemma

    def predict(self, frames: Tensor, queries: list[str]) -> Tensor:
        """Frames uint8 (B, F, S, S, 3) and queries to (B, 20)."""
        pixels = (frames.permute(0, 1, 4, 2, 3) / 255 - 0.5) / 0.5
        visual = self.vision(pixels, skip_predictor=True).last_hidden_state
        visual = linear(visual, *self._of("predictor.vis_proj", "weight", "bias"))
        ids, mask = _padded(queries, ["<bos>"], [])
        hidden = torch.cat((visual, self.state["predictor.embed_tokens.weight"][ids]), dim=1)
        mask = torch.cat((torch.ones(visual.shape[:2]), mask), dim=1)
        rope = LlamaRotaryEmbedding(LLAMA)(hidden, torch.arange(hidden.shape[1])[None])
        for layer in range(KEPT):
            hidden = self._layer(f"predictor.layers.{layer}", hidden, mask, rope)
        hidden = rms_norm(hidden, (32,), self.state["predictor.norm.weight"], 1e-5)
        return linear(_mean(hidden, mask), *self._of("predictor.out_proj", "weight", "bias"))

    def encode_text(self, texts: list[str]) -> Tensor:
        """Texts to (n, 20)."""
        ids, mask = _padded(texts, ["<bos>"], ["<eos>"])
        hidden = self.gemma(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return linear(_mean(hidden, mask), *self._of("y_encoder.projector", "weight", "bias"))

    def _of(self, name: str, *parts: str) -> list[Tensor]:
        return [self.state[f"{name}.{part}"] for part in parts]

    def _layer(self, name: str, x: Tensor, mask: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
        weights = {k.removeprefix(name + "."): v for k, v in self.state.items() if k.startswith(name + ".")}
        h = rms_norm(x, (32,), weights["input_layernorm.weight"], 1e-5)
        q, k, v = (
            linear(h, weights[f"self_attn.{part}_proj.weight"]).unflatten(-1, (-1, 8)).transpose(1, 2) for part in "qkv"
        )
        q, k = _turn(q, *rope), _turn(k, *rope).repeat_interleave(2, dim=1)
        scores = q @ k.mT / 8**0.5 + torch.where(mask > 0, 0, -torch.inf)[:, None, None]
        mixed = (softmax(scores, dim=-1) @ v.repeat_interleave(2, dim=1)).transpose(1, 2).flatten(2)
        x = x + linear(mixed, weights["self_attn.o_proj.weight"])
        h = rms_norm(x, (32,), weights["post_attention_layernorm.weight"], 1e-5)
        gate, up, down = (weights[f"mlp.{part}_proj.weight"] for part in ("gate", "up", "down"))
        return x + linear(silu(linear(h, gate)) * linear(h, up), down)


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cos[:, None] + torch.cat((-second, first), dim=-1) * sin[:, None]


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    return (hidden * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def _padded(texts: list[str], first: list[str], last: list[str]) -> tuple[Tensor, Tensor]:
    ids = [[WORDS.index(word) for word in [*first, *text.split(), *last]] for text in texts]
    length = max(map(len, ids))
    padded = torch.tensor([row + [0] * (length - len(row)) for row in ids])
    return padded, torch.tensor([[1.0] * len(row) + [0.0] * (length - len(row)) for row in ids])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The three backbones as the hub has them."""
    torch.manual_seed(0)
    found = {name: tmp_path_factory.mktemp(name) for name in ("x_encoder", "llama", "y_encoder")}
    write_vjepa2(found["x_encoder"], SIZE)
    LlamaForCausalLM(LLAMA).save_pretrained(found["llama"])
    _tokenizer("<bos> $A").save(str(found["llama"] / "tokenizer.json"))
    Gemma3TextModel(GEMMA).save_pretrained(found["y_encoder"])
    names = {"pad_token": "<pad>", "bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=_tokenizer("<bos> $A <eos>"), **names).save_pretrained(found["y_encoder"])
    _write_sentence_modules(found["y_encoder"])
    return {name: str(folder) for name, folder in found.items()}


def _tokenizer(template: str) -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = [(word, WORDS.index(word)) for word in ("<bos>", "<eos>")]
    tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=special)
    return tokenizer


def _write_sentence_modules(folder: Path) -> None:
    """What sentence-transformers puts around EmbeddingGemma; open-vljepa reads none of it."""
    kinds = {"": "models.Transformer", "1_Pooling": "models.Pooling", "2_Dense": "models.Dense"}
    modules = [{"path": path, "type": f"sentence_transformers.{kind}"} for path, kind in kinds.items()]
    (folder / "modules.json").write_text(json.dumps(modules))
    dense = {"in_features": 24, "out_features": 9, "bias": False, "activation_function": "torch.nn.Identity"}
    for path, values in (("1_Pooling", {"pooling_mode_mean_tokens": True}), ("2_Dense", dense)):
        (folder / path).mkdir()
        (folder / path / "config.json").write_text(json.dumps(values))
    save_file({"linear.weight": torch.randn(9, 24)}, folder / "2_Dense" / "model.safetensors")


@pytest.fixture(scope="module")
def reference(folders: dict[str, str]) -> Reference:
    return Reference(folders)


@pytest.fixture(scope="module")
def published(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As its ``best.pt``."""
    path = tmp_path_factory.mktemp("published") / "best.pt"
    torch.save({"epoch": 7, "loss": 0.1, "model_state_dict": reference.state, "config": SETTINGS}, path)
    return path


def test_the_imported_model_gives_its_embeddings(
    reference: Reference, published: Path, folders: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [word for name, folder in folders.items() for word in (f"--{name.replace('_', '-')}", folder)]
    out = tmp_path / "model"
    assert main(["import", "open-vljepa", str(published.parent), str(out), *options, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    loaded = VLJEPA.load(out)
    for num_frames in (4, 1):
        frames = torch.randint(0, 256, (3, num_frames, SIZE, SIZE, 3), dtype=torch.uint8)
        with torch.no_grad():
            expected = normalize(reference.predict(frames, QUERIES), dim=-1)
            torch.testing.assert_close(
                loaded.predict(loaded.encode_frames(frames), QUERIES), expected, atol=1e-5, rtol=0
            )
    with torch.no_grad():
        expected = normalize(reference.encode_text(TEXTS), dim=-1)
        torch.testing.assert_close(loaded.encode_text(TEXTS), expected, atol=1e-5, rtol=0)
    assert loaded.logit_scale().item() == pytest.approx(1 / 0.05)
    assert loaded.config.x_encoder.num_frames == 4
    assert (loaded.config.video_query, loaded.config.image_query) == ("Describe the video.", "Describe the image.")
    assert loaded.config.predictor.max_query_tokens == 16
    card = (out / "README.md").read_text()
    assert shown["sha256"] in card and "Llama 3.2 Community License" in card and "7 epochs" in card
    parts = {"x_encoder": loaded.x_encoder, "y_encoder": loaded.y_encoder, "predictor": loaded.predictor}
    for part, module in parts.items():
        counts = {k: n for k, n in count_parameters(loaded.config).items() if k.startswith(part)}
        counts.pop("predictor.tokens", None)
        assert sum(counts.values()) == sum(parameter.numel() for parameter in module.parameters())


def test_a_safetensors_file_with_the_frozen_parts_is_read_too(
    reference: Reference, folders: dict[str, str], tmp_path: Path
) -> None:
    frozen = {f"x_encoder.model.{name}": tensor for name, tensor in reference.vision.state_dict().items()}
    path = tmp_path / "anything.safetensors"
    config = import_with(reference.state | frozen, path, folders).model.config
    # The published settings, where the file tells none.
    assert (config.x_encoder.num_frames, config.predictor.max_query_tokens, config.y_encoder.max_tokens) == (8, 64, 64)
    name = "x_encoder.model.encoder.layer.0.mlp.fc1.weight"
    frozen[name] = frozen[name] + 1
    with pytest.raises(UserError, match=rf"frozen tensor '{name}' is not that of .*x_encoder"):
        import_with(reference.state | frozen, path, folders)


def import_with(state: dict[str, Tensor], path: Path, folders: dict[str, str]) -> Imported:
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    return import_open_vljepa(str(path), Backbones(**folders))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("predictor.out_proj.weight", None, "is missing"),
        ("predictor.layers.1.mlp.up_proj.weight", None, "is missing"),
        ("y_encoder.projector.bias", None, "is missing"),
        ("y_encoder.projector.bias", (3,), r"has shape \(3,\), the backbones' sizes ask for \(20,\)"),
        ("predictor.layers.0.self_attn.q_proj.bias", (32,), "has no place"),
        ("x_encoder.projector.weight", (32, 48), "has no place"),
        ("predictor.embed_tokens.weight", (12, 32), "is not that of .*llama"),
    ],
)
def test_other_keys_and_shapes_are_named(
    reference: Reference,
    folders: dict[str, str],
    tmp_path: Path,
    name: str,
    shape: tuple[int, ...] | None,
    message: str,
) -> None:
    state = {key: tensor for key, tensor in reference.state.items() if key != name}
    if shape is not None:
        state[name] = torch.zeros(shape)
    with pytest.raises(UserError, match=f"some.safetensors: .*'{name}' {message}"):
        import_with(state, tmp_path / "some.safetensors", folders)


def test_sources_that_are_none_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.pt").write_text("no tensors")
    torch.save([1], tmp_path / "list.pt")
    torch.save({"model_state_dict": Path("code/that/could/run")}, tmp_path / "pickle.pt")
    torch.save({"weights": [1]}, tmp_path / "other.pt")
    for source, message in [
        ("absent.pt", "file not found"),
        ("absent", "file not found"),
        (str(tmp_path), "holds no best.pt"),
        (str(tmp_path / "text.pt"), "neither a readable"),
        (str(tmp_path / "list.pt"), "holds a list"),
        (str(tmp_path / "pickle.pt"), "neither a readable"),
        (str(tmp_path / "other.pt"), "no checkpoint of open-vljepa"),
        ("nobody/open-vljepa", "checkpoint 'nobody/open-vljepa' is not in the Hugging Face cache"),
    ]:
        assert main(["import", "open-vljepa", source, str(tmp_path / "out")]) == 2
        error = capfd.readouterr().err
        assert message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
