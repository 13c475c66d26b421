"""What the largest benchmark of questions costs to convert and to read: CLEVR's validation questions, made up.

`python benchmarks/convert.py` writes a file of the official form and size into a temporary folder, 160 MB, with empty
images, and runs each half in a process of its own, so that each has its own peak of memory.
"""

import json
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tyro

from vljepa.evaluation.benchmark import read_benchmark
from vljepa.evaluation.benchmarks import convert
from vljepa.evaluation.benchmarks.clevr import ANSWERS
from vljepa.evaluation.conversion.spec import Request
from vljepa.provenance import processor

STEPS = ("scene", "filter_color", "filter_shape", "unique", "relate", "union", "count", "exist", "query_size")


def main(questions: int = 149_991, seed: int = 0) -> None:
    """Measure and print.

    Args:
        questions: ten of them an image; fewer than CLEVR's are converted as a part of it.
        seed: of the questions.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write(folder, questions, seed)
        print(f"{processor()}; {questions} questions, {size / 1e6:.0f} MB")
        halves: dict[str, Callable[[Path], object]] = {"convert": _convert, "read": _read}
        for what, half in halves.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                wall, busy, grown = pool.apply(_measured, (half, folder))
            print(
                f"{what}: {busy:.1f} s of the processor, {wall:.1f} s by the clock, {grown / 1e6:.0f} MB of memory more"
            )


def write(folder: Path, questions: int, seed: int) -> int:
    """The file and its images; returns its size in bytes."""
    draw = random.Random(seed)
    images = folder / "source" / "images" / "val"
    images.mkdir(parents=True)
    for i in range(-(-questions // 10)):
        (images / f"CLEVR_val_{i:06d}.png").touch()
    path = folder / "source" / "CLEVR_val_questions.json"
    with path.open("w") as file:
        file.write('{"info": {"split": "val", "version": "1.0"}, "questions": [')
        for i in range(questions):
            program = [
                {
                    "inputs": [step - 1] if step else [],
                    "function": draw.choice(STEPS),
                    "value_inputs": ["red"][: step % 2],
                }
                for step in range(draw.randrange(6, 20))
            ]
            fields = {
                "image_index": i // 10,
                "program": program,
                "question_index": i,
                "image_filename": f"CLEVR_val_{i // 10:06d}.png",
                "question_family_index": 3,
                "split": "val",
                "answer": draw.choice(ANSWERS),
                "question": f"Are there any other things of the same shape as the big metallic object? ({i})",
            }
            file.write((", " if i else "") + json.dumps(fields))
        file.write("]}")
    return path.stat().st_size


def _convert(folder: Path) -> object:
    return convert("clevr", Request(source=folder / "source", out=folder / "out", partial=True))


def _read(folder: Path) -> object:
    return read_benchmark(folder / "out" / "test" / "clevr")


def _measured(half: Callable[[Path], object], folder: Path) -> tuple[float, float, int]:
    """Seconds by the clock, seconds of the processor, and bytes by which the peak of memory grew."""
    before, began, busy = _peak(), time.perf_counter(), time.process_time()
    kept = half(folder)
    measured = time.perf_counter() - began, time.process_time() - busy, _peak() - before
    del kept
    return measured


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    tyro.cli(main)
