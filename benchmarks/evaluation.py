"""What scoring takes once everything is embedded: seconds, and the peak memory of the process.

    python benchmarks/evaluation.py

Aims, on two cores: 10,000 items of 200 classes in under 5 s, and 10,000 texts by 10,000 videos within 2 GB. Scored is
as ``vljepa eval`` scores, with every figure's bootstrap interval; each case has a process of its own. Embeddings are
random: what they are does not matter to the time. Beside each case stands what a plain product of all pairs with a full
sort takes. Exit code 1 if an aim is missed.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import time
from pathlib import Path

import numpy as np

from vljepa.evaluation.benchmark import Benchmark, Item
from vljepa.evaluation.measure import MEASURES
from vljepa.evaluation.system import System
from vljepa.provenance import processor
from vljepa.types import Clip

ITEMS, CLASSES, WIDTH = 10_000, 200, 1536
SECONDS, GIGABYTES = 5.0, 2.0


def random_rows(count: int) -> np.ndarray:
    """(count, WIDTH) float32 of length one."""
    rows = np.random.default_rng(0).normal(size=(count, WIDTH)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def benchmark(task: str) -> Benchmark:
    """Items that no file belongs to."""
    classes = [f"class {i}" for i in range(CLASSES)]
    items = [
        Item(id=str(i), clip=Clip(media=(str(i),)), truth=classes[i % CLASSES], texts=(f"text {i}",))
        for i in range(ITEMS)
    ]
    info = {"classes": classes}
    return Benchmark(folder=Path(), name=task, task=task, query="", metric="", info=info, items=items, left_out=[])


def at_hand() -> System:
    """A system whose embeddings are all there."""
    clips, texts = random_rows(ITEMS), random_rows(ITEMS)[::-1]
    return System(
        name="random",
        embed_clips=lambda some, _: clips[[int(clip.media[0]) for clip in some]],
        encode_text=lambda some: texts[: len(some)],
    )


def ours(task: str) -> None:
    """Score as ``vljepa eval`` does."""
    MEASURES[task](benchmark(task), at_hand())


def plain(task: str) -> None:
    """All pairs at once and a full sort of each row, for top-1 alone."""
    pool = random_rows(ITEMS)[: CLASSES if task == "classification" else ITEMS]
    scores = random_rows(ITEMS) @ pool.T
    order = np.argsort(-scores, axis=1)
    (order[:, 0] == np.arange(ITEMS) % len(pool)).mean()


def _timed(work: str, task: str, results: "multiprocessing.Queue[tuple[float, float]]") -> None:
    before = time.perf_counter()
    {"ours": ours, "plain": plain}[work](task)
    seconds = time.perf_counter() - before
    # Kilobytes on Linux, bytes on a Mac.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    results.put((seconds, peak / 1e9))


def main() -> int:
    """Measure and compare with the aims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="file for the figures as JSON")
    args = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print(f"{processor()}; {ITEMS} items, embeddings of {WIDTH}")
    found = {}
    for task in ("classification", "retrieval"):
        for work in ("ours", "plain"):
            results = context.Queue()
            process = context.Process(target=_timed, args=(work, task, results))
            process.start()
            seconds, gigabytes = results.get()
            process.join()
            found[f"{task}, {work}"] = {"seconds": seconds, "peak memory, GB": gigabytes}
            print(f"{task}, {work}: {seconds:.2f} s, peak memory {gigabytes:.2f} GB", flush=True)
    if args.out:
        args.out.write_text(json.dumps(found, indent=2) + "\n")
    quick = found["classification, ours"]["seconds"] < SECONDS
    small = found["retrieval, ours"]["peak memory, GB"] < GIGABYTES
    print(f"under {SECONDS:g} s: {quick}; within {GIGABYTES:g} GB: {small}")
    return 0 if quick and small else 1


if __name__ == "__main__":
    sys.exit(main())
