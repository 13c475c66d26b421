"""Ranks fill a feature cache together: what one process computes, each clip once, after a death of all of them too."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from media import grey
from PIL import Image
from ranks import run_ranks
from stub_decoders import by_name
from torch import Tensor

from vljepa.data import feature_files
from vljepa.data.features import FeatureCache
from vljepa.data.left_out import Problem
from vljepa.distributed import rank
from vljepa.types import Clip

NUM_CLIPS = 20


def clips_in(folder: Path) -> list[Clip]:
    return [Clip(media=(str(folder / f"{i}.png"),)) for i in range(NUM_CLIPS)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i, clip in enumerate(clips_in(tmp_path)):
        Image.fromarray(grey([10 * i])[0]).save(clip.media[0])
    return tmp_path


def build(folder: Path, clips: list[Clip], seen: list[int], dies_after: int | None = None) -> FeatureCache:
    """Features are the mean level and its double; ``seen`` receives the levels that are encoded here."""
    told: list[tuple[int, int]] = []

    def encode(frames: Tensor) -> Tensor:
        if dies_after is not None and len(seen) >= dies_after:
            # A death that nothing is tidied up after; the others must not wait for the result.
            torch.save(None, folder / f"{rank()}.pt")
            os._exit(0)
        level = frames.float().mean(dim=(2, 3, 4))
        seen.extend(level[:, 0].int().tolist())
        return level[:, :, None, None] * level.new_tensor([1.0, 2.0])

    feature_files.SHARD_CLIPS = 4
    progress = lambda *values: told.append(values)  # noqa: E731
    cache = FeatureCache.build(folder / "cache", clips, 2, encode, "a", size=32, batch=3, progress=progress)
    assert told[-1:] == ([] if rank() else [(NUM_CLIPS, NUM_CLIPS)])
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    return cache


def work(folder: Path, dies_after: int | None = None) -> tuple[list[int], np.ndarray, dict[Clip, Problem]]:
    seen: list[int] = []
    bad = Clip(media=(str(folder / "none.png"),))
    cache = build(folder, [bad, *clips_in(folder)], seen, dies_after)
    clips = [clip for clip in clips_in(folder) if clip in cache]
    return seen, cache.read(clips), cache.left_out


def expected(clips: int = NUM_CLIPS) -> np.ndarray:
    return np.array([[[[10 * i, 20 * i]]] * 2 for i in range(clips)], np.float16)


def keys(folder: Path) -> list[str]:
    """Of all indexes together."""
    indexes = (folder / "cache").glob("*/index*.jsonl")
    return [json.loads(line)["key"] for index in indexes for line in index.read_text().splitlines()]


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_files, "SHARD_CLIPS", 4)


def test_two_ranks_compute_what_one_does(folder: Path) -> None:
    (folder / "7.png").write_text("no picture")
    results = run_ranks(work, folder, folder)
    levels = [10 * i for i in range(NUM_CLIPS) if i != 7]
    assert sorted(results[0][0] + results[1][0]) == levels
    assert min(len(seen) for seen, _, _ in results) >= 9
    for _, features, left_out in results:
        np.testing.assert_array_equal(features, np.delete(expected(), 7, axis=0))
        assert sorted(Path(clip.media[0]).name for clip in left_out) == ["7.png", "none.png"]
        assert all(problem.message.startswith(clip.media[0]) for clip, problem in left_out.items())
    # Another process, on its own, finds it all there.
    seen, features, _ = work(folder)
    assert seen == []
    np.testing.assert_array_equal(features, np.delete(expected(), 7, axis=0))
    assert len(set(keys(folder))) == len(keys(folder)) == NUM_CLIPS - 1


def among_bad(folder: Path) -> tuple[np.ndarray, dict[str, str]]:
    """Features of the clips 0 to 7, and the reasons of the others by name."""
    names = ["endless", "0", "1", "crash", "2", "3", "broken", "4", "5", "endless too", "6", "7"]
    clips = {name: Clip(media=(str(folder / name),)) for name in names}
    encode = lambda frames: frames.float()[:, :, 0, :1, :1]  # noqa: E731
    cache = FeatureCache.build(
        folder / "cache", clips.values(), 1, encode, "a", 8, time_limit=1.0, batch=3, decode=by_name
    )
    reasons = {Path(clip.media[0]).name: problem.reason for clip, problem in cache.left_out.items()}
    return cache.read([clip for name, clip in clips.items() if name not in reasons]), reasons


def test_endless_and_crashing_media_of_one_rank_are_known_to_all(folder: Path) -> None:
    for name in ["endless", "crash", "broken", "endless too", *map(str, range(8))]:
        (folder / name).touch()
    for features, reasons in run_ranks(among_bad, folder, folder):
        np.testing.assert_array_equal(features.squeeze(), range(8))
        assert reasons == {
            "endless": "over the time limit",
            "endless too": "over the time limit",
            "crash": "crash of the decoder",
            "broken": "unreadable",
        }


@pytest.mark.parametrize("others", [1, 3])
def test_goes_on_after_a_death_with_another_number_of_ranks(folder: Path, others: int) -> None:
    run_ranks(work, folder, folder, 6)
    named = keys(folder)
    assert len(named) == len(set(named)) == 12
    for index in (folder / "cache").glob("*/index*.jsonl"):
        with index.open("a") as file:
            file.write('{"key": "half a li')
    results = [work(folder)] if others == 1 else run_ranks(work, folder, folder, world_size=others)
    assert sum(len(seen) for seen, _, _ in results) == NUM_CLIPS - 12
    for _, features, _ in results:
        np.testing.assert_array_equal(features, expected())
    assert len(set(keys(folder))) == len(keys(folder)) == NUM_CLIPS
    # The lost shard of a rank costs its own rows and no others.
    next(path for path in (folder / "cache").glob("*/shard-*-00000.npy")).unlink()
    seen, features, _ = work(folder)
    assert 0 < len(seen) <= 4
    np.testing.assert_array_equal(features, expected())


def test_reads_a_cache_of_one_index(folder: Path) -> None:
    """The layout of before there were ranks, written here by hand."""
    cache = build(folder, clips_in(folder), [])
    (index,) = cache.folder.glob("index*.jsonl")
    assert [json.loads(line)["row"] for line in index.read_text().splitlines()] == list(range(NUM_CLIPS))
    assert sorted(path.name for path in cache.folder.iterdir()) == [
        "about.json",
        "index.jsonl",
        "lock",
        *(f"shard-{number:05d}.npy" for number in range(NUM_CLIPS // 4)),
    ]
    for number in range(NUM_CLIPS // 4):
        np.save(cache.folder / f"shard-{number:05d}.npy", -expected()[4 * number : 4 * number + 4])
    seen, features, _ = work(folder)
    assert seen == []
    np.testing.assert_array_equal(features, -expected())
