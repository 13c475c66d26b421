"""Features computed once give what the model computes anew, for clips and for streams."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vljepa.api import Model
from vljepa.errors import UserError
from vljepa.evaluation.features import Features
from vljepa.evaluation.systems import full_windows, model_system, with_training_texts
from vljepa.model.vljepa import VLJEPA
from vljepa.types import Clip


@pytest.fixture
def media(tmp_path: Path) -> dict[str, Clip]:
    """An image, a pair of images, an animation of two seconds, and a file that is none."""
    pictures = np.random.default_rng(0).integers(0, 256, (16, 40, 40, 3), dtype=np.uint8)
    frames = [Image.fromarray(picture) for picture in pictures]
    for name, frame in (("a", frames[0]), ("b", frames[1])):
        frame.save(tmp_path / f"{name}.png")
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:], duration=125)
    (tmp_path / "broken.png").write_text("no picture")
    a, b, moving, broken = (str(tmp_path / f"{name}.png") for name in ("a", "b", "moving", "broken"))
    return {
        "image": Clip(media=(a,)),
        "pair": Clip(media=(a, b)),
        "video": Clip(media=(moving,), start=0.5, end=1.5),
        "whole": Clip(media=(moving,)),
        "broken": Clip(media=(broken,)),
    }


def test_embeddings_are_those_of_the_model(model: Model, media: dict[str, Clip], tmp_path: Path) -> None:
    clips = [media[name] for name in ("video", "image", "pair", "image", "whole")]
    queries = ["What?", "What?", "Which?", "", "What?"]
    told: list[tuple[int, int]] = []
    features = Features(model, tmp_path / "features")
    features.prepare([*clips, media["broken"]], lambda done, total: told.append((done, total)))
    assert told[-1] == (4, 4) and told == sorted(told)
    embedded = model_system(model, features, name="it").embed_clips(clips, queries)
    # The cache keeps float16.
    torch.testing.assert_close(embedded, model.encode_clips(clips, queries), atol=2e-3, rtol=0)


def test_each_clip_is_encoded_once_and_found_by_the_next_run(
    model: Model, media: dict[str, Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = 0
    encode = VLJEPA.encode_frames

    def counting(self: VLJEPA, frames: torch.Tensor) -> torch.Tensor:
        nonlocal seen
        seen += frames.shape[:2].numel()
        return encode(self, frames)

    monkeypatch.setattr(VLJEPA, "encode_frames", counting)
    clips = [media["video"], media["image"]]
    for _ in range(2):
        features = Features(model, tmp_path / "features")
        features.tokens(clips)
        features.tokens(clips[::-1])
        features.stream(media["whole"].media[0], 4.0)
    # Four frames of the clip, one of the image, and eight of the stream of two seconds.
    assert seen == 4 + 1 + 8


def test_broken_clip_is_refused_with_its_reason(model: Model, media: dict[str, Clip], tmp_path: Path) -> None:
    features = Features(model, tmp_path / "features")
    with pytest.raises(UserError, match=r"broken\.png"):
        features.tokens([media["image"], media["broken"]])
    with pytest.raises(UserError, match="absent"):
        features.stream(str(tmp_path / "absent.mp4"), 4.0)


def test_stream_is_embedded_as_online_and_dated_at_the_middle_of_its_windows(
    model: Model, media: dict[str, Clip], tmp_path: Path
) -> None:
    system = model_system(model, Features(model, tmp_path / "features"), name="it")
    assert system.embed_stream is not None
    path = media["whole"].media[0]
    times, rows = system.embed_stream(path, 4.0, "What now?")
    online = list(model.embed_stream(path, rate_hz=4.0, query="What now?"))
    # Windows of four frames: the first whole one ends at 0.75 s.
    assert times == [0.375 + i / 4 for i in range(5)]
    torch.testing.assert_close(rows, torch.stack([row for _, row in online[3:]]), atol=2e-3, rtol=0)


def test_stream_shorter_than_a_window_is_kept() -> None:
    times, rows = full_windows([0.0, 0.25], torch.eye(2), 8)
    assert times == [0.125] and rows.tolist() == [[0.0, 1.0]]


def test_training_texts_stand_in_for_a_decoder(model: Model, tmp_path: Path) -> None:
    system = model_system(model, Features(model, tmp_path), name="it")
    assert system.decode is None and "no Y-Decoder" in system.lacks("caption")
    texts = [f"text number {i}" for i in range(5)]
    spoken = with_training_texts(system, texts)
    assert spoken.decode is not None and not spoken.lacks("caption") and spoken.name == "it"
    assert spoken.decode(model.encode_text(texts[::-1])) == texts[::-1]
