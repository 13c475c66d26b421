"""Dual encoders of others give the embeddings that transformers' own calls give."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from peer_models import write_clip, write_siglip
from PIL import Image
from transformers import AutoModel, AutoProcessor

from vljepa.evaluation.peers.loading import peer_system
from vljepa.types import Clip


@pytest.fixture
def frames(tmp_path: Path) -> list[str]:
    """Three pictures of noise, each of another size."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for i, path in enumerate(paths):
        Image.fromarray(rng.integers(0, 256, (40 + i, 50, 3), np.uint8)).save(path)
    return [str(path) for path in paths]


@pytest.mark.parametrize("write", [write_clip, write_siglip])
def test_a_clip_is_the_mean_of_its_frames_and_a_text_as_the_model_was_trained(
    write: Callable[[Path], Path], tmp_path: Path, frames: list[str]
) -> None:
    folder = write(tmp_path / "peer")
    system = peer_system(str(folder))
    texts = ["a red picture", "what is shown", "a"]
    embedded = torch.as_tensor(system.embed_clips([Clip(media=tuple(frames)), Clip(media=(frames[0],))], ["", "what"]))
    of_texts = torch.as_tensor(system.encode_text(texts))

    model = AutoModel.from_pretrained(folder).eval()
    processor = AutoProcessor.from_pretrained(folder)
    with torch.inference_mode():
        # One call over frames and texts, as the models' pages show it.
        inputs = processor(
            images=[Image.open(path) for path in frames],
            text=texts,
            return_tensors="pt",
            padding="max_length" if write is write_siglip else True,
        )
        output = model(**inputs)
    each = torch.nn.functional.normalize(output.image_embeds, dim=-1)
    mean = torch.nn.functional.normalize(each.mean(dim=0), dim=-1)
    assert torch.allclose(embedded[0], mean, atol=1e-5)
    assert torch.allclose(embedded[1], each[0], atol=1e-5)
    assert torch.allclose(of_texts, torch.nn.functional.normalize(output.text_embeds, dim=-1), atol=1e-5)
    assert not torch.allclose(embedded[0], embedded[1], atol=1e-2), "the pictures are told apart"


def test_texts_longer_than_the_context_are_cut(tmp_path: Path) -> None:
    system = peer_system(str(write_clip(tmp_path / "peer")))
    longer, cut = system.encode_text([" ".join(["red"] * 40), " ".join(["red"] * 14)])
    assert torch.allclose(torch.as_tensor(longer), torch.as_tensor(cut), atol=1e-6)
