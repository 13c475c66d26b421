"""The feature cache: stored once, read back, continued after a kill, bad clips left out."""

import multiprocessing
import os
import resource
import select
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from media import grey, write_video
from PIL import Image
from stub_decoders import by_name, noted
from torch import Tensor

from vljepa.data import feature_files
from vljepa.data.features import FeatureCache, to_half
from vljepa.data.left_out import LeftOut
from vljepa.data.video import read_clip
from vljepa.types import Clip


class Encoder:
    """Mean level and its double, as one token a frame; counts clips, and may be killed after some."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.num_clips = 0
        self.dies_after = dies_after

    def __call__(self, frames: Tensor) -> Tensor:
        if self.dies_after is not None and self.num_clips >= self.dies_after:
            raise KeyboardInterrupt
        self.num_clips += len(frames)
        level = frames.float().mean(dim=(2, 3, 4))
        return level[:, :, None, None] * level.new_tensor([1.0, 2.0])


def build(folder: Path, clips: list[Clip], encoder: Encoder, fingerprint: str = "a") -> FeatureCache:
    return FeatureCache.build(folder, clips, 2, encoder, fingerprint, size=32, batch=3)


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    found = []
    for i in range(10):
        Image.fromarray(grey([20 * i])[0]).save(path := tmp_path / f"{i}.png")
        found.append(Clip(media=(str(path),)))
    return found


def expected(numbers: list[int]) -> np.ndarray:
    return np.array([[[[20 * i, 40 * i]]] * 2 for i in numbers], np.float16)


def test_reads_back_in_the_order_asked(tmp_path: Path, clips: list[Clip]) -> None:
    encoder = Encoder()
    cache = build(tmp_path / "cache", [*clips, *clips], encoder)
    assert len(cache) == encoder.num_clips == 10  # equal clips are stored once
    np.testing.assert_array_equal(cache.read([clips[i] for i in (7, 0, 7, 3)]), expected([7, 0, 7, 3]))
    assert build(tmp_path / "cache", clips, encoder).left_out == {}
    assert encoder.num_clips == 10  # a second build computes nothing


def test_spans_of_one_video_are_clips_of_their_own(tmp_path: Path) -> None:
    path = str(write_video(tmp_path / "a.mp4", grey([50] * 5 + [150] * 5)))
    spans = [Clip(media=(path,), end=0.5), Clip(media=(path,), start=0.5), Clip(media=(path,))]
    values = build(tmp_path / "cache", spans, Encoder()).read(spans)[:, :, 0, 0]
    np.testing.assert_allclose(values, [[50, 50], [150, 150], [50, 150]], atol=3)


def test_bad_clips_are_listed_and_left_out(tmp_path: Path, clips: list[Clip]) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_text("not a video")
    bad = [Clip(media=(str(broken),)), Clip(media=(str(tmp_path / "none.mp4"),))]
    cache = build(tmp_path / "cache", [bad[0], *clips, bad[1]], Encoder())
    assert len(cache) == 10
    assert not any(clip in cache for clip in bad)
    assert cache.left_out.keys() == set(bad)
    for clip, problem in cache.left_out.items():
        assert problem.message.startswith(f"{clip.media[0]}: ")
        assert problem.reason == "unreadable"


def test_features_are_those_of_clips_decoded_here_bit_for_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clips = []
    for i in range(3):
        path = write_video(tmp_path / f"{i}.mp4", list(rng.integers(0, 256, (6, 48, 64, 3), dtype=np.uint8)))
        clips += [Clip(media=(str(path),)), Clip(media=(str(path),), start=0.2)]

    def encode(frames: Tensor) -> Tensor:
        return frames.float().flatten(2).unflatten(2, (16, -1)) / 7

    cache = FeatureCache.build(tmp_path / "cache", clips, 4, encode, "a", size=32, batch=4)
    for clip in clips:
        expected = to_half(encode(torch.from_numpy(read_clip(clip, 4, size=32))[None]))
        np.testing.assert_array_equal(cache.read([clip]), expected.numpy())


def test_endless_crashing_and_broken_media_cost_their_time_once_and_nothing_else(tmp_path: Path) -> None:
    names = ["0", "endless.mp4", "1", "crash.mp4", *map(str, range(2, 8)), "broken.mp4", "endless.webm", "8", "9"]
    clips = [Clip(media=(str(tmp_path / name),)) for name in names]
    for clip in clips:
        Path(clip.media[0]).touch()

    def built(clips: list[Clip]) -> FeatureCache:
        folder = tmp_path / "cache"
        return FeatureCache.build(folder, clips, 2, Encoder(), "a", size=8, time_limit=1.0, batch=4, decode=noted)

    began = time.monotonic()
    cache = built(clips)
    assert time.monotonic() - began < 20
    good = [clip for clip in clips if Path(clip.media[0]).name.isdigit()]
    assert all(clip in cache for clip in good)
    levels = [int(Path(clip.media[0]).name) for clip in good]
    np.testing.assert_array_equal(cache.read(good)[:, 0, 0], [[level, 2 * level] for level in levels])
    left_out = LeftOut()
    for clip, problem in cache.left_out.items():
        assert str(clip) in problem.message or problem.message.startswith("broken.mp4: ")
        left_out.add(*problem)
    assert left_out.counts == {"over the time limit": 2, "crash of the decoder": 1, "unreadable": 1}
    assert {len(path.read_text()) for path in tmp_path.glob("*.tried")} == {1}
    assert not multiprocessing.active_children()
    # The next build tries these again, and no others.
    assert built(clips).left_out.keys() == cache.left_out.keys()
    tried = {path.stem for path in tmp_path.glob("*.tried") if len(path.read_text()) == 2}
    assert tried == {"endless.mp4", "crash.mp4", "broken.mp4", "endless.webm"}


def test_an_error_of_the_encoder_ends_the_build_in_the_middle_of_an_endless_clip(tmp_path: Path) -> None:
    clips = [Clip(media=(str(tmp_path / name),)) for name in ("0", "1", "endless", "2")]
    for clip in clips:
        Path(clip.media[0]).touch()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        FeatureCache.build(
            tmp_path / "cache", clips, 1, Encoder(dies_after=0), "a", 8, time_limit=3000.0, batch=2, decode=by_name
        )
    assert time.monotonic() - began < 10
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("shard_clips", [4, 512])
def test_continues_after_a_kill(
    tmp_path: Path, clips: list[Clip], shard_clips: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_files, "SHARD_CLIPS", shard_clips)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "cache", clips, Encoder(dies_after=6))
    index = next((tmp_path / "cache").glob("*/index.jsonl"))
    with index.open("a") as file:
        file.write('{"key": "half a li')
    encoder = Encoder()
    cache = build(tmp_path / "cache", clips, encoder)
    assert encoder.num_clips == 4
    np.testing.assert_array_equal(cache.read(clips), expected(list(range(10))))
    assert index.read_text().count("\n") == 10


def test_changed_file_or_encoder_is_computed_anew(tmp_path: Path, clips: list[Clip]) -> None:
    build(tmp_path / "cache", clips, Encoder())
    Image.fromarray(grey([200])[0]).save(clips[4].media[0])
    os.utime(clips[4].media[0], (1, 1))
    encoder = Encoder()
    cache = build(tmp_path / "cache", clips, encoder)
    assert encoder.num_clips == 1
    np.testing.assert_array_equal(cache.read(clips[3:5]), expected([3, 10]))
    other = Encoder()
    build(tmp_path / "cache", clips, other, fingerprint="b")
    assert other.num_clips == 10


def test_lost_shard_is_computed_anew(tmp_path: Path, clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_files, "SHARD_CLIPS", 4)
    folder = build(tmp_path / "cache", clips, Encoder()).folder
    (folder / "shard-00002.npy").unlink()
    # Another clip takes the first row of the lost shard, which held clip 8.
    build(tmp_path / "cache", clips[9:], Encoder())
    cache = build(tmp_path / "cache", clips, encoder := Encoder())
    assert encoder.num_clips == 1
    np.testing.assert_array_equal(cache.read(clips), expected(list(range(10))))
    # A shard that is cut short, or only begun, counts as lost.
    for damaged, size in (("shard-00001.npy", 140), ("shard-00002.npy", 0)):
        os.truncate(folder / damaged, size)
    cache = build(tmp_path / "cache", clips, encoder := Encoder())
    assert encoder.num_clips == 6
    np.testing.assert_array_equal(cache.read(clips), expected(list(range(10))))


def test_two_processes_build_one_cache_in_turn(
    tmp_path: Path, clips: list[Clip], capfd: pytest.CaptureFixture[str]
) -> None:
    encoder = Encoder()
    folder = build(tmp_path / "cache", clips[:4], encoder).folder
    # Another process holds the lock for a second.
    code = f"""if True:
        import time
        from pathlib import Path
        from vljepa.data.lock import locked
        with locked(Path({str(folder)!r}) / "lock", "", wait=False):
            print("held", flush=True)
            time.sleep(1)
            print("freed", flush=True)
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        cache = build(tmp_path / "cache", clips, encoder)
        assert select.select([other.stdout], [], [], 0)[0], "built before the lock was free"
        assert other.stdout.readline() == "freed\n"
    assert capfd.readouterr().err == f"{folder}: another process fills this feature cache; waiting for it\n"
    assert encoder.num_clips == 10
    np.testing.assert_array_equal(cache.read(clips), expected(list(range(10))))


def test_what_another_build_added_meanwhile_is_not_computed_again(tmp_path: Path, clips: list[Clip]) -> None:
    class Slow(Encoder):
        def __call__(self, frames: Tensor) -> Tensor:
            time.sleep(0.05)
            return super().__call__(frames)

    encoders = [Slow(), Slow()]
    with ThreadPoolExecutor(2) as pool:
        caches = list(pool.map(lambda encoder: build(tmp_path / "cache", clips, encoder), encoders))
    assert sorted(encoder.num_clips for encoder in encoders) == [0, 10]
    for cache in caches:
        np.testing.assert_array_equal(cache.read(clips), expected(list(range(10))))


def test_full_disk_is_an_error_and_the_build_goes_on_afterwards(tmp_path: Path, clips: list[Clip]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            build(tmp_path / "cache", clips, Encoder())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    cache = build(tmp_path / "cache", clips, Encoder())
    np.testing.assert_array_equal(cache.read(clips), expected(list(range(10))))
