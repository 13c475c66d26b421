"""Follow a file, a camera or an address: ``stream``."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import Positional

from vljepa.cli.common import AsJson, ModelName, load_model

if TYPE_CHECKING:
    from vljepa.data.frame_source import FrameSource
    from vljepa.model.window import StreamStats
    from vljepa.tasks.watch import Record, Watch

_REFRESH = 0.25
"""Seconds between two updates of the line on the terminal."""


def stream(
    source: Annotated[
        Positional[str], tyro.conf.arg(help="File, folder of frames, number of a camera, rtsp:// or http:// address.")
    ],
    labels: Annotated[tuple[str, ...], tyro.conf.arg(help="Choose events' texts from these; follow all of them.")] = (),
    query: Annotated[str | None, tyro.conf.arg(help="What is asked at every instant; default: a caption.")] = None,
    alert: Annotated[tuple[str, ...], tyro.conf.arg(help="Tell when the stream comes to look like these texts.")] = (),
    above: Annotated[float, tyro.conf.arg(help="Cosine similarity that counts as an alert.")] = 0.6,
    out: Annotated[Path | None, tyro.conf.arg(help="Folder for events.jsonl, events.srt and events.vtt.")] = None,
    rate: Annotated[float | None, tyro.conf.arg(help="Instants per second; default: 4, as in training.")] = None,
    fps: Annotated[float | None, tyro.conf.arg(help="Frames per second of a folder of frames.")] = None,
    threshold: Annotated[float | None, tyro.conf.arg(help="Variance in the window that ends an event.")] = None,
    window: Annotated[float | None, tyro.conf.arg(help="Seconds over which variance is taken.")] = None,
    release: Annotated[
        float | None, tyro.conf.arg(help="Share of a change's variance that must lie before it.")
    ] = None,
    min_interval: Annotated[float | None, tyro.conf.arg(help="Shortest event, seconds.")] = None,
    settle: Annotated[float | None, tyro.conf.arg(help="Calm after a change before it counts, seconds.")] = None,
    smoothing: Annotated[float | None, tyro.conf.arg(help="Stretch whose mean is decoded, seconds.")] = None,
    max_interval: Annotated[float | None, tyro.conf.arg(help="Longest event, seconds.")] = None,
    budget_hz: Annotated[
        float | None, tyro.conf.arg(help="Decodings a second to keep to, by moving the threshold.")
    ] = None,
    model: ModelName = "nano",
    as_json: AsJson = False,
) -> None:
    """Say what happens in a video, a camera or a network stream, at the moments where the meaning changes.

    With --json one object a line. Files in --out hold every event that has ended, even if the run is killed; Ctrl-C
    ends the stream and closes the open event.

    Example: vljepa stream rtsp://camera.local/live --alert "a ball rolls off the table" --out out/stream
    """
    from vljepa.api import STREAM_RATE_HZ
    from vljepa.data.source import open_source
    from vljepa.model.window import StreamStats
    from vljepa.tasks.event_files import EventFiles
    from vljepa.tasks.stream import StreamPolicy

    given = {
        "threshold": threshold,
        "window": window,
        "release": release,
        "settle": settle,
        "smoothing": smoothing,
        "min_interval": min_interval,
        "max_interval": max_interval,
        "budget_hz": budget_hz,
    }
    policy = StreamPolicy(**{name: value for name, value in given.items() if value is not None})
    loaded = load_model(model)
    stats = StreamStats()
    watch = loaded.watch(labels or None, alerts=alert, above=above, policy=policy, stats=stats)
    size = loaded.network.config.x_encoder.frame_size
    rate_hz = STREAM_RATE_HZ if rate is None else rate
    opened = open_source(_named(source), rate_hz=rate_hz, size=size, fps=fps)
    began = time.monotonic()
    with opened, nullcontext() if out is None else EventFiles(out) as files, _view(opened, watch, began) as view:

        def tell(records: "list[Record]") -> None:
            for record in records:
                if files is not None:
                    files.write(record)
                _show(record, as_json)

        try:
            for now, embedding in loaded.embed_frames(opened, query, stats):
                tell(watch.push(now, embedding))
                view(now)
            whole = True
        except KeyboardInterrupt:
            whole = False
        finally:
            # Also of a stream that breaks off, what there was is told.
            tell(watch.finish())
        summary = _summary(opened, watch, stats, time.monotonic() - began)
        if files is not None:
            files.write_line(summary)
    print(json.dumps(summary) if as_json else _said(summary), file=sys.stdout if as_json else sys.stderr, flush=True)
    if not whole:
        raise KeyboardInterrupt


def _named(source: str) -> str | int:
    """A number is a camera's, unless a file is called so."""
    return int(source) if source.isdecimal() and not Path(source).exists() else source


def _show(record: "Record", as_json: bool) -> None:
    from vljepa.tasks.watch import Alert, to_json
    from vljepa.types import Event

    if as_json:
        print(json.dumps(to_json(record)), flush=True)
    elif isinstance(record, Event):
        print(f"{record.start:7.1f} s to {record.end:7.1f} s  {record.text}  ({record.score:.2f})", flush=True)
    elif isinstance(record, Alert):
        print(f"{record.time:7.1f} s  alert: {record.text}  ({record.score:.2f})", flush=True)


@contextmanager
def _view(source: "FrameSource", watch: "Watch", began: float) -> Iterator[Callable[[float], None]]:
    """A line that follows the stream, on a terminal only; yields what is called with each instant's time."""
    if not sys.stderr.isatty():
        yield lambda now: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    shown = 0.0
    # What is printed goes above the line, if it goes to a terminal at all.
    both = sys.stdout.isatty()
    with Live(console=Console(stderr=True), transient=True, redirect_stdout=both, auto_refresh=False) as live:

        def update(now: float) -> None:
            nonlocal shown
            if time.monotonic() - shown >= _REFRESH:
                shown = time.monotonic()
                live.update(Text(_line(now, source, watch, shown - began), no_wrap=True), refresh=True)

        yield update


def _line(now: float, source: "FrameSource", watch: "Watch", seconds: float) -> str:
    counts, decoder = source.counts, watch.decoder
    drift, threshold = decoder.variance(), decoder.threshold
    bar = "#" * min(20, round(10 * drift / threshold))
    lost = [f"{n} {what}" for n, what in _lost(counts) if n]
    return "  ".join(
        [
            f"{int(now) // 3600:02}:{int(now) // 60 % 60:02}:{now % 60:04.1f}",
            f"{counts.frames / max(seconds, 1e-9):5.1f} frames/s",
            f"drift {drift:.2f} of {threshold:.2f} [{bar:<20}]",
            f"{decoder.num_decodings} decodings, {counts.frames - decoder.num_decodings} saved",
            *lost,
        ]
    )


def _lost(counts: Any) -> list[tuple[int, str]]:
    return [(counts.dropped, "dropped"), (counts.corrupt, "corrupt"), (counts.reconnects, "reconnects")]


def _summary(source: "FrameSource", watch: "Watch", stats: "StreamStats", seconds: float) -> dict[str, Any]:
    """What the stream came to; shares are of the work, which for a live source runs in two threads."""
    parts = {
        "decode": source.counts.seconds,
        "encode": stats.encode,
        "predict": stats.predict,
        "text": stats.text,
    }
    work = sum(parts.values())
    return {
        "kind": "end",
        "frames": source.counts.frames,
        "seconds": seconds,
        "frames_per_second": source.counts.frames / max(seconds, 1e-9),
        "decodings": watch.decoder.num_decodings,
        "shares": {name: spent / work if work else 0.0 for name, spent in parts.items()},
        **{what: count for count, what in _lost(source.counts)},
    }


def _said(summary: dict[str, Any]) -> str:
    shares = ", ".join(f"{name} {share:.0%}" for name, share in summary["shares"].items())
    return (
        f"{summary['frames']} frames in {summary['seconds']:.1f} s, {summary['frames_per_second']:.1f} a second; "
        f"work: {shares}; {summary['decodings']} decodings; {summary['dropped']} frames dropped, "
        f"{summary['corrupt']} corrupt packets, {summary['reconnects']} reconnects"
    )
