"""Servers on this machine that send a stream the way cameras and stations do, and break off where they are told."""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from media import write_video

from vljepa.errors import UserError

Send = Callable[[bytes], object]


def transport_stream(path: Path, frames: Sequence, *, fps: int = 10) -> bytes:
    """An MPEG transport stream of the frames."""
    return write_video(path, frames, fps=fps, gop=5).read_bytes()


@contextmanager
def http(answers: Sequence[tuple[str, Callable[[Send], object]]]) -> Iterator[str]:
    """The address of a live stream: the n-th request gets the n-th answer, later ones get 404.

    Args:
        answers: content type, and what sends the bytes; when it returns the connection is closed.
    """
    left = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, answer = next(left, (None, None))
            if kind is None or answer is None:
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            # The reader may have gone.
            with suppress(OSError):
                answer(self.wfile.write)

        def log_message(self, *_: object) -> None:
            pass

    with _served(Handler) as address:
        yield f"http://{address}/live"


@contextmanager
def recording(content: bytes, breaks: Sequence[int], kind: str = "video/mp4") -> Iterator[str]:
    """The address of a file, with its length and with ranges: the n-th request is cut off after ``breaks[n]`` bytes."""
    left = iter(breaks)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            begin = int(re.findall(r"\d+", self.headers.get("Range", "bytes=0-"))[0])
            self.send_response(206)
            self.send_header("Content-Type", kind)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(content) - begin))
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(content[begin:][: next(left, len(content))])

        def log_message(self, *_: object) -> None:
            pass

    with _served(Handler) as address:
        yield f"http://{address}/clip"


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def rtsp(streams: Sequence[bytes]) -> Iterator[str]:
    """An RTSP address (RFC 2326) whose n-th player gets the n-th transport stream, as RTP within the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"rtsp://127.0.0.1:{listener.getsockname()[1]}/camera"
    left = iter(streams)
    sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track\r\n"

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            content = next(left, None)
            with client, client.makefile("rwb") as file:
                if content is not None:
                    converse(file, content)

    def converse(file, content: bytes) -> None:
        while True:
            lines = []
            while line := file.readline().strip():
                lines.append(line.decode())
            if not lines:
                return
            method, sequence = lines[0].split()[0], next(line for line in lines if line.startswith("CSeq"))
            more, body = {
                "OPTIONS": ("Public: DESCRIBE, SETUP, PLAY\r\n", ""),
                "DESCRIBE": (f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n", sdp),
                "SETUP": ("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n", ""),
            }.get(method, ("Session: 1\r\n", ""))
            file.write(f"RTSP/1.0 200 OK\r\n{sequence}\r\n{more}\r\n{body}".encode())
            file.flush()
            if method == "PLAY":
                for number, at in enumerate(range(0, len(content), 7 * 188)):
                    packet = b"\x80\x21" + number.to_bytes(2, "big") + (number * 900).to_bytes(4, "big") + b"\0\0\0\1"
                    packet += content[at : at + 7 * 188]
                    file.write(b"$\0" + len(packet).to_bytes(2, "big") + packet)
                file.flush()
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def until_lost(source: Iterator) -> tuple[list, UserError]:
    """What a source gives until it is given up, and its last word."""
    taken = []
    try:
        for item in source:
            taken.append(item)
    except UserError as error:
        return taken, error
    raise AssertionError("the source ended without a word")
