"""What a manifest of many lines costs: the one pass over it, memory, and a sample at random.

`python benchmarks/manifest.py --lines 5000000` writes such a manifest of synthetic lines into a temporary folder.
"""

import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import tyro
from speed import processor

from vljepa.data.manifest_index import IndexedManifest


def main(lines: int = 1_000_000, reads: int = 50_000, seed: int = 0) -> None:
    """Measure and print.

    Args:
        lines: of the manifest.
        reads: samples read at random.
        seed: of the reads.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "train" / "many.jsonl", lines)
        index = Path(folder) / "index"
        before, began = peak(), time.perf_counter()
        IndexedManifest(path, index)
        seconds, grown = time.perf_counter() - began, peak() - before
        began = time.perf_counter()
        samples = IndexedManifest(path, index)
        opening = time.perf_counter() - began
        places = np.random.default_rng(seed).integers(0, lines, reads).tolist()
        began = time.perf_counter()
        for place in places:
            samples[place]
        reading = time.perf_counter() - began
        on_disk = sum(file.stat().st_size for file in index.iterdir())
        print(f"{processor()}; {lines} lines, {path.stat().st_size / lines:.0f} bytes each")
    print(f"first pass: {lines / seconds:,.0f} lines/s, {grown / lines:.0f} bytes of memory a line at its peak")
    print(f"index: {on_disk / lines:.1f} bytes a line on disk; opened in {1e3 * opening:.1f} ms")
    print(f"a sample at random: {1e6 * reading / reads:.1f} us")


def write(path: Path, lines: int) -> Path:
    """A manifest of clips with query and target, as the conversion of a large set gives."""
    path.parent.mkdir()
    text = "a person takes the red cup from the table, pours water into it and puts it back next to the plate"
    with path.open("w") as file:
        for i in range(lines):
            media, start = f"../media/{i // 1000 % 1000:03d}/video_{i // 100:08d}.mp4", i % 100 * 2.5
            fields = {"id": f"video_{i // 100:08d}_{i % 100}", "media": media, "start": start, "end": start + 7.25}
            file.write(json.dumps(fields | {"query": "What is happening?", "target": f"{text} ({i})"}) + "\n")
    return path


def peak() -> int:
    """Bytes of memory that this process has held at once, so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    tyro.cli(main)
