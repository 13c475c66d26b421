"""Tiny random models of others, written in the format of the hub."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPProcessor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
    SiglipProcessor,
)

WORDS = [
    *("<pad>", "<s>", "</s>", "<unk>", "<image>", "USER", "ASSISTANT", ":"),
    *("a", "the", "red", "green", "blue", "picture", "of", "what", "is", "shown", "yes", "no"),
]
VISION = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "patch_size": 8,
    "intermediate_size": 64,
    "image_size": 32,
}
TEXT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": len(WORDS),
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
CHAT = (
    "{{ bos_token }} {% for message in messages %}USER : {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }} {% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT :{% endif %}"
)


def tokenizer(max_length: int = 16, template: str = "<s> $A </s>") -> Any:
    """A word a token; special tokens, where they are asked for, as in ``template``."""
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.post_processor = processors.TemplateProcessing(single=template, special_tokens=[("<s>", 1), ("</s>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        additional_special_tokens=["<image>"],
        model_max_length=max_length,
    )


def write_clip(folder: Path) -> Path:
    torch.manual_seed(0)
    text = TEXT | {"max_position_embeddings": 16, "projection_dim": 24}
    CLIPModel(CLIPConfig(vision_config=VISION, text_config=text, projection_dim=24)).save_pretrained(folder)
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 36}, crop_size=32)
    CLIPProcessor(pictures, tokenizer()).save_pretrained(folder)
    return folder


def write_siglip(folder: Path) -> Path:
    torch.manual_seed(0)
    text = TEXT | {"max_position_embeddings": 12, "projection_size": 32}
    SiglipModel(SiglipConfig(vision_config=VISION, text_config=text)).save_pretrained(folder)
    SiglipProcessor(SiglipImageProcessorPil(size={"height": 32, "width": 32}), tokenizer(12)).save_pretrained(folder)
    return folder


def write_llava(folder: Path, chat: bool = True) -> Path:
    torch.manual_seed(0)
    config = LlavaConfig(
        vision_config={"model_type": "clip_vision_model", **VISION},
        text_config={"model_type": "llama", **TEXT, "num_key_value_heads": 1, "max_position_embeddings": 512},
        image_token_index=WORDS.index("<image>"),
        vision_feature_layer=-1,
    )
    model = LlavaForConditionalGeneration(config)
    # Large weights, that texts differ in what is said of them.
    for parameter in model.model.language_model.parameters():
        parameter.data.mul_(8 if parameter.ndim > 1 else 1)
    # A text of its own must hold no picture, for which there would be no pixels.
    model.generation_config.suppress_tokens = [WORDS.index("<image>")]
    model.save_pretrained(folder)
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32),
        tokenizer=tokenizer(512, "<s> $A"),
        patch_size=8,
        vision_feature_select_strategy="default",
        image_token="<image>",
        num_additional_image_tokens=1,
        chat_template=CHAT if chat else None,
    )
    processor.save_pretrained(folder)
    return folder
