"""Kill `vljepa eval` at random, and see that its numbers are those of a run that nobody killed.

    python benchmarks/evaluation_kills.py --kills 10

An untrained model evaluates questions on made-up pictures. Each life is killed (SIGKILL) a random time after it has
begun to work: while features are computed, while embeddings are, or while items are scored. Proven is that the last
life writes the same results.json, figure by figure, and that no life computes again what an earlier one has stored.
Prints one line a kill; exit code 1 if a proof fails.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from vljepa.model.vljepa import VLJEPA
from vljepa.recipes import RECIPES

PICTURES, QUESTIONS = 120, 8
PATIENCE = 600.0
"""Seconds without any progress after which a life counts as hung."""


def write_world(folder: Path) -> None:
    """A model, pictures, and questions on each of them."""
    torch.manual_seed(0)
    config = RECIPES["tiny"]().model
    VLJEPA(replace(config, x_encoder=replace(config.x_encoder, frame_size=64, grid=2))).save(folder / "model", card="-")
    (folder / "test" / "media").mkdir(parents=True)
    (folder / "test" / "questions").mkdir()
    rng = np.random.default_rng(0)
    items = []
    for i in range(PICTURES):
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / "test" / "media" / f"{i}.png")
        for q in range(QUESTIONS):
            question = f"Is there an object of kind {q}?"
            answer = ("yes", "no")[int(rng.integers(2))]
            items.append({"id": f"{i}-{q}", "media": f"../media/{i}.png", "question": question, "answer": answer})
    info = {"name": "questions", "task": "choice", "metric": "pope", "answers": ["yes", "no"]}
    (folder / "test" / "questions" / "benchmark.json").write_text(json.dumps(info))
    rows = "".join(json.dumps(item) + "\n" for item in items)
    (folder / "test" / "questions" / "items.jsonl").write_text(rows)


class Run:
    """`vljepa eval` of the world in ``folder``, with a cache and results of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.out = folder / name
        self._command = [
            sys.executable,
            "-m",
            "vljepa",
            "eval",
            str(folder / "model"),
            str(folder / "test" / "questions"),
        ]
        self._command += ["--out", str(self.out), "--cache", str(self.out / "cache")]

    def stored(self) -> tuple[int, int]:
        """Features and embeddings that are kept so far."""
        found = {True: 0, False: 0}
        for index in (self.out / "cache").rglob("index*.jsonl"):
            found["embeddings" in index.parts] += index.read_bytes().count(b"\n")
        return found[False], found[True]

    def live(self, seconds: float | None) -> bool:
        """Run, and be killed so many seconds after the first sign of work; whether the run came to its end."""
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        begun, deadline = self.stored(), time.monotonic() + PATIENCE
        while process.poll() is None and seconds is not None:
            # What is all there already shows no sign: then any moment will do.
            if self.stored() != begun or self.stored()[1] == PICTURES * QUESTIONS:
                time.sleep(seconds)
                os.kill(process.pid, signal.SIGKILL)
                break
            if time.monotonic() > deadline:
                process.kill()
                sys.exit("the run hung before its next kill")
            time.sleep(0.005)
        return process.wait() == 0

    def results(self) -> object:
        """What it has found."""
        return json.loads((self.out / "results.json").read_text())["results"]


def main() -> int:
    """Run the proof."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        write_world(Path(folder))
        run, growing = Run(Path(folder), "killed"), True
        before = (0, 0)
        for kill in range(args.kills):
            run.live(random.random())
            stored = run.stored()
            growing &= stored >= before and stored[0] <= PICTURES and stored[1] <= PICTURES * QUESTIONS
            print(f"kill {kill + 1}: {stored[0]} features and {stored[1]} embeddings stored", flush=True)
            before = stored
        whole = Run(Path(folder), "whole")
        ended = run.live(None) and whole.live(None)
        same = ended and run.results() == whole.results()
    print(f"nothing computed twice: {growing}; results of the run that nobody killed: {same}")
    return 0 if growing and same else 1


if __name__ == "__main__":
    sys.exit(main())
