"""``vljepa stream`` on an untrained toy: what it prints, what it leaves behind, and how it ends."""

import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from vljepa.cli import main
from vljepa.config import ModelConfig
from vljepa.data import source as sources
from vljepa.data.frame_source import FrameSource, SourceCounts
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer

LABELS = ["a red cube", "a blue ball"]
OFTEN = ["--min-interval", "0.5", "--max-interval", "1"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, tiny_config: ModelConfig) -> str:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("toy") / "model"
    VLJEPA(tiny_config, train_tokenizer(LABELS, 300)).save(folder, card="A toy.")
    return str(folder)


def write_video(path: Path, count: int, rate_hz: Fraction) -> str:
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate_hz, options={"preset": "ultrafast"})
        stream.width = stream.height = 64
        for _ in range(count):
            picture = np.full((64, 64, 3), rng.integers(0, 255, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return str(path)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_video(tmp_path_factory.mktemp("media") / "a.mp4", 40, Fraction(4))


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def cues(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(packet.size > 0 for packet in container.demux(container.streams.subtitles[0]))


def covers(events: list[dict], end: float) -> bool:
    return (
        events[0]["start"] == 0.0
        and events[-1]["end"] == end
        and all(a["end"] == b["start"] for a, b in itertools.pairwise(events))
    )


def test_json_lines_are_the_files_lines(
    checkpoint: str, video: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call = ["stream", video, "--model", checkpoint, "--out", str(out), "--json", *OFTEN]
    assert main([*call, "--labels", *LABELS, "--alert", *LABELS, "--above", "-0.99", "--query", "What now?"]) == 0
    printed, error = capfd.readouterr()
    assert error == ""
    lines = [json.loads(line) for line in printed.splitlines()]
    assert read(out / "events.jsonl") == lines
    events = [line for line in lines if line["kind"] == "event"]
    assert covers(events, 9.75) and cues(out / "events.srt") == cues(out / "events.vtt") == len(events)
    assert all({scored["text"] for scored in event["ranked"]} == set(LABELS) for event in events)
    assert [line["text"] for line in lines if line["kind"] == "alert"] == LABELS
    assert [line["time"] for line in lines if line["kind"] == "labels"] == [float(second) for second in range(10)]
    end = lines[-1]
    assert (end["kind"], end["frames"], end["decodings"]) == ("end", 40, len(events))
    assert sum(end["shares"].values()) == pytest.approx(1)
    assert all(end["shares"][part] > 0 for part in ("decode", "encode", "predict"))
    assert main(call) == 2
    assert "events.jsonl: is there already" in capfd.readouterr().err


def test_plain_lines_and_the_count_at_the_end(checkpoint: str, video: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["stream", video, "--model", checkpoint, "--rate", "2", "--alert", "rain", "--above", "-0.99"]) == 0
    printed, error = capfd.readouterr()
    assert "    0.0 s  alert: rain" in printed and "    0.0 s to " in printed
    assert error.startswith("20 frames in ") and error.count("\n") == 1
    assert "0 frames dropped, 0 corrupt packets, 0 reconnects" in error


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_it_is(
    checkpoint: str, video: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    assert main(["stream", video, "--model", checkpoint, "--labels", *LABELS, "--threshold", "0.5", *OFTEN]) == 0
    shown = terminal.getvalue()
    assert re.search(
        r"00:00:0\d\.\d +\d+\.\d frames/s  drift \d\.\d\d of 0\.50 \[[# ]{20}\]  \d+ decodings, \d+ saved", shown
    )
    # Events go to the output, which is no terminal here.
    assert " s to " in capsys.readouterr().out and " s to " not in shown


def broken_off(problem: BaseException, count: int) -> FrameSource:
    def frames() -> Iterator[tuple[float, np.ndarray]]:
        rng = np.random.default_rng(0)
        for index in range(count):
            yield index / 4, rng.integers(0, 255, (64, 64, 3), np.uint8)
        raise problem

    return FrameSource("camera 0", frames(), SourceCounts())


@pytest.mark.parametrize(
    ("problem", "code", "last"),
    [
        (KeyboardInterrupt(), 130, "vljepa: stopped"),
        (sources.UserError("camera 0: lost after 4.8 s"), 2, "vljepa: camera 0: lost after 4.8 s"),
    ],
)
def test_a_stream_that_ends_early_keeps_its_open_event(
    problem: BaseException,
    code: int,
    last: str,
    checkpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    asked = []
    monkeypatch.setattr(sources, "open_source", lambda name, **_: asked.append(name) or broken_off(problem, 20))
    assert main(["stream", "0", "--model", checkpoint, "--labels", *LABELS, "--out", str(tmp_path), *OFTEN]) == code
    assert asked == [0]
    assert capfd.readouterr().err.splitlines()[-1] == last
    lines = read(tmp_path / "events.jsonl")
    assert covers([line for line in lines if line["kind"] == "event"], 4.75)
    assert cues(tmp_path / "events.srt") == sum(line["kind"] == "event" for line in lines)


@pytest.mark.timeout(120)  # A process of its own imports everything anew, which takes a busy machine long.
def test_a_killed_run_loses_the_open_event_alone(checkpoint: str, tmp_path: Path) -> None:
    video, out = write_video(tmp_path / "long.mp4", 360, Fraction(1, 10)), tmp_path / "out"
    code = "import sys; from vljepa.cli import main; sys.exit(main(sys.argv[1:]))"
    args = ["stream", video, "--model", checkpoint, "--labels", *LABELS, "--out", str(out), *OFTEN]
    with subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.DEVNULL) as process:
        try:
            while not (out / "events.vtt").exists() or (out / "events.vtt").read_text().count("-->") < 5:
                assert process.poll() is None
                time.sleep(0.01)
        finally:
            os.kill(process.pid, signal.SIGKILL)
    events = [line for line in read(out / "events.jsonl") if line["kind"] == "event"]
    assert len(events) >= 5 and covers(events, events[-1]["end"]) and events[-1]["end"] < 3590
    # At the kill the last event's cues may not have been written yet.
    assert len(events) - 1 <= cues(out / "events.vtt") <= cues(out / "events.srt") <= len(events)
