"""Predicted embeddings of clips under queries, each computed once and kept on disk.

A cache lies in a folder named after the system's fingerprint, in the files of ``data/feature_files.py``: a run that is
killed at any moment goes on where it was, and the next run finds what this one computed.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from uuid import uuid4

import numpy as np

from vljepa.data.feature_files import Reader, Row, Writer, read_index
from vljepa.data.features import clip_key
from vljepa.data.lock import locked
from vljepa.distributed import from_all_ranks, from_rank_0, rank, world_size
from vljepa.errors import UserError
from vljepa.evaluation.system import BATCH_SIZE, Embed, embed_batch
from vljepa.types import Clip

Asked = tuple[Clip, str]
"""A clip and its query."""


class EmbeddingCache:
    """Unit embeddings by clip and query. Made by ``build``."""

    def __init__(self, folder: Path, rows: dict[Asked, Row], problems: dict[Asked, str]) -> None:
        self._reader = Reader(folder)
        self._rows = rows
        self._problems = problems

    @classmethod
    def build(
        cls,
        folder: Path,
        fingerprint: str,
        asked: Sequence[Asked],
        embed: Embed,
        prepare: Callable[[list[Clip]], None] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> "EmbeddingCache":
        """Compute what is missing and open the cache. Ranks call it together, and each computes its share.

        What is embedded together depends on ``asked`` alone, neither on how many ranks there are nor on where a run was
        stopped: the last bits of an embedding depend on its batch. Clips that cannot be read are tried again by the
        next build.

        Args:
            folder: parent of all caches, the same for all ranks.
            fingerprint: of the system; another one gives another cache.
            asked: clips with their queries; repeated ones are embedded once.
            prepare: called by all ranks with the clips that will be embedded.
            progress: called with (embeddings done, embeddings in all) after each batch, by rank 0, which takes the
                others to be as fast as it is.

        Raises:
            UserError: the cache's own files are damaged.
            OSError: they cannot be written, e.g. because the disk is full.
        """
        folder = folder / "embeddings" / hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        busy = f"{folder}: another process fills this cache of embeddings; waiting for it"
        with nullcontext() if rank() else locked(folder / "lock", busy, wait=True):
            # Rank 0 alone decides what is missing, so that the shares are disjoint whatever happens to the files.
            keys, problems, row_of = from_rank_0(({}, {}, {}) if rank() else (*_keys(asked), read_index(folder)))
            # Queries of one clip stand together: its features are read once.
            first = {clip: i for i, (clip, _) in reversed(list(enumerate(keys)))}
            pairs = sorted(keys, key=lambda pair: first[pair[0]])
            batches = [pairs[i : i + BATCH_SIZE] for i in range(0, len(pairs), BATCH_SIZE)]
            missing = [batch for batch in batches if any(keys[pair] not in row_of for pair in batch)]
            if prepare is not None:
                prepare(list(dict.fromkeys(clip for batch in missing for clip, _ in batch)))
            writer = Writer(folder, fingerprint, uuid4().hex[:8] if rank() else "", row_of)
            written: dict[str, Row] = {}
            failed: dict[Asked, str] = {}
            total, left = len(pairs), sum(map(len, missing))
            if progress is not None and not rank():
                progress(total - left, total)
            for number in range(rank(), len(missing), world_size()):
                batch = missing[number]
                rows, good, bad = embed_batch(embed, *map(list, zip(*batch, strict=True)))
                failed |= {batch[i]: reason for i, reason in bad.items()}
                new = {keys[batch[i]]: row for i, row in zip(good, rows, strict=True) if keys[batch[i]] not in row_of}
                if new:
                    written |= writer.write(new)
                if progress is not None and not rank():
                    left -= sum(map(len, missing[number : number + world_size()]))
                    progress(total - left, total)
            for rows_of_rank, failed_of_rank in from_all_ranks((written, failed)):
                row_of |= rows_of_rank
                problems |= failed_of_rank
        return cls(folder, {pair: row_of[key] for pair, key in keys.items() if key in row_of}, problems)

    def read(self, clips: Sequence[Clip], queries: Sequence[str]) -> np.ndarray:
        """Unit embeddings (n, E).

        Raises:
            UserError: a clip could not be read.
        """
        asked = list(zip(clips, queries, strict=True))
        for pair in asked:
            if pair not in self._rows:
                raise UserError(self._problems[pair])
        return np.stack([self._reader.read(self._rows[pair]) for pair in asked])


def _keys(asked: Sequence[Asked]) -> tuple[dict[Asked, str], dict[Asked, str]]:
    """What each pair is known by, and what is wrong with those whose clip cannot be opened."""
    keys: dict[Asked, str] = {}
    problems: dict[Asked, str] = {}
    of_clip: dict[Clip, str | UserError] = {}
    for clip, query in dict.fromkeys(asked):
        if clip not in of_clip:
            try:
                of_clip[clip] = clip_key(clip)
            except UserError as error:
                of_clip[clip] = error
        known = of_clip[clip]
        if isinstance(known, UserError):
            problems[clip, query] = str(known)
        else:
            keys[clip, query] = hashlib.sha256(json.dumps([known, query]).encode()).hexdigest()[:32]
    return keys, problems
