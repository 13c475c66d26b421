"""Decoded batches: the same for any number of processes and ranks, whatever the media do, and nothing left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch
from media import grey, write_video
from stub_decoders import by_name
from tars import write_shards

from vljepa.data.clips import ClipLoader
from vljepa.data.mixture import ManifestSamples, Mixture, Source
from vljepa.data.shards import ShardSet
from vljepa.data.video import read_clip
from vljepa.errors import UserError
from vljepa.types import Clip, FrameBatch, Sample


def source(names: list[str], name: str = "x") -> Source:
    samples = [Sample(id=n, clip=Clip(media=(n,)), query=f"query {n}", targets=(f"target {n}",)) for n in names]
    return Source(name=name, samples=ManifestSamples(samples), weight=1.0, num_frames=2)


def equal(a: FrameBatch, b: FrameBatch) -> bool:
    return a.queries == b.queries and a.targets == b.targets and torch.equal(a.frames, b.frames)


def join(parts: list[FrameBatch]) -> FrameBatch:
    return FrameBatch(
        frames=torch.cat([part.frames for part in parts]),
        queries=[query for part in parts for query in part.queries],
        targets=[target for part in parts for target in part.targets],
    )


def test_files_and_shards_in_order_for_any_number_of_processes_ranks_and_first_step(tmp_path: Path) -> None:
    write_shards(tmp_path, [5, 6])
    paths = [str(write_video(tmp_path / f"{i}.mp4", grey([10 * i + j for j in range(6)]))) for i in range(7)]
    shards = ShardSet(str(tmp_path), tmp_path / "index")
    sources = [
        Source(name="web", samples=shards, weight=1.0, num_frames=1),
        Source(name="films", samples=source(paths).samples, weight=1.0, num_frames=3),
    ]
    straight = list(ClipLoader(sources, 4, 0, size=16, num_processes=2).batches(0, 8))
    assert {tuple(batch.frames.shape) for batch in straight} == {(4, 1, 16, 16, 3), (4, 3, 16, 16, 3)}
    mixture = Mixture(sources, 4, 0)
    for step, batch in enumerate(straight):
        number, first = mixture.batch(step)
        for place in range(4):
            sample, target = mixture.sample(number, first + place)
            expected = torch.from_numpy(read_clip(sample.clip, sources[number].num_frames, size=16))
            assert torch.equal(batch.frames[place], expected)
            assert (batch.queries[place], batch.targets[place]) == (sample.query, target)
    ranks = [
        list(ClipLoader(sources, 4, 0, size=16, rank=r, world_size=2, num_processes=1).batches(3, 8)) for r in range(2)
    ]
    for a, b, both in zip(*ranks, straight[3:], strict=True):
        assert equal(join([a, b]), both)
    with pytest.raises(UserError, match="does not divide among 3 processes"):
        ClipLoader(sources, 4, 0, size=16, world_size=3)
    assert not multiprocessing.active_children()


def test_endless_crashing_and_broken_media_are_replaced_and_counted() -> None:
    names = [*map(str, range(20)), "endless.mp4", "crash.mp4", "broken.mp4", "endless.webm"]
    loader = ClipLoader([source(names)], 6, 0, size=8, time_limit=2.0, decode=by_name)
    batches = list(loader.batches(0, 8))
    # The rule, in one process and from the list of the bad alone.
    for step, batch in enumerate(batches):
        expected = []
        for place in range(6):
            position = loader.mixture.batch(step)[1] + place
            while not (name := loader.mixture.sample(0, position)[0].clip.media[0]).isdigit():
                position += 6
            expected.append(name)
        assert batch.queries == [f"query {name}" for name in expected]
        assert batch.targets == [f"target {name}" for name in expected]
        assert batch.frames[:, 1, 2, 3, 0].tolist() == list(map(int, expected))
    (left_out,) = loader.left_out
    # Two epochs, yet each clip is tried and counted once.
    assert left_out.counts == {"over the time limit": 2, "crash of the decoder": 1, "unreadable": 1}
    assert left_out.examples["crash of the decoder"] == ["crash.mp4: ends the decoder; re-encode or remove it"]
    assert "endless.mp4: is not decoded after 2 s" in "".join(left_out.examples["over the time limit"])
    assert left_out.examples["unreadable"] == ["broken.mp4: is broken; fetch it again"]
    # A run continued in the second epoch finds the same batches.
    resumed = ClipLoader([source(names)], 6, 0, size=8, time_limit=2.0, num_processes=1, decode=by_name)
    assert all(equal(a, b) for a, b in zip(resumed.batches(6, 8), batches[6:], strict=True))
    assert not multiprocessing.active_children()


def test_slow_file_is_cut_off(tmp_path: Path) -> None:
    # One large picture a thousand times a second: many seconds of work for a clip of a few.
    once = write_video(tmp_path / "once.mjpeg", grey([90], 1080, 1920), codec="mjpeg", pix_fmt="yuvj420p")
    slow = tmp_path / "slow.mkv"
    with av.open(str(once)) as source_file, av.open(str(slow), "w") as container:
        stream = container.add_stream_from_template(source_file.streams.video[0])
        picture = bytes(next(source_file.demux(video=0)))
        for index in range(4000):
            packet = av.Packet(picture)
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 1000), True
            packet.pts = packet.dts = index
            container.mux(packet)
    good = write_video(tmp_path / "good.mp4", grey([50] * 4))
    loader = ClipLoader([source([str(slow), str(good)])], 2, 0, size=16, time_limit=1.0, num_processes=1)
    (batch,) = loader.batches(0, 1)
    assert batch.queries == [f"query {good}"] * 2
    assert loader.left_out[0].counts == {"over the time limit": 1}


def test_a_source_of_which_nothing_can_be_decoded_ends_the_run() -> None:
    loader = ClipLoader([source(["broken1", "broken2"], "web")], 2, 0, size=8, decode=by_name)
    with pytest.raises(UserError, match=r"web: 64 samples in a row cannot be decoded; one: broken\d: is broken"):
        list(loader.batches(0, 3))
    assert not multiprocessing.active_children()


def test_left_early_in_the_middle_of_an_endless_clip() -> None:
    sources = [source([*map(str, range(8)), "endless"])]
    # The first batch is whole, the second hangs.
    seed = next(seed for seed in range(100) if Mixture(sources, 3, seed).sample(0, 3)[0].id == "endless")
    batches = ClipLoader(sources, 3, seed, size=8, time_limit=3000.0, decode=by_name).batches(0, 1000)
    next(batches)
    began = time.monotonic()
    batches.close()
    assert time.monotonic() - began < 10
    assert not multiprocessing.active_children()


SCRIPT = """
import multiprocessing, signal, sys
sys.path[:0] = {paths!r}
from stub_decoders import by_name
from vljepa.data.clips import ClipLoader
from vljepa.data.mixture import ManifestSamples, Mixture, Source
from vljepa.types import Clip, Sample

if __name__ == "__main__":
    # A test run in the background of a shell has inherited that Ctrl-C is to be ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    names = [*map(str, range(8)), "endless"]
    samples = [Sample(id=n, clip=Clip(media=(n,)), query="", targets=(n,)) for n in names]
    source = Source(name="x", samples=ManifestSamples(samples), weight=1.0, num_frames=1)
    seed = next(seed for seed in range(100) if Mixture([source], 2, seed).sample(0, 2)[0].id == "endless")
    loader = ClipLoader([source], 2, seed, size=8, time_limit=3000.0, decode=by_name)
    for step, _ in enumerate(loader.batches(0, 1000)):
        if step == 0:
            print(*[child.pid for child in multiprocessing.active_children()], flush=True)
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_an_interrupted_or_killed_run(tmp_path: Path, end: signal.Signals) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.format(paths=[path for path in sys.path if path]))
    # A session of its own: the signal goes to the whole group, as a terminal's does.
    run = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert run.stdout is not None
        pids = [int(pid) for pid in run.stdout.readline().split()]
        assert len(pids) == 2
        # By now one process hangs in the endless clip, and the other waits for work.
        time.sleep(0.5)
        if end == signal.SIGINT:
            os.killpg(run.pid, end)
        else:
            run.kill()
        _, errors = run.communicate(timeout=30)
    finally:
        run.kill()
    assert run.returncode == -end
    assert errors.count("Traceback") == (1 if end == signal.SIGINT else 0)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "a decoding process is left"
        time.sleep(0.05)
