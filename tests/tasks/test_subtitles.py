"""Subtitle files, read back by FFmpeg's own readers."""

import json
from pathlib import Path

import av
import pytest

from vljepa.errors import UserError
from vljepa.tasks.event_files import EventFiles
from vljepa.tasks.subtitles import srt_cue, vtt_cue
from vljepa.tasks.watch import Alert
from vljepa.types import Event

EVENTS = [
    Event(start=0.0, end=1.5, text="a red cube", score=0.5),
    Event(start=1.5, end=61.25, text="two\n\n  lines --> and an arrow\r\n", score=0.5),
    Event(start=61.25, end=61.25, text="an instant", score=0.5),
    Event(start=61.25, end=3600.0, text=" \n ", score=0.1),
    Event(start=3600.0, end=90061.001, text="<b>Tom & Jerry</b> \u6f22\u5b57", score=0.5),
]
TIMES = [(0, 1500), (1500, 61250), (61250, 61251), (3600000, 90061001)]


def read_back(path: Path) -> list[tuple[int, int, str]]:
    """(start, end, text) of each cue, milliseconds."""
    with av.open(str(path)) as container:
        (stream,) = container.streams.subtitles
        ms = float(stream.time_base * 1000)
        packets = [packet for packet in container.demux(stream) if packet.size]
        return [(round(p.pts * ms), round((p.pts + p.duration) * ms), bytes(p).decode()) for p in packets]


def write(folder: Path) -> Path:
    with EventFiles(folder) as files:
        for event in EVENTS:
            files.write(event)
        files.write(Alert(time=2.0, text="smoke", score=0.7))
        files.write_line({"kind": "end"})
    return folder


def test_cues_are_written_as_the_formats_have_them() -> None:
    assert srt_cue(7, EVENTS[1]) == "7\n00:00:01,500 --> 00:01:01,250\ntwo\nlines -> and an arrow\n\n"
    assert vtt_cue(EVENTS[1]) == "00:00:01.500 --> 00:01:01.250\ntwo\nlines --&gt; and an arrow\n\n"
    assert vtt_cue(EVENTS[4]).startswith("01:00:00.000 --> 25:01:01.001\n&lt;b&gt;Tom &amp; Jerry")
    assert srt_cue(1, EVENTS[3]) == vtt_cue(EVENTS[3]) == ""


@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_ffmpeg_reads_the_files(tmp_path: Path, suffix: str) -> None:
    cues = read_back(write(tmp_path / "out") / f"events.{suffix}")
    assert [cue[:2] for cue in cues] == TIMES
    assert [text.splitlines()[0] for *_, text in cues[:3]] == ["a red cube", "two", "an instant"]
    assert "\u6f22\u5b57" in cues[3][2]


def test_records_are_lines(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in (write(tmp_path) / "events.jsonl").read_text().splitlines()]
    assert [line.pop("kind") for line in lines] == ["event"] * 5 + ["alert", "end"]
    assert [Event(**line) for line in lines[:5]] == EVENTS
    assert lines[5] == {"time": 2.0, "text": "smoke", "score": 0.7}


def test_a_record_is_there_before_the_file_is_closed(tmp_path: Path) -> None:
    with EventFiles(tmp_path) as files:
        files.write(EVENTS[0])
        assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 1
        assert [len(read_back(tmp_path / name)) for name in ("events.srt", "events.vtt")] == [1, 1]


def test_another_runs_events_are_not_written_over(tmp_path: Path) -> None:
    write(tmp_path)
    before = (tmp_path / "events.jsonl").read_text()
    with pytest.raises(UserError, match=r"events\.jsonl: is there already"):
        EventFiles(tmp_path)
    assert (tmp_path / "events.jsonl").read_text() == before
