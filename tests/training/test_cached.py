"""Training on cached features: bad media are cut off, counted by source and reason, and waited for once in a run."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from pictures import line, pictures_run
from stub_decoders import noted

from vljepa.config import SourceConfig
from vljepa.data.features import FeatureCache
from vljepa.model import bulk
from vljepa.model.vljepa import VLJEPA
from vljepa.training.cached import CachedData
from vljepa.training.data import read_sources


class Cache:
    """The feature cache with other decoders."""

    build = partial(FeatureCache.build, decode=noted)


def test_endless_media_cost_their_time_once_and_are_counted_by_source_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "FeatureCache", Cache)
    config = pictures_run(tmp_path, joint=1, decoder=1, batch=2, decode_seconds=1.0)
    sources = tuple(SourceConfig(manifest=f"{name}.jsonl", num_frames=n) for name, n in (("images", 1), ("videos", 2)))
    config = replace(config, stages=(replace(config.stages[0], sources=sources),))
    data = tmp_path / "data"
    data.mkdir()
    names = {"images": ["1", "2", "endless", "crash"], "videos": ["3", "4", "endless", "crash", "broken"]}
    for manifest, media in names.items():
        lines = [line(name, media=name) for name in media]
        # Two samples of one clip.
        lines.append(line("again", media="endless"))
        (data / f"{manifest}.jsonl").write_text("\n".join(lines) + "\n")
        for name in media:
            (data / name).touch()
    cached = CachedData(config, VLJEPA(config.model), read_sources(config))
    assert cached.num_samples == {"images.jsonl": 2, "videos.jsonl": 2}
    assert cached.num_left_out == 7
    out = capsys.readouterr().out
    for manifest in names:
        assert f"left out: 1 clips of {data / manifest}.jsonl: over the time limit\n" in out
        assert f"left out: 1 clips of {data / manifest}.jsonl: crash of the decoder\n" in out
    assert f"left out: 1 clips of {data / 'videos'}.jsonl: unreadable\n" in out
    assert out.count("endless: is not decoded after 1 s; re-encode or remove it") == 2
    assert [len((data / f"{name}.tried").read_text()) for name in ("endless", "crash", "broken", "1")] == [1] * 4
    assert len(cached.pooled(10, 0)) == 4
