"""An image-text-to-text model's likelihoods and texts against the plain computation, a token at a time, no cache."""

from pathlib import Path

import numpy as np
import pytest
import torch
from peer_models import WORDS, write_llava
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from vljepa.evaluation.peers import vlm
from vljepa.evaluation.peers.loading import peer_system
from vljepa.types import Clip

CANDIDATES = ["red", "a green picture", "yes", "the blue picture of a red picture", "no"]


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{colour}.png" for colour in ("red", "blue")]
    for path, colour in zip(paths, [(200, 0, 0), (0, 0, 200)], strict=True):
        Image.new("RGB", (32, 32), colour).save(path)
    return [str(path) for path in paths]


def plain_scores(folder: Path, prompt: str, pictures: list[str], candidates: list[str], lead: str) -> list[float]:
    """Mean log-probability of each candidate's tokens and the end, from one forward pass over all of the text."""
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    processor = AutoProcessor.from_pretrained(folder)
    inputs = processor(images=[[Image.open(p) for p in pictures]], text=[prompt], return_tensors="pt")
    assert inputs.input_ids[0].tolist().count(1) == 1, "one begin token"
    scores = []
    for candidate in candidates:
        tokens = [*processor.tokenizer(lead + candidate, add_special_tokens=False).input_ids, 2]
        values = []
        said = inputs.input_ids
        for token in tokens:
            with torch.inference_mode():
                logits = model(
                    input_ids=said,
                    attention_mask=torch.ones_like(said),
                    pixel_values=inputs.pixel_values,
                    use_cache=False,
                ).logits
            values.append(float(logits[0, -1].log_softmax(dim=-1)[token]))
            said = torch.cat((said, torch.tensor([[token]])), dim=1)
        scores.append(sum(values) / len(values))
    return scores


@pytest.mark.parametrize("at_once", [32, 2])
def test_candidates_score_as_in_one_pass_without_cache(
    tmp_path: Path, pictures: list[str], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vlm, "_AT_ONCE", at_once)
    folder = write_llava(tmp_path / "peer")
    system = peer_system(str(folder))
    assert system.rank_candidates is not None
    both, one = system.rank_candidates(
        [Clip(media=tuple(pictures)), Clip(media=(pictures[1],))], ["what is shown", ""], [CANDIDATES, CANDIDATES[:2]]
    )
    prompt = "USER : <image> <image> what is shown ASSISTANT :"
    assert both == pytest.approx(plain_scores(folder, prompt, pictures, CANDIDATES, ""), abs=1e-4)
    prompt = "USER : <image> ASSISTANT :"
    assert one == pytest.approx(plain_scores(folder, prompt, pictures[1:], CANDIDATES[:2], ""), abs=1e-4)
    assert np.ptp(both) > 0.05, "the candidates are told apart"


def test_a_model_without_a_chat_template_reads_the_query_below_its_pictures(
    tmp_path: Path, pictures: list[str]
) -> None:
    folder = write_llava(tmp_path / "peer", chat=False)
    system = peer_system(str(folder))
    assert system.rank_candidates is not None
    (scores,) = system.rank_candidates([Clip(media=tuple(pictures))], ["what is shown"], [CANDIDATES])
    expected = plain_scores(folder, "<image><image>\nwhat is shown", pictures, CANDIDATES, " ")
    assert scores == pytest.approx(expected, abs=1e-4)


def test_a_caption_is_the_greedy_continuation(tmp_path: Path, pictures: list[str]) -> None:
    folder = write_llava(tmp_path / "peer")
    system = peer_system(str(folder))
    assert system.caption_clips is not None
    (caption,) = system.caption_clips([Clip(media=(pictures[0],))], ["what is shown"])

    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    processor = AutoProcessor.from_pretrained(folder)
    prompt = "USER : <image> what is shown ASSISTANT :"
    inputs = processor(images=[Image.open(pictures[0])], text=prompt, return_tensors="pt")
    said = inputs.input_ids
    while said.shape[1] < inputs.input_ids.shape[1] + 64 and said[0, -1] != 2:
        with torch.inference_mode():
            logits = model(input_ids=said, pixel_values=inputs.pixel_values, use_cache=False).logits
            logits[..., WORDS.index("<image>")] = -torch.inf
        said = torch.cat((said, logits[:, -1:].argmax(dim=-1)), dim=1)
    expected = processor.tokenizer.decode(said[0, inputs.input_ids.shape[1] :], skip_special_tokens=True)
    assert caption == expected.strip() and caption
