"""The training commands under torchrun."""

import os
import socket
import subprocess
import sys

import pytest

CODE = """
import sys, vljepa.training.loop
from vljepa.cli import main
vljepa.training.loop.train = lambda config, command: "runs/tiny/model"
sys.exit(main(["train", "tiny"]))
"""


@pytest.mark.timeout(180)
def test_one_of_two_ranks_prints_where_the_model_is() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared["PYTHONPATH"] = os.pathsep.join(sys.path)
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", CODE],
            env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    printed = [process.communicate()[0] for process in ranks]
    assert [process.returncode for process in ranks] == [0, 0]
    assert printed == ["runs/tiny/model\n", ""]
