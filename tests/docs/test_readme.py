"""What the README names exists: files, commands and their options."""

import re
from pathlib import Path

import pytest

from vljepa.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
TABLE = README.split("## Files")[1]
CALLS = [line.split("#")[0].strip() for line in README.splitlines() if line.startswith("vljepa ")]


@pytest.mark.parametrize("path", re.findall(r"`([\w./]+)`", TABLE))
def test_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_command_is_shown() -> None:
    assert {call.split()[1] for call in CALLS} == set(COMMANDS)


@pytest.mark.parametrize("call", CALLS)
def test_options_are_in_the_help(call: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, *arguments = call.split()[1:]
    # A recipe's settings are in its own help.
    assert main([command, *(arguments[:1] if command == "train" else []), "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(option in shown for option in re.findall(r"--[\w-]+", call))
