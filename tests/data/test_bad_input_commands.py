"""Bad and odd files through the commands: one line for a mistake, the right pixels for what is only unusual."""

import functools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from media import grey, turn_clockwise, write_audio, write_video
from PIL import Image
from safetensors.torch import load_file, save_file

from vljepa import api
from vljepa.cli import main
from vljepa.errors import UserError
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.recipes import RECIPES

LABELS = ["a red cube", "a blue ball"]
COMMANDS = {
    "caption": lambda path, model: ["caption", path, "--model", model],
    "ask": lambda path, model: ["ask", path, "How many?", "--choices", "1", "2", "--model", model],
    "classify": lambda path, model: ["classify", path, *LABELS, "--model", model],
    "stream": lambda path, model: ["stream", path, "--labels", *LABELS, "--model", model, "--json"],
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An untrained toy model."""
    torch.manual_seed(0)
    model = VLJEPA(RECIPES["tiny"]().model, train_tokenizer(LABELS, 300))
    model.familiarity.fit(torch.randn(9, model.x_encoder.token_dim), torch.randn(4, model.x_encoder.token_dim))
    folder = tmp_path_factory.mktemp("toy") / "model"
    model.save(folder, card="A toy.")
    return str(folder)


@pytest.fixture(scope="module")
def load() -> Callable[[str], api.Model]:
    return functools.cache(api.load)


@pytest.fixture
def loaded(checkpoint: str, load: Callable[[str], api.Model], monkeypatch: pytest.MonkeyPatch) -> str:
    """The toy model, which the commands of this module load only once."""
    monkeypatch.setattr(api, "load", load)
    return checkpoint


class Command:
    """Runs a command in this process; reads what it and FFmpeg, which knows no ``sys.stderr``, have written."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self.capfd = capfd

    def refused(self, *args: str, tells_some: bool = False) -> str:
        """The one line of a command that ends with 2, having told nothing, or some events of a stream."""
        assert main(list(args)) == 2
        out, error = self.capfd.readouterr()
        assert error.startswith("vljepa: ") and error.endswith("\n") and error.count("\n") == 1, error
        assert bool(out) == tells_some
        return error.removeprefix("vljepa: ").rstrip("\n")

    def done(self, *args: str) -> str:
        """The output of a command that succeeds without a word on stderr."""
        assert main(list(args)) == 0
        out, error = self.capfd.readouterr()
        assert error == ""
        return out


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(capfd)


def noise(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(count)]


def cut(path: Path) -> Path:
    os.truncate(path, path.stat().st_size // 2)
    return path


def touched(path: Path) -> Path:
    path.touch()
    return path


def written(path: Path) -> Path:
    path.write_text("Dear diary, today nothing moved.\n" * 20)
    return path


def pixel(path: Path) -> Path:
    Image.new("RGB", (1, 1)).save(path)
    return path


def picture(path: Path) -> Path:
    Image.fromarray(noise(1)[0]).save(path)
    return path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda folder: folder / "none.mp4", "No such file"),
    "folder": (lambda folder: folder, "is not a file"),
    "zero bytes": (lambda folder: touched(folder / "a.mp4"), "is empty"),
    "zero bytes, picture": (lambda folder: touched(folder / "a.png"), "is empty"),
    "text": (lambda folder: written(folder / "a.mp4"), "is not a readable video"),
    "truncated": (lambda folder: cut(write_video(folder / "a.mp4", noise(40))), "is not a readable video"),
    "truncated, header first": (
        lambda folder: cut(write_video(folder / "a.mp4", noise(40), faststart=True)),
        "cut short|breaks off",
    ),
    "truncated picture": (lambda folder: cut(picture(folder / "a.png")), "broken"),
    "audio only": (lambda folder: write_audio(folder / "a.mp4"), "no video stream"),
    "one pixel": (lambda folder: pixel(folder / "a.png"), "1x1 pixels is too small"),
    "one pixel, video": (
        lambda folder: write_video(folder / "a.mkv", grey([0], 1, 1), codec="ffv1", pix_fmt="bgr0"),
        "1x1 pixels is too small",
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("bad", BAD)
def test_bad_file_is_one_line(command: Command, loaded: str, tmp_path: Path, bad: str, name: str) -> None:
    make, expected = BAD[bad]
    path = make(tmp_path)
    # A stream tells what there was before it broke off.
    tells_some = name == "stream" and bad == "truncated, header first"
    line = command.refused(*COMMANDS[name](str(path), loaded), tells_some=tells_some)
    assert line.startswith(f"{path}: ")
    assert any(part in line for part in expected.split("|"))


@pytest.mark.parametrize("bad", BAD)
def test_bad_file_is_a_user_error_of_the_interface(loaded: str, tmp_path: Path, bad: str) -> None:
    path = BAD[bad][0](tmp_path)
    model = api.load(loaded)
    calls: list[Callable[[], object]] = [
        lambda: model.caption(path),
        lambda: model.ask(path, "How many?", choices=["1", "2"]),
        lambda: model.classify(path, LABELS),
        lambda: model.encode_video([path]),
        lambda: model.familiarity(path),
        lambda: list(model.stream(path, labels=LABELS)),
    ]
    for call in calls:
        with pytest.raises(UserError) as caught:
            call()
        assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["classify", "PATH"], "labels: the list is empty"),
        (["classify", "PATH", "rain", " "], "labels: number 2 is empty"),
        (["classify", "PATH", "rain", "rain"], "labels: 'rain' is given 2 times"),
        (["ask", "PATH", "What?", "--choices", "", "x"], "choices: number 1 is empty"),
        (["ask", "PATH", "What?", "--choices", "x", "x"], "choices: 'x' is given 2 times"),
        (["ask", "PATH", " "], "question: is empty"),
        (["stream", "PATH", "--labels", "x", "x"], "labels: 'x' is given 2 times"),
        (["stream", "PATH", "--labels", "x", ""], "labels: number 2 is empty"),
    ],
)
def test_bad_texts_are_one_line(command: Command, loaded: str, tmp_path: Path, args: list[str], expected: str) -> None:
    path = str(picture(tmp_path / "a.png"))
    args = [path if arg == "PATH" else arg for arg in args]
    assert command.refused(*args, "--model", loaded).startswith(expected)


@pytest.mark.parametrize("name", COMMANDS)
def test_damaged_checkpoint_is_one_line(command: Command, checkpoint: str, tmp_path: Path, name: str) -> None:
    path = str(picture(tmp_path / "a.png"))
    folder = Path(shutil.copytree(checkpoint, tmp_path / "model"))
    weights = folder / "model.safetensors"
    state = load_file(weights)
    lost = state.pop("y_encoder.head.weight")
    save_file(state, weights)
    line = command.refused(*COMMANDS[name](path, str(folder)))
    assert line.startswith(f"{weights}: tensor 'y_encoder.head.weight' is missing")
    save_file({**state, "y_encoder.head.weight": lost, "stranger": torch.zeros(2)}, weights)
    assert command.refused(*COMMANDS[name](path, str(folder))).startswith(f"{weights}: foreign tensor 'stranger'")
    assert "no checkpoint" in command.refused(*COMMANDS[name](path, str(tmp_path / "none")))


def quadrants(height: int, width: int) -> np.ndarray:
    """Red, green / blue, white."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    return pixels


def rotated(path: Path) -> Path:
    write_video(path, [quadrants(64, 64)] * 4)
    turn_clockwise(path)
    return path


def with_alpha(path: Path) -> Path:
    """The white quadrant is left to the background, over black that must not show."""
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = quadrants(64, 64), 255
    pixels[32:, 32:] = 0
    Image.fromarray(pixels).save(path)
    return path


def cmyk(path: Path) -> Path:
    Image.fromarray(quadrants(64, 64)).convert("CMYK").save(path, quality=100)
    return path


def animation(path: Path) -> Path:
    pictures = [Image.fromarray(quadrants(64, 64)) for _ in range(3)]
    pictures[1].putpixel((0, 0), (0, 0, 0))  # equal frames would be joined
    options = {"lossless": True} if path.suffix == ".webp" else {}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=300, **options)
    return path


UPRIGHT = ["red", "green", "blue", "white"]
ODD: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "rotation": (lambda folder: rotated(folder / "a.mp4"), ["blue", "red", "white", "green"]),
    "variable rate": (
        lambda folder: write_video(folder / "a.mp4", [quadrants(64, 64)] * 4, times_ms=[0, 1000, 1100, 1900]),
        UPRIGHT,
    ),
    "4:4:4": (lambda folder: write_video(folder / "a.mp4", [quadrants(64, 64)] * 4, pix_fmt="yuv444p"), UPRIGHT),
    "10 bit": (lambda folder: write_video(folder / "a.mp4", [quadrants(64, 64)] * 4, pix_fmt="yuv420p10le"), UPRIGHT),
    "odd size": (lambda folder: write_video(folder / "a.mp4", [quadrants(51, 77)] * 4, pix_fmt="yuv444p"), UPRIGHT),
    "one frame": (lambda folder: write_video(folder / "a.mp4", [quadrants(64, 64)]), UPRIGHT),
    "alpha": (lambda folder: with_alpha(folder / "a.png"), UPRIGHT),
    "CMYK": (lambda folder: cmyk(folder / "a.jpg"), UPRIGHT),
    "GIF": (lambda folder: animation(folder / "a.gif"), UPRIGHT),
    "WebP": (lambda folder: animation(folder / "a.webp"), UPRIGHT),
    "wrong suffix": (lambda folder: animation(folder / "a.gif").rename(folder / "a.mp4"), UPRIGHT),
    "other letters": (lambda folder: picture_of(folder / "Vidéo 漢字 #1.png"), UPRIGHT),
}


def picture_of(path: Path) -> Path:
    Image.fromarray(quadrants(64, 64)).save(path)
    return path


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[np.ndarray]]:
    """Frames (S, S, 3) that reach the X-Encoder."""
    frames: list[np.ndarray] = []
    encode = VLJEPA.encode_frames

    def watch(self: VLJEPA, batch: torch.Tensor) -> torch.Tensor:
        frames.extend(batch.flatten(0, 1).numpy())
        return encode(self, batch)

    monkeypatch.setattr(VLJEPA, "encode_frames", watch)
    yield frames


@pytest.mark.parametrize("name", ["caption", "stream"])
@pytest.mark.parametrize("odd", ODD)
def test_odd_file_reaches_the_model_as_it_looks(
    command: Command, loaded: str, seen: list[np.ndarray], tmp_path: Path, odd: str, name: str
) -> None:
    make, expected = ODD[odd]
    command.done(*COMMANDS[name](str(make(tmp_path)), loaded))
    colours = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
    assert seen
    for frame in seen:
        quarter = len(frame) // 4
        at = [(quarter, quarter), (quarter, -quarter), (-quarter, quarter), (-quarter, -quarter)]
        for (y, x), colour in zip(at, expected, strict=True):
            assert np.abs(frame[y, x].astype(int) - colours[colour]).max() <= 12, (odd, colour, frame[y, x])


def benchmark(folder: Path, *lines: str) -> Path:
    """A classification benchmark with these items; a good picture ``good.png`` lies in it."""
    folder.mkdir(parents=True)
    picture(folder / "good.png")
    (folder / "benchmark.json").write_text(json.dumps({"name": "toy", "task": "classification", "classes": LABELS}))
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def item(**fields: object) -> str:
    return json.dumps({"id": "x", "media": "good.png", "label": LABELS[0]} | fields)


def test_eval_goes_on_past_bad_items_and_counts_them(
    capfd: pytest.CaptureFixture[str], loaded: str, tmp_path: Path
) -> None:
    written(tmp_path / "a.mp4")
    bad = [
        "not JSON",
        json.dumps({"id": "no label", "media": "good.png"}),
        item(id="reversed", start=2, end=1),
        item(id="outside", media="../../../secret.png"),
        item(id="stranger", label="a label of another benchmark"),
        item(id="missing", media="none.mp4"),
        item(id="text", media="../../a.mp4"),
        item(id="NaN", start=float("nan")),
    ]
    folder = benchmark(tmp_path / "test" / "toy", item(), *bad, item(id="y"))
    assert main(["eval", loaded, str(folder), "--out", str(tmp_path / "out"), "--json"]) == 0
    out, error = capfd.readouterr()
    (result,) = json.loads(out)["results"]
    assert result["count"] == 2
    assert len(result["left_out"]) == len(bad)
    assert all(str(tmp_path) in line for line in result["left_out"])
    assert "vljepa:" not in error


def test_eval_of_bad_items_alone_is_one_line(capfd: pytest.CaptureFixture[str], loaded: str, tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "test" / "toy", item(media="none.mp4"))
    assert main(["eval", loaded, str(folder), "--out", str(tmp_path / "out")]) != 0
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("vljepa:")]
    assert len(lines) == 1
    assert "none.mp4" in lines[0]
