"""Each clip is embedded once per query, whatever kills the run and however many ranks share it."""

import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from ranks import forked, run_ranks

from vljepa.distributed import rank
from vljepa.errors import UserError
from vljepa.evaluation import embedding_cache
from vljepa.evaluation.embedding_cache import Asked, EmbeddingCache
from vljepa.types import Clip

NUM_CLIPS = 150
QUERIES = ("What?", "", "Which?")


def pairs(folder: Path) -> list[Asked]:
    """Every clip under every query, those of one clip far from one another; one clip is no file, one is broken."""
    for i in range(NUM_CLIPS):
        (folder / f"{i}.mp4").write_text(str(i))
    (folder / "broken.mp4").write_text("broken")
    names = [*range(NUM_CLIPS), "absent", "broken"]
    return [(Clip(media=(str(folder / f"{name}.mp4"),)), query) for query in QUERIES for name in names]


class Embedder:
    """What it embeds depends on the batch in the last bits, as with a real network."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seen: list[Asked] = []
        self.seconds = seconds

    def __call__(self, clips: list[Clip], queries: list[str]) -> np.ndarray:
        time.sleep(self.seconds)
        texts = [Path(clip.media[0]).read_text() for clip in clips]
        if "broken" in texts:
            raise UserError("broken.mp4: not a video")
        self.seen += zip(clips, queries, strict=True)
        values = np.array([[float(text), len(query), 1.0] for text, query in zip(texts, queries, strict=True)])
        return (values + 1e-6 * values.mean(axis=0)).astype(np.float32)


def good(asked: list[Asked]) -> list[Asked]:
    return [pair for pair in asked if "absent" not in pair[0].media[0] and "broken" not in pair[0].media[0]]


def read(cache: EmbeddingCache, asked: list[Asked]) -> np.ndarray:
    return cache.read([clip for clip, _ in asked], [query for _, query in asked])


def test_each_pair_is_embedded_once_and_found_by_the_next_run(tmp_path: Path) -> None:
    asked = pairs(tmp_path)
    embed, told = Embedder(), list[tuple[int, int]]()
    cache = EmbeddingCache.build(
        tmp_path, "a", asked + asked, embed, progress=lambda done, total: told.append((done, total))
    )
    assert sorted(embed.seen, key=repr) == sorted(good(asked), key=repr)
    assert told == sorted(told) and told[-1] == (len(asked) - 3, len(asked) - 3)
    rows = read(cache, good(asked))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert rows.dtype == np.float32 and len(np.unique(rows, axis=0)) > NUM_CLIPS

    again = Embedder()
    found = EmbeddingCache.build(tmp_path, "a", asked, again)
    np.testing.assert_array_equal(read(found, good(asked)), rows)
    # Only the batch with the broken clip is tried again.
    assert len(again.seen) < 64 * 3

    other = Embedder()
    EmbeddingCache.build(tmp_path, "another model", good(asked), other)
    assert len(other.seen) == len(good(asked))


def test_queries_of_a_clip_are_embedded_together(tmp_path: Path) -> None:
    embed = Embedder()
    EmbeddingCache.build(tmp_path, "a", good(pairs(tmp_path)), embed)
    clips = [clip for clip, _ in embed.seen]
    assert clips == [clip for clip in dict.fromkeys(clips) for _ in QUERIES]


def test_bad_clips_are_refused_with_their_reason_and_tried_again(tmp_path: Path) -> None:
    asked = pairs(tmp_path)
    cache = EmbeddingCache.build(tmp_path, "a", asked, Embedder())
    with pytest.raises(UserError, match=r"absent\.mp4: cannot be opened"):
        read(cache, [pair for pair in asked if "absent" in pair[0].media[0]])
    with pytest.raises(UserError, match=r"broken\.mp4: not a video"):
        read(cache, [pair for pair in asked if "broken" in pair[0].media[0]])
    (tmp_path / "broken.mp4").write_text("7")
    mended = [pair for pair in asked if "broken" in pair[0].media[0]]
    assert len(read(EmbeddingCache.build(tmp_path, "a", asked, Embedder()), mended)) == len(QUERIES)


def test_another_file_of_the_same_name_is_embedded_anew(tmp_path: Path) -> None:
    asked = good(pairs(tmp_path))[:1]
    before = read(EmbeddingCache.build(tmp_path, "a", asked, Embedder()), asked)
    Path(asked[0][0].media[0]).write_text("12345")
    assert not np.array_equal(read(EmbeddingCache.build(tmp_path, "a", asked, Embedder()), asked), before)


def pairs_at(folder: Path) -> list[Asked]:
    """As ``pairs``, of files that are there already: those that are written anew are other files."""
    names = [*range(NUM_CLIPS), "absent", "broken"]
    return [(Clip(media=(str(folder / f"{name}.mp4"),)), query) for query in QUERIES for name in names]


def live(folder: Path, cache: Path) -> np.ndarray:
    """One life of a run, which may end at any moment: 29 batches of 10 ms."""
    embedding_cache.BATCH_SIZE = 16
    asked = good(pairs_at(folder))
    return read(EmbeddingCache.build(cache, "a", asked, Embedder(seconds=0.01)), asked)


def test_killed_several_times_is_as_never_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_cache, "BATCH_SIZE", 16)
    pairs(tmp_path)
    rng = random.Random(0)
    sizes = []
    for _ in range(5):
        process = forked().Process(target=live, args=(tmp_path, tmp_path / "killed"), daemon=True)
        process.start()
        # Once it has got somewhere, somewhere between two batches.
        begun = indexed(tmp_path)
        while process.is_alive() and indexed(tmp_path) == begun:
            time.sleep(0.001)
        time.sleep(rng.random() * 0.05)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        sizes.append(indexed(tmp_path))
    # None of them had the time to end, and none began anew.
    assert sizes == sorted(set(sizes)) and sizes[-1] < NUM_CLIPS * len(QUERIES)
    np.testing.assert_array_equal(live(tmp_path, tmp_path / "killed"), live(tmp_path, tmp_path / "never"))


def indexed(folder: Path) -> int:
    """Embeddings that the killed runs have left so far."""
    return sum(path.read_bytes().count(b"\n") for path in (folder / "killed").rglob("index.jsonl"))


def share(folder: Path) -> tuple[np.ndarray, int]:
    embed = Embedder()
    asked = pairs_at(folder)
    told: list[int] = []
    cache = EmbeddingCache.build(folder / "two", "a", asked, embed, progress=lambda done, _: told.append(done))
    assert told == sorted(told) and bool(told) == (not rank())
    with pytest.raises(UserError, match="not a video"):
        read(cache, [pair for pair in asked if "broken" in pair[0].media[0]])
    return read(cache, good(asked)), len(embed.seen)


def test_two_ranks_share_the_work_and_find_the_same_to_the_bit(tmp_path: Path) -> None:
    asked = pairs(tmp_path)
    (first, seen_first), (second, seen_second) = run_ranks(share, tmp_path, tmp_path)
    alone = read(EmbeddingCache.build(tmp_path / "one", "a", asked, Embedder()), good(asked))
    np.testing.assert_array_equal(first, alone)
    np.testing.assert_array_equal(second, alone)
    assert seen_first + seen_second == len(good(asked)) and min(seen_first, seen_second) > NUM_CLIPS
