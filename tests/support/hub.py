"""Backbones as the hub has them, tiny and random."""

import json
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    Gemma3TextConfig,
    Gemma3TextModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3Model,
    VJEPA2Config,
    VJEPA2Model,
)

WORDS = [
    "<pad>",
    "<bos>",
    "<eos>",
    "<unk>",
    "a",
    "red",
    "cube",
    "the",
    "ball",
    "rolls",
    "task",
    ":",
    "query",
    "|",
    "how",
]
SIZES = {
    "vocab_size": 32,
    "hidden_size": 24,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
}


def write_gemma(folder: Path) -> SentenceTransformer:
    """As EmbeddingGemma: sees both ways, [BOS] and [EOS], mean, two linear layers, prompts."""
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        use_bidirectional_attention=True,
        sliding_window=8,
        max_position_embeddings=128,
        query_pre_attn_scalar=16,
        **SIZES,
    )
    Gemma3TextModel(config).save_pretrained(folder)
    _tokenizer("<bos> $A <eos>").save_pretrained(folder)
    dense = [
        modules.Dense(before, after, bias=False, activation_function=torch.nn.Identity())
        for before, after in ((24, 40), (40, 20))
    ]
    prompts = {"STS": "task : rolls | query : ", "document": "the "}
    return _save(folder, "mean", dense, prompts)


def write_qwen(folder: Path) -> SentenceTransformer:
    """As Qwen3-Embedding: causal, an end token by its tokenizer, which is the embedding."""
    torch.manual_seed(0)
    Qwen3Model(Qwen3Config(max_position_embeddings=128, **SIZES)).save_pretrained(folder)
    _tokenizer("$A <eos>").save_pretrained(folder)
    return _save(folder, "lasttoken", [], {"query": "task : ", "document": ""})


def _tokenizer(template: str) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = [(word, WORDS.index(word)) for word in ("<bos>", "<eos>")]
    tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=special)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>", unk_token="<unk>"
    )


def _save(folder: Path, pooling: str, dense: list[modules.Dense], prompts: dict[str, str]) -> SentenceTransformer:
    transformer = modules.Transformer(str(folder))
    parts = [transformer, modules.Pooling(24, pooling_mode=pooling), *dense, modules.Normalize()]
    model = SentenceTransformer(modules=parts, prompts=prompts, device="cpu")
    model.save_pretrained(str(folder))
    # The published folders are older, and name the way of pooling so.
    names = {"mean": "pooling_mode_mean_tokens", "lasttoken": "pooling_mode_lasttoken"}
    old = {"word_embedding_dimension": 24, "include_prompt": True} | {name: k == pooling for k, name in names.items()}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(old))
    return model


def write_vjepa2(folder: Path, size: int) -> None:
    """As V-JEPA 2: tubelets of two frames, patches of 16 pixels, 48 wide."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 48, "num_attention_heads": 2, "num_hidden_layers": 1}
    predictor = {f"pred_{name}": value for name, value in sizes.items()}
    VJEPA2Model(VJEPA2Config(crop_size=size, frames_per_clip=8, **sizes, **predictor)).save_pretrained(folder)
    colours = {"size": size, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "video_preprocessor_config.json").write_text(json.dumps(colours))


def write_llama(folder: Path, *, tied: bool = False) -> None:
    """As a Llama of three layers, 16 wide, that knows two words; ``tied`` writes with the table it reads."""
    torch.manual_seed(0)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=7,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=3,
            num_attention_heads=2,
            rms_norm_eps=1e-5,
            tie_word_embeddings=tied,
        )
    ).save_pretrained(folder)
    Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a")).save(str(folder / "tokenizer.json"))
