"""The demo from end to end: model, world, parts, summary, page, with the time each took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from vljepa.api import load
from vljepa.demo import familiar, own, streams, summary, tasks, world
from vljepa.demo.page import page
from vljepa.demo.records import OwnReport, WorldReport
from vljepa.demo.seen import Seen
from vljepa.demo.unlike import write_unlike
from vljepa.progress import counting


class Stopwatch:
    """Wall time of parts, in the order they ran.

    Args:
        began: when the first part began, as ``time.monotonic`` tells it.
    """

    def __init__(self, began: float) -> None:
        self.began = began
        self.parts: list[tuple[str, float]] = []
        """Name and seconds."""

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time what runs inside."""
        start = self.began if not self.parts else time.monotonic()
        yield
        self.parts.append((name, time.monotonic() - start))

    @property
    def total(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began


def run(model: str, video: Path | None, out: Path, console: Console, began: float) -> Path:
    """Run the demo on its own world, or on one video; prints the summary and returns the page's path.

    Args:
        model: name of a shipped model, or a checkpoint folder.
        out: folder of the world, the cached features and the page.
        began: when the command began, as ``time.monotonic`` tells it.

    Raises:
        UserError: there is no such model, it lacks a part that the demo shows, or the video cannot be read.
    """
    watch = Stopwatch(began)
    with watch.part("loading the model"):
        seen = Seen(load(model), out / "features")
    report = (
        _on_world(seen, model, out, console, watch) if video is None else _on_file(seen, model, video, console, watch)
    )
    target = out / "report.html"
    with watch.part("writing the page"):
        out.mkdir(parents=True, exist_ok=True)
        target.write_text(page(report, watch.parts), encoding="utf-8")
    summary.ending(console, target, watch.parts, watch.total)
    return target


def _on_file(seen: Seen, model: str, video: Path, console: Console, watch: Stopwatch) -> OwnReport:
    with watch.part("looking at the video"):
        report = own.look_at(seen, video, model)
    summary.own(console, report)
    return report


def _on_world(seen: Seen, model: str, out: Path, console: Console, watch: Stopwatch) -> WorldReport:
    summary.opening(console, model)
    with watch.part("writing the world"):
        with counting("the demo's videos") as progress:
            folder = world.prepare(out / "world", progress)
        unlike = write_unlike(out / "unlike")
    clips = tasks.action_clips(folder)
    with watch.part("seeing all clips"):
        seen.look(clips + tasks.other_clips(folder))
    with watch.part("captions and questions"):
        description = tasks.describe(seen, folder)
    summary.part(console, 1, description)
    with watch.part("labels"):
        labels = tasks.classify(seen, folder)
    summary.part(console, 2, labels)
    with watch.part("search"):
        found = tasks.search(seen, folder)
    summary.search(console, 3, found)
    with watch.part("next steps"):
        forecast = tasks.forecast(seen, folder)
    summary.part(console, 4, forecast)
    with watch.part("watching the stream"):
        watched, economy = streams.watch_world(seen, folder)
    summary.stream(console, 5, watched, economy)
    with watch.part("familiarity"):
        familiarity = familiar.measure(seen, clips, unlike)
    summary.familiarity(console, 6, familiarity)
    return WorldReport(
        model=model,
        description=description,
        labels=labels,
        search=found,
        forecast=forecast,
        watched=watched,
        economy=economy,
        familiarity=familiarity,
    )
