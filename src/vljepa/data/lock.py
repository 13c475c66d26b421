"""One process at a time: an advisory lock on a file, which the system frees when its holder ends, however it ends."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vljepa.errors import UserError


@contextmanager
def locked(path: Path, busy: str, *, wait: bool) -> Iterator[None]:
    """Hold the lock at ``path``; the file is made if absent, its folder must exist, and it stays behind.

    Args:
        busy: one line for people if another process holds the lock.
        wait: print the line on stderr and wait for the lock, instead of raising it.

    Raises:
        UserError: the lock is held and ``wait`` is False.
    """
    # Imported here: Windows lacks it, and reading a cache or asking a model need not lock anything.
    import fcntl

    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not wait:
                raise UserError(busy) from error
            print(busy, file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
