"""Progress of long work on the error stream, with rate and time left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

Tell = Callable[[str, str, int, int], None]
"""Stage, what of it is at work, done and in all."""


class _Rate(ProgressColumn):
    """Pieces a second; blank until there is one."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


@contextmanager
def stages() -> Iterator[Tell]:
    """A bar for each stage of the work, begun by the first call that names it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks = {}

        def tell(stage: str, what: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], description=f"{stage}: {what}" if what else stage, completed=done, total=total)

        yield tell


@contextmanager
def silent() -> Iterator[Tell]:
    """For the processes that leave telling to another."""
    yield lambda stage, what, done, total: None


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """The bar of work of a single stage: yields the callback (done, in all)."""
    with stages() as tell:
        yield lambda done, total: tell(what, "", done, total)
