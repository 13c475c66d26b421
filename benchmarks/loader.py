"""How many clips a second are decoded from 640x480 H.264 MP4: our loader beside plain loops of the same run.

`python benchmarks/loader.py` writes synthetic videos, decodes 8-frame clips of them and prints a table. Methods take
turns, so that a busy machine slows all alike; figures are medians over the rounds. decord is measured if installed.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
import torch
import tyro
from PIL import Image
from rich.console import Console
from rich.table import Table
from speed import training

from vljepa.data.clips import ClipLoader
from vljepa.data.mixture import ManifestSamples, Source
from vljepa.data.video import resize
from vljepa.model.vljepa import VLJEPA
from vljepa.provenance import processor
from vljepa.recipes import nano
from vljepa.types import Clip, Sample

NUM_FRAMES, SIZE = 8, 192
"""What nano reads of a clip."""
BATCH, AHEAD = 8, 2


def main(clips: int = 32, seconds: int = 10, fps: int = 30, rounds: int = 5, seed: int = 0) -> None:
    """Measure and print.

    Args:
        clips: videos written, and clips decoded by each method in a round.
        seconds: of each video; a clip is the whole of it.
        fps: of each video.
        rounds: how often each method is timed.
        seed: of pictures and order.
    """
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(Path(folder) / f"{i}.mp4", seconds, fps, seed + i) for i in range(clips)]
        methods: dict[str, Callable[[], float]] = {
            "our loader, 1 process": lambda: loaded(paths, 1, seed),
            "our loader, 2 processes": lambda: loaded(paths, 2, seed),
            "plain PyAV loop": lambda: looped(paths, plain_pyav),
        }
        try:
            import decord
        except ImportError:
            print("decord is not installed; left out")
        else:
            methods["decord, 1 thread"] = lambda: looped(paths, lambda path: with_decord(decord, path))
        rates: dict[str, list[float]] = {name: [] for name in methods}
        for _ in range(rounds):
            for name, method in methods.items():
                rates[name].append(method())
        megabytes = sum(path.stat().st_size for path in paths) / 1e6
    network = VLJEPA(nano().model)
    encoded(network)
    seen = [encoded(network) for _ in range(rounds)]
    step = next(figure for figure in training(network, seed, rounds) if figure.unit == "samples/s")

    table = Table("what", "median", "lowest", "highest", "unit")
    for name, found in rates.items():
        table.add_row(name, *(f"{rate:.1f}" for rate in (statistics.median(found), min(found), max(found))), "clips/s")
    table.add_row("nano's frozen X-Encoder, 2 threads, alone", f"{statistics.median(seen):.1f}", "", "", "clips/s")
    table.add_row(f"nano's {step.name}, 2 threads, alone", f"{step.value:.1f}", "", "", step.unit)
    both = 1 / (1 / statistics.median(seen) + 1 / step.value)
    table.add_row("  one after the other: what the loader is to stay ahead of", f"{both:.1f}", "", "", step.unit)
    console = Console(width=110)
    console.print(f"{processor()}; {clips} synthetic videos of 640x480, {seconds} s, {fps} Hz, {megabytes:.1f} MB")
    console.print(table)


def write(path: Path, seconds: int, fps: int, seed: int) -> Path:
    """A video of a coloured texture that drifts, with noise of its own in every frame."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (12, 16, 3), np.uint8))
    texture = np.asarray(coarse.resize((640, 480), Image.Resampling.BICUBIC)).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.options = {"preset": "veryfast"}
        for index in range(seconds * fps):
            noise = rng.integers(-14, 14, texture.shape, np.int16)
            pixels = (np.roll(texture, (index, 3 * index), (0, 1)) + noise).clip(0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def loaded(paths: list[Path], num_processes: int, seed: int) -> float:
    """Clips a second of the loader once it runs: the start of its processes is not counted."""
    samples = ManifestSamples(
        Sample(id=path.name, clip=Clip(media=(str(path),)), query="", targets=(path.name,)) for path in paths
    )
    source = Source(name="synthetic", samples=samples, weight=1.0, num_frames=NUM_FRAMES)
    loader = ClipLoader([source], BATCH, seed, size=SIZE, num_processes=num_processes)
    steps = max(1, len(paths) // BATCH)
    # From one batch to another with as many read ahead behind the last as behind the first.
    batches = loader.batches(0, 1 + steps + AHEAD, AHEAD)
    next(batches)
    began = time.perf_counter()
    for _ in islice(batches, steps):
        pass
    rate = steps * BATCH / (time.perf_counter() - began)
    batches.close()
    return rate


def looped(paths: list[Path], read: Callable[[Path], np.ndarray]) -> float:
    """Clips a second of one file after the other in this process."""
    began = time.perf_counter()
    for path in paths:
        assert read(path).shape == (NUM_FRAMES, SIZE, SIZE, 3)
    return len(paths) / (time.perf_counter() - began)


def encoded(network: VLJEPA) -> float:
    """Clips a second of the X-Encoder, which stands between decoding and a step on clips that are not cached."""
    frames = torch.zeros(BATCH, NUM_FRAMES, SIZE, SIZE, 3, dtype=torch.uint8)
    began = time.perf_counter()
    network.encode_frames(frames)
    return BATCH / (time.perf_counter() - began)


def plain_pyav(path: Path) -> np.ndarray:
    """What one writes without this project: decode every frame, keep those on show at the middles of equal spans."""

    def kept() -> Iterator[np.ndarray]:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            assert stream.duration is not None and stream.time_base is not None
            middles = (np.arange(NUM_FRAMES) + 0.5) / NUM_FRAMES * float(stream.duration * stream.time_base)
            shown: av.VideoFrame | None = None
            taken = 0
            for frame in container.decode(stream):
                while shown is not None and taken < NUM_FRAMES and middles[taken] < frame.time:
                    yield shown.to_ndarray(format="rgb24")
                    taken += 1
                if taken == NUM_FRAMES:
                    return
                shown = frame
            for _ in range(NUM_FRAMES - taken):
                assert shown is not None
                yield shown.to_ndarray(format="rgb24")

    return resize(np.stack(list(kept())), SIZE)


def with_decord(decord, path: Path) -> np.ndarray:  # type: ignore[no-untyped-def]
    """The same frames by number: the videos' rate is constant."""
    reader = decord.VideoReader(str(path), num_threads=1)
    middles = (np.arange(NUM_FRAMES) + 0.5) / NUM_FRAMES * len(reader)
    return resize(reader.get_batch(middles.astype(int)).asnumpy(), SIZE)


if __name__ == "__main__":
    tyro.cli(main)
