"""Whether a stream keeps up, and whether it can run for ever.

    python benchmarks/stream.py                  # real time: a 30 fps 640x480 H.264 file of 60 s
    python benchmarks/stream.py --soak 24        # 24 hours of stream at 2 Hz, as fast as it can

Both go through what ``vljepa stream --out`` goes through: source, window, model, watch, files. The soak repeats a
file's frames from disk and prints resident memory as it goes. With --embeddings the X-Encoder and the predictor are
left out: each instant's embedding is then one of those of the file's own windows, computed once.
"""

import itertools
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import torch
import tyro
from torch import Tensor

from vljepa.api import CAPTION_QUERY, Model, load
from vljepa.data.source import open_source
from vljepa.data.video import iter_frames
from vljepa.errors import UserError
from vljepa.model.window import SlidingWindow, StreamStats
from vljepa.tabletop import suite
from vljepa.tasks.event_files import EventFiles
from vljepa.types import Event

Embed = Callable[[int, np.ndarray], Tensor]
"""The number of an instant and its frame to the predicted embedding (E,)."""

SOAK_RATE_HZ = 2.0
SAMPLES = 48
"""How often a soak's memory is looked at."""
WARM_UP = 0.1
"""Share of a soak before its memory counts: caches and allocators fill first."""


def main(
    soak: float | None = None,
    embeddings: bool = False,
    rate: float = 8.0,
    seconds: int = 60,
    threads: int = 2,
    seed: int = 0,
    model: str = "nano",
    out: Path = Path("out/stream.json"),
) -> None:
    """Measure and print.

    Args:
        soak: hours of stream at 2 Hz; without it, real time is measured.
        embeddings: in a soak, leave out the X-Encoder and the predictor.
        rate: windows a second asked for in real time.
        seconds: length of the real-time file.
        threads: of PyTorch.
        seed: of the frames.
        model: name of a shipped model, or a checkpoint folder.
        out: JSON file of the figures.
    """
    torch.set_num_threads(threads)
    loaded = load(model)
    with tempfile.TemporaryDirectory() as folder:
        if soak is None:
            found = real_time(loaded, Path(folder), rate, seconds, seed)
        else:
            found = run_soak(loaded, Path(folder), soak, embeddings, seed)
    found = {"model": model, "threads": threads, "seed": seed, "machine": platform.platform(), **found}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n")
    for name, value in found.items():
        print(f"{name}: {value}")


def real_time(model: Model, folder: Path, rate_hz: float, seconds: int, seed: int) -> dict[str, object]:
    """A file is read faster than it plays, or it is not: the figure is windows a second."""
    path = _camera_file(folder / "camera.mp4", seconds, seed)
    size = model.network.config.x_encoder.frame_size
    # What a first call builds is not the stream's.
    list(itertools.islice(model.embed_stream(path, rate_hz=rate_hz), 4))
    stats = StreamStats()
    watch = model.watch(stats=stats)
    began = time.perf_counter()
    with open_source(path, rate_hz=rate_hz, size=size) as source, EventFiles(folder / "out") as files:
        for now, embedding in model.embed_frames(source, stats=stats):
            for record in watch.push(now, embedding):
                files.write(record)
        for record in watch.finish():
            files.write(record)
    took = time.perf_counter() - began
    parts = {
        "decode": source.counts.seconds,
        "encode": stats.encode,
        "predict": stats.predict,
        "text": stats.text,
    }
    return {
        "file": f"H.264 640x480, 30 fps, {seconds} s, synthetic",
        "windows": stats.windows,
        "seconds": took,
        "windows_per_second": stats.windows / took,
        "frames_per_second_decoded": 30 * seconds / took,
        "times_real_time": seconds / took,
        "decodings": watch.decoder.num_decodings,
        "ms_per_window": {name: 1000 * spent / stats.windows for name, spent in parts.items()},
        "share_of_time": {
            **{name: spent / took for name, spent in parts.items()},
            "rest": 1 - sum(parts.values()) / took,
        },
    }


def run_soak(model: Model, folder: Path, hours: float, from_embeddings: bool, seed: int) -> dict[str, object]:
    """Memory over a long stream, and its events: each written once, each beginning where the one before ended."""
    suite.write(folder / "data", "tiny", seed=seed, workers=1)
    path = max((folder / "data").glob("**/*.mp4"), key=lambda file: file.stat().st_size)
    size = model.network.config.x_encoder.frame_size
    total = round(hours * 3600 * SOAK_RATE_HZ)
    source = open_source(
        itertools.islice(_repeated(path, size), total), rate_hz=SOAK_RATE_HZ, size=size, fps=SOAK_RATE_HZ
    )
    watch = model.watch()
    embed = _known(model, path) if from_embeddings else _seen(model)
    told, memory = 0, []
    began = time.perf_counter()
    with source, EventFiles(folder / "out") as files:

        def write(records: list) -> None:
            nonlocal told
            for record in records:
                files.write(record)
                told += isinstance(record, Event)

        for index, (now, frame) in enumerate(source):
            write(watch.push(now, embed(index, frame)))
            if index % max(1, total // SAMPLES) == 0 or index == total - 1:
                memory.append((now, _resident()))
                print(f"{now / 3600:7.2f} h  {memory[-1][1]:8.1f} MB  {told} events", flush=True)
        write(watch.finish())
    lines = [json.loads(line) for line in (folder / "out" / "events.jsonl").read_text().splitlines()]
    warm = [mb for now, mb in memory if now >= WARM_UP * hours * 3600]
    spans = [(line["start"], line["end"]) for line in lines]
    cues = [(folder / "out" / f"events.{suffix}").read_text().count(" --> ") for suffix in ("srt", "vtt")]
    return {
        "stream": f"{hours} h at {SOAK_RATE_HZ} Hz: {total} frames of {path.name}, repeated from disk",
        "left_out": "X-Encoder and predictor (--embeddings)" if from_embeddings else "nothing",
        "seconds": time.perf_counter() - began,
        "frames": source.counts.frames,
        "memory_mb_after_warm_up": [min(warm), max(warm)],
        "memory_spread": (max(warm) - min(warm)) / min(warm),
        "memory_mb": memory,
        "events_told": told,
        "events_written": len(lines),
        "cues_with_text": cues,
        "contiguous": spans[0][0] == 0.0
        and spans[-1][1] == (total - 1) / SOAK_RATE_HZ
        and all(a[1] == b[0] for a, b in itertools.pairwise(spans)),
    }


def _camera_file(path: Path, seconds: int, seed: int) -> Path:
    """Coloured squares that jump every few seconds over a moving, noisy ground, as costly to decode as a camera's."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 120, (480, 1280, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for index in range(30 * seconds):
            if index % 100 == 0:
                colour, (x, y) = rng.integers(0, 255, 3), rng.integers(0, 380, 2)
            pixels = ground[:, index % 640 : index % 640 + 640].copy()
            pixels[y : y + 100, x : x + 100] = colour
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def _repeated(path: Path, size: int) -> Iterator[np.ndarray]:
    """A file's frames at 2 Hz, read from disk again and again."""
    while True:
        yield from (frame for _, frame in iter_frames(path, SOAK_RATE_HZ, size))


def _seen(model: Model) -> Embed:
    window = SlidingWindow(model.network)

    def embed(index: int, frame: np.ndarray) -> Tensor:
        window.push(torch.from_numpy(frame.copy()))
        return window.embed([CAPTION_QUERY])[0]

    return embed


def _known(model: Model, path: Path) -> Embed:
    rows = torch.stack([row for _, row in model.embed_stream(path, rate_hz=SOAK_RATE_HZ)])
    return lambda index, frame: rows[index % len(rows)]


def _resident() -> float:
    """Megabytes of this process in memory.

    Raises:
        UserError: the system does not say.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError as error:
        raise UserError("soak: resident memory is read from /proc, which this system lacks; run it on Linux") from error
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    tyro.cli(main)
