"""Addresses and cameras, against servers on this machine that break off."""

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from media import grey, write_video
from servers import http, recording, rtsp, transport_stream, until_lost

from vljepa.data import connection, live
from vljepa.data.source import open_source
from vljepa.errors import UserError

TS = "video/mp2t"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "RETRY_DELAY", 0.05)
    monkeypatch.setattr(connection, "MAX_RETRIES", 2)


def levels(taken: list) -> list[float]:
    return [float(frame.mean()) for _, frame in taken]


def times(taken: list) -> list[float]:
    return [time for time, _ in taken]


def test_a_broken_stream_is_read_on_and_times_increase(tmp_path: Path) -> None:
    first = transport_stream(tmp_path / "1.ts", grey(range(0, 100, 10)))
    second = transport_stream(tmp_path / "2.ts", grey(range(100, 200, 10)))
    with (
        http([(TS, lambda send: send(first)), (TS, lambda send: send(second))]) as address,
        open_source(address, rate_hz=100.0, size=32) as source,
    ):
        taken, error = until_lost(source)
    assert source.is_live and source.counts.reconnects == 1
    assert source.counts.dropped + len(taken) == 20 and source.counts.frames == len(taken)
    assert levels(taken)[-9:] == pytest.approx(list(range(110, 200, 10)), abs=3)
    assert all(a < b for a, b in itertools.pairwise(times(taken)))
    # Within a connection the stream's own stamps count: 100 ms, however fast it was sent.
    assert np.diff(times(taken)[-9:]) == pytest.approx([0.1] * 8, abs=1e-3)
    assert str(error).startswith(f"{address}: lost after ") and str(error).endswith("; 2 retries failed")


def test_a_stream_cut_within_a_packet_is_no_error(tmp_path: Path) -> None:
    whole = transport_stream(tmp_path / "1.ts", [np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)] * 9)
    with (
        http([(TS, lambda send: send(whole[: len(whole) // 2 + 77])), (TS, lambda send: send(whole))]) as address,
        open_source(address, rate_hz=10.0, size=32) as source,
    ):
        taken, _ = until_lost(source)
    assert source.counts.reconnects == 1 and len(taken) + source.counts.dropped >= 10
    assert all(a < b for a, b in itertools.pairwise(times(taken)))


def test_a_server_that_falls_silent_counts_as_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OPEN_TIMEOUT", 0.5)
    monkeypatch.setattr(connection, "READ_TIMEOUT", 1.0)
    content = transport_stream(tmp_path / "1.ts", grey(range(0, 100, 10)), fps=50)
    over = threading.Event()
    with (
        http([(TS, lambda send: (send(content), over.wait(20))), (TS, lambda send: send(content))]) as address,
        open_source(address, rate_hz=5.0, size=32) as source,
    ):
        began = time.monotonic()
        taken, _ = until_lost(source)
        over.set()
    assert time.monotonic() - began < 10
    assert source.counts.reconnects == 1
    # The silence is part of the stream's time.
    assert 1.0 < max(np.diff(times(taken))) < 3.0


def test_a_camera_of_pictures_is_dated_by_the_clock(tmp_path: Path) -> None:
    values = range(0, 240, 30)
    paths = [write_video(tmp_path / f"{v}.jpg", grey([v]), codec="mjpeg", pix_fmt="yuvj420p") for v in values]

    def send_all(send: Callable[[bytes], object]) -> None:
        for path in paths:
            content = path.read_bytes()
            send(b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(content), content))
            time.sleep(0.2)

    with (
        http([("multipart/x-mixed-replace; boundary=b", send_all)]) as address,
        open_source(address, rate_hz=30.0, size=32) as source,
    ):
        taken, _ = until_lost(source)
    # FFmpeg would have them 40 ms apart. The first few are gathered to know the stream.
    assert levels(taken)[-3:] == pytest.approx(values[-3:], abs=4)
    assert np.diff(times(taken))[-2:] == pytest.approx([0.2, 0.2], abs=0.1)


def test_rtsp(tmp_path: Path) -> None:
    first = transport_stream(tmp_path / "1.ts", grey(range(0, 100, 10)))
    second = transport_stream(tmp_path / "2.ts", grey(range(100, 200, 10)))
    with rtsp([first, second]) as address, open_source(address, rate_hz=100.0, size=32) as source:
        taken, _ = until_lost(source)
    assert source.is_live and source.counts.reconnects == 1
    # The last frame of each goes with its connection: only the beginning of the next tells that it is whole.
    assert len(taken) + source.counts.dropped == 18
    assert levels(taken)[-8:] == pytest.approx(list(range(110, 190, 10)), abs=3)
    assert all(a < b for a, b in itertools.pairwise(times(taken)))


def test_a_slow_reader_gets_the_newest_and_the_others_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BUFFER_FRAMES", 4)
    content = transport_stream(tmp_path / "1.ts", grey(range(0, 200, 10)))
    with (
        http([(TS, lambda send: send(content))]) as address,
        open_source(address, rate_hz=10.0, size=32) as source,
    ):
        first = next(source)
        time.sleep(1.0)
        taken, _ = until_lost(source)
    assert len(taken) == 4 and source.counts.dropped == 20 - 5
    assert levels([first, *taken]) == pytest.approx([0, 160, 170, 180, 190], abs=3)
    assert times(taken) == pytest.approx([1.6, 1.7, 1.8, 1.9], abs=1e-3)


def test_nothing_of_a_recording_is_dropped_and_it_is_read_on_from_where_it_broke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BUFFER_FRAMES", 2)
    frames = [np.full((64, 64, 3), 2 * i, np.uint8) + (np.indices((64, 64)).sum(0) % 7)[..., None] for i in range(60)]
    path = write_video(tmp_path / "a.mp4", [frame.astype(np.uint8) for frame in frames], faststart=True)
    content = path.read_bytes()
    with (
        recording(content, [len(content), len(content) // 2]) as address,
        open_source(address, rate_hz=10.0, size=32) as source,
    ):
        taken = []
        for timed in source:
            taken.append(timed)
            time.sleep(0.005)
    assert not source.is_live and source.counts.dropped == 0
    assert times(taken) == pytest.approx([i / 10 for i in range(60)])
    assert np.diff(levels(taken)) == pytest.approx([2] * 59, abs=1.5)


def test_a_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    # No camera here: FFmpeg's test picture is opened in its place, endless and as fast as it is read.
    place = ("testsrc=size=64x48:rate=20", "lavfi", {})
    monkeypatch.setattr(connection, "_place", lambda source, name: place)
    with open_source(0, rate_hz=4.0, size=32) as source:
        taken = list(itertools.islice(source, 5))
    assert source.is_live and taken[0][1].shape == (32, 32, 3)
    # Frames that were dropped in between are missing, and no time is wrong.
    assert [t / 0.25 for t in times(taken)] == pytest.approx([round(t / 0.25) for t in times(taken)])
    assert all(a < b for a, b in itertools.pairwise(times(taken)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (77, "camera 77: cannot be opened (No such file or directory)"),
        ("http://user:secret@127.0.0.1:1/x", "http://user:***@127.0.0.1:1/x: cannot be opened (Connection refused)"),
        ("rtsp://127.0.0.1:1/x", "rtsp://127.0.0.1:1/x: cannot be opened (Connection refused)"),
        ("concat://a.mp4", "concat://a.mp4: addresses of streams begin with http://"),
        ("file:///etc/passwd", "file:///etc/passwd: addresses of streams begin with http://"),
    ],
)
def test_what_cannot_be_opened_is_one_line(source: int | str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        open_source(source, rate_hz=4.0, size=32)
    assert str(caught.value).startswith(expected)


def test_a_page_is_no_stream_and_a_playlist_names_no_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.ts", grey([0] * 10))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:{path}\n#EXT-X-ENDLIST\n".encode()
    for kind, content in (("text/html", b"<p>hello</p>" * 99), ("application/vnd.apple.mpegurl", playlist)):
        with (
            http([(kind, lambda send, content=content: send(content))]) as address,
            pytest.raises(UserError, match=r"cannot be opened|no video stream"),
        ):
            list(open_source(address, rate_hz=4.0, size=32))


def test_closing_ends_the_thread_of_an_endless_stream(tmp_path: Path) -> None:
    content = transport_stream(tmp_path / "1.ts", grey(range(0, 100, 10)))

    def forever(send: Callable[[bytes], object]) -> None:
        while True:
            send(content)

    with http([(TS, forever)]) as address:
        source = open_source(address, rate_hz=5.0, size=32)
        reader = next(source) and next(t for t in threading.enumerate() if t.name == address)
        source.close()
        reader.join(timeout=5)
    assert not reader.is_alive() and list(source) == []
