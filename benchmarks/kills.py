"""Kill training processes at random, and see that a run under torchrun loses nothing by it.

    python benchmarks/kills.py --kills 20

Two ranks train `tiny` on eight pictures. One of them is killed (SIGKILL) at a random moment, every third time while a
training state is being written; torchrun's agent starts both again; and so on. Then the run may end. Proven is that
every restart goes on, from a whole state, that none loses more than `save_every` steps, and that the weights are those
of a run that nobody killed, bit for bit. Prints one line a kill; exit code 1 if a proof fails.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file

from vljepa.recipes import RECIPES

SAVE_EVERY = 10
STEPS_A_LIFE = 30
"""Steps at most between two kills."""
NUM_STAGES = len(RECIPES["tiny"]().stages)
PATIENCE = 600.0
"""Seconds without any progress after which the run counts as hung."""


def write_pictures(data: Path) -> None:
    """Eight pictures, and every manifest of the recipe over them."""
    colours = ("red", "green", "blue", "white", "black", "yellow", "purple", "orange")
    (data / "train").mkdir(parents=True)
    for colour in colours:
        Image.new("RGB", (64, 64), colour).save(data / f"{colour}.png")
    rows = [{"id": colour, "media": f"../{colour}.png", "target": f"a {colour} picture"} for colour in colours]
    for source in {source.manifest for stage in RECIPES["tiny"]().stages for source in stage.sources}:
        (data / source).write_text("".join(json.dumps(row) + "\n" for row in rows))


class Run:
    """Two ranks under an agent of torchrun, in ``folder``."""

    def __init__(self, folder: Path, num_steps: int, restarts: int) -> None:
        self.folder = folder / "run"
        write_pictures(folder / "data")
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        command += ["--max-restarts", str(restarts), "--monitor-interval", "0.1", "-m", "vljepa", "train", "tiny"]
        command += ["--data", str(folder / "data"), "--out", str(self.folder), "--precision", "float32"]
        command += ["--log-every", "1", "--save-every", str(SAVE_EVERY)]
        command += ["--model.x-encoder.frame-size", "64", "--model.x-encoder.grid", "2"]
        for stage in range(NUM_STAGES):
            command += [f"--stages.{stage}.num-steps", str(num_steps // NUM_STAGES)]
            command += [f"--stages.{stage}.global-batch-size", "4"]
        self._output = (folder / "output").open("w+")
        self._agent = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT)

    def output(self) -> str:
        """What the agent and the ranks have printed so far."""
        return Path(self._output.name).read_text()

    def logged(self) -> int:
        """Steps that the log has."""
        log = self.folder / "log.jsonl"
        return log.read_text().count("\n") if log.exists() else 0

    def has_state(self) -> bool:
        """Whether there is a training state to go on from."""
        return any((self.folder / "state").glob("step-*"))

    def writes(self) -> bool:
        """Whether a training state is being written."""
        return any((self.folder / "state").glob("writing-*/*"))

    def lives(self) -> int:
        """How often the ranks have got as far as to know from which step they go on."""
        return len(self.went_on_after()) + 1

    def went_on_after(self) -> list[int]:
        """From which step each restart went on, as the run itself says."""
        return [int(step) for step in re.findall(r"goes on after step (\d+)", self.output())]

    def until(self, moment: Callable[[], bool]) -> None:
        """Wait for a moment."""
        deadline = time.monotonic() + PATIENCE
        while not moment():
            if self._agent.poll() is not None or time.monotonic() > deadline:
                self._agent.terminate()
                sys.exit(f"{self.output()}\nthe run ended or hung before its next kill")
            time.sleep(0.001)

    def kill_a_rank(self) -> None:
        """SIGKILL one of the two ranks."""
        children = Path(f"/proc/{self._agent.pid}/task/{self._agent.pid}/children").read_text().split()
        ranks = [int(pid) for pid in children if b"vljepa" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(random.choice(ranks), signal.SIGKILL)

    def weights(self) -> dict[str, torch.Tensor]:
        """Those of the trained model, once the run has ended."""
        if self._agent.wait() != 0:
            sys.exit(f"{self.output()}\nthe run failed")
        return load_file(self.folder / "model" / "model.safetensors")


def main() -> int:
    """Run the proof."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    # More than there are up to the last kill.
    num_steps = args.kills * STEPS_A_LIFE + SAVE_EVERY
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "killed", num_steps, restarts=args.kills)
        lost = []
        for kill in range(args.kills):
            begun, steps = run.logged(), random.randint(SAVE_EVERY + 1, STEPS_A_LIFE)
            run.until(lambda: run.has_state() and run.logged() > begun)  # noqa: B023 - called at once
            run.until(run.writes if kill % 3 == 2 else lambda: run.logged() >= begun + steps)  # noqa: B023
            writing, step = run.writes(), run.logged()
            run.kill_a_rank()
            run.until(lambda: run.lives() == kill + 2)  # noqa: B023
            resumed = run.went_on_after()[-1]
            lost.append(step - resumed)
            print(
                f"kill {kill + 1}: after step {step}{', writing a state' if writing else ''}; "
                f"went on after step {resumed}",
                flush=True,
            )
        actual = run.weights()
        expected = Run(Path(folder) / "whole", num_steps, restarts=0).weights()
        same = actual.keys() == expected.keys() and all(torch.equal(actual[name], expected[name]) for name in expected)
        damaged = run.output().count("is damaged")
    print(f"steps lost: {lost}, at most {max(lost)}, with save_every {SAVE_EVERY}")
    print(f"states found damaged: {damaged}; weights of the uninterrupted run, bit for bit: {same}")
    return 0 if same and not damaged and max(lost) <= SAVE_EVERY else 1


if __name__ == "__main__":
    sys.exit(main())
