"""A set of WebDataset tar shards as a source of samples with random access.

Each shard has an index (``shard_index.py``), so that any sample can be read at once: the order of a run is a pure
function of seed and epoch, and a run continues in the middle of an epoch from the number of its step alone.
"""

import glob
import os
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int

from vljepa.data.left_out import LeftOut
from vljepa.data.lock import locked
from vljepa.data.shard_index import ShardIndex
from vljepa.errors import UserError
from vljepa.types import Sample

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


class ShardSet:
    """The samples of many shards, numbered through. Of their indexes only those in use are in memory."""

    def __init__(
        self,
        pattern: str,
        index_folder: str | Path,
        *,
        window: int = 16,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """
        Args:
            pattern: shards, see ``shard_paths``.
            index_folder: where their indexes are kept, made if absent. Another process that indexes there is waited
                for.
            window: shards between which samples are mixed: more mix better, fewer read the disk more in sequence.
            progress: called with (shards indexed, shards in all).

        Raises:
            UserError: no shard, or not one usable sample in them.
            OSError: an index cannot be written.
        """
        paths = shard_paths(pattern)
        folder = Path(index_folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.window = window
        self.left_out = LeftOut()
        """Samples that cannot be used, over all shards."""
        self._shards = []
        with locked(folder / "lock", f"{folder}: another process indexes shards there; waiting for it", wait=True):
            for done, path in enumerate(paths, start=1):
                self._shards.append(ShardIndex.open(path, folder))
                self.left_out.merge(self._shards[-1].left_out)
                if progress is not None:
                    progress(done, len(paths))
        # _ends[s]: samples in the shards up to and including s.
        self._ends = np.cumsum([shard.num_samples for shard in self._shards])
        if not len(self):
            first = self.left_out.first() if len(self.left_out) else "they are empty"
            raise UserError(f"{pattern}: no sample of {len(paths)} shards can be used; the first: {first}")
        # The window being read and the next, which reading ahead reaches into.
        self._samples = lru_cache(maxsize=2 * window)(self._read)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Sample:
        """Sample ``index`` in the order of the shards.

        Raises:
            IndexError: not in ``range(len(self))``.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        shard = int(np.searchsorted(self._ends, index, side="right"))
        # Counted from the shard's end, as a negative index.
        return self._samples(shard)[index - int(self._ends[shard])]

    def order(self, rng: np.random.Generator) -> Int[np.ndarray, " samples"]:
        """Every sample once, in a random order that visits few shards at a time.

        The shards are permuted; of each ``window`` of them in turn the samples are permuted together.
        """
        shards = rng.permutation(len(self._shards))
        starts = self._ends - [shard.num_samples for shard in self._shards]
        windows = []
        for first in range(0, len(shards), self.window):
            group = shards[first : first + self.window]
            windows.append(rng.permutation(np.concatenate([np.arange(starts[s], self._ends[s]) for s in group])))
        return np.concatenate(windows)

    def _read(self, shard: int) -> list[Sample]:
        return self._shards[shard].samples()


def shard_paths(pattern: str) -> list[Path]:
    """Absolute paths of the shards that a pattern names, each once, in order.

    Args:
        pattern: a tar file, a folder of them, or a glob; ``{00000..00041}`` stands for each number of a range and
            ``{a,b}`` for each word of a list, as in a shell.

    Raises:
        UserError: a range runs backwards, or a part of the pattern names no file.
    """
    paths: list[Path] = []
    for text in _expand(pattern):
        found = [Path(text)]
        if os.path.isdir(text):
            found = sorted(Path(text).glob("*.tar"))
        elif not os.path.exists(text):
            found = sorted(map(Path, glob.glob(text, recursive=True)))
        if not found:
            raise UserError(f"{text}: names no tar shard; check the path or the pattern")
        paths += found
    return list(dict.fromkeys(Path(os.path.abspath(path)) for path in paths))


def _expand(pattern: str) -> list[str]:
    braces = _BRACES.search(pattern)
    if braces is None:
        return [pattern]
    span = _RANGE.fullmatch(braces[1])
    if span is None:
        words = braces[1].split(",")
    elif int(span[1]) > int(span[2]):
        raise UserError(f"{pattern}: {braces[0]} runs backwards; write the smaller number first")
    else:
        words = [str(number).zfill(len(span[1])) for number in range(int(span[1]), int(span[2]) + 1)]
    before, after = pattern[: braces.start()], pattern[braces.end() :]
    return [text for word in words for text in _expand(before + word + after)]
