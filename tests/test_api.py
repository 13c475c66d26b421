"""The facade on an untrained model: its values mean nothing, its shapes, orders and errors do."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vljepa.api import Model, load
from vljepa.config import ModelConfig
from vljepa.errors import UserError
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer


@pytest.fixture(scope="module")
def network(tiny_config: ModelConfig) -> VLJEPA:
    torch.manual_seed(0)
    return VLJEPA(tiny_config, train_tokenizer(["a red cube", "a blue ball"], 300))


@pytest.fixture(scope="module")
def model(network: VLJEPA) -> Model:
    return Model(network)


@pytest.fixture(scope="module")
def video() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (16, 48, 60, 3), dtype=np.uint8)


def test_classify_ranks_every_label_by_cosine(model: Model, video: np.ndarray) -> None:
    labels = ["a red cube", "a blue ball", "rain"]
    ranked = model.classify(video, labels, query="What is it?")
    cosines = model.encode_text(labels) @ model.encode_video([video], query="What is it?")[0]
    assert [s.text for s in ranked] == [labels[i] for i in cosines.argsort(descending=True)]
    assert [s.score for s in ranked] == pytest.approx(cosines.sort(descending=True).values.tolist(), abs=1e-5)


def test_ask_ranks_choices_or_writes_text(model: Model, video: np.ndarray) -> None:
    assert {s.text for s in model.ask(video, "How many?", choices=["1", "2"])} == {"1", "2"}
    (written,) = model.ask(video, "How many?")
    assert -1.001 <= written.score <= 1.001
    assert isinstance(model.caption(video), str)


def test_path_and_array_of_an_image_agree(model: Model, video: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(video[0]).save(tmp_path / "frame.png")
    both = model.encode_video([str(tmp_path / "frame.png"), video[:1]])
    assert both.shape == (2, 384)
    torch.testing.assert_close(both[0], both[1])
    torch.testing.assert_close(both.norm(dim=1), torch.ones(2))


def test_frames_taken_once_are_taken_again_as_they_are(model: Model, video: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(video[0]).save(tmp_path / "frame.png")
    for source in (video, tmp_path / "frame.png"):
        frames = model.frames(source)
        assert torch.equal(model.frames(frames), frames)


def test_stream_sees_each_frame_once_and_ends_on_the_clip_embedding(model: Model, video: np.ndarray) -> None:
    # 16 frames at 8 Hz are seen at 4 Hz: every other one, and the last window holds all eight.
    instants = list(model.embed_stream(video, fps=8.0))
    assert [time for time, _ in instants] == [i / 4 for i in range(8)]
    torch.testing.assert_close(instants[-1][1], model.encode_video([video[::2]])[0], atol=1e-4, rtol=0)


def test_whole_stream_at_once_agrees_with_instant_by_instant(model: Model, video: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    first, *others = [Image.fromarray(frame) for frame in np.concatenate([video, video[::-1]])]
    first.save(path, save_all=True, append_images=others, duration=125)
    times, embeddings = model.encode_stream(path, query="What now?")
    instants = list(model.embed_stream(path, query="What now?"))
    assert times == [time for time, _ in instants] == [i / 4 for i in range(16)]
    torch.testing.assert_close(embeddings, torch.stack([row for _, row in instants]), atol=1e-5, rtol=0)


def test_stream_gives_events_in_order_that_cover_it(model: Model, video: np.ndarray) -> None:
    found = list(model.stream(iter(video), fps=8.0, labels=["a red cube", "a blue ball"]))
    assert found[0].start == 0.0 and found[-1].end == 1.75
    assert all(a.end == b.start for a, b in itertools.pairwise(found))


def test_mistakes_are_user_errors(model: Model, video: np.ndarray) -> None:
    with pytest.raises(UserError, match="fps"):
        model.stream(video, labels=["a"])
    with pytest.raises(UserError, match="fps"):
        model.stream(video, labels=["a"], fps=float("nan"))
    with pytest.raises(UserError, match="question: is empty"):
        model.ask(video, " ")
    with pytest.raises(UserError, match="uint8"):
        model.caption(video.astype(np.float32))
    with pytest.raises(UserError, match="labels"):
        model.classify(video, ["a", "a"])
    with pytest.raises(UserError, match="no checkpoint"):
        load("no/such/folder")


def test_saved_checkpoint_is_loaded_alike(network: VLJEPA, model: Model, video: np.ndarray, tmp_path: Path) -> None:
    network.save(tmp_path, card="A test.", dtype="float32")
    torch.testing.assert_close(load(tmp_path).encode_video([video]), model.encode_video([video]))


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, vljepa; assert 'torch' not in sys.modules; assert callable(vljepa.load)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=50)
