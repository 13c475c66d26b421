"""The command's help and its exit codes."""

import os
import subprocess
import sys

import pytest

from vljepa.cli import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_help_gives_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Example: vljepa {command} " in capsys.readouterr().out


def test_bad_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such-command"]) == 2


def test_user_error_is_one_line_and_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "no/such/checkpoint"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("vljepa: no/such/checkpoint: no checkpoint")
    assert captured.err.count("\n") == 1 and captured.out == ""


def test_stopping_a_run_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vljepa.cli.train", stopped)
    assert main(["train", "nano"]) == 130
    assert capsys.readouterr().err == "vljepa: stopped; the same command goes on from here\n"


@pytest.mark.parametrize("code", ["", "print('x' * 10**6); "])
def test_a_reader_that_has_seen_enough_is_no_error(code: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    # As `vljepa train nano --help | head -1`; little output fails in the end, much of it in the middle.
    command = f"""if True:
        import sys, vljepa.cli
        def talk(*_): {code}print("much")
        vljepa.cli.train = talk
        sys.exit(vljepa.cli.main(["train", "nano"]))
    """
    with subprocess.Popen([sys.executable, "-c", command], stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 141
