"""A rank that SIGKILL ends under torchrun: its agent starts the ranks again, and nothing is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kills.py"


@pytest.mark.timeout(300)
def test_run_of_which_a_rank_was_killed_ends_with_the_same_weights() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, SCRIPT, "--kills", "1"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "states found damaged: 0; weights of the uninterrupted run, bit for bit: True" in done.stdout
