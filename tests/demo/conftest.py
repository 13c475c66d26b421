"""An untrained checkpoint that knows Tabletop from other videos, and a world of a few clips."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from vljepa.cli import main
from vljepa.config import ModelConfig
from vljepa.model.network import pool
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.tabletop import suite
from vljepa.tabletop.actions import simulate_action
from vljepa.tabletop.render import render
from vljepa.tabletop.scene import VERBS

SIZE = suite.Size(train_actions=0, train_procedures=0, train_images=0, actions=4, novel=3, procedures=1, new_orders=0,
                  images=0, world_model=0, streams=1, stream_seconds=12.0, validation_share=0.0, pixels=64)  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def small_world() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(suite.SIZES, "demo", SIZE)
        yield


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, tiny_config: ModelConfig) -> str:
    torch.manual_seed(0)
    network = VLJEPA(tiny_config, train_tokenizer(["a red cube", "a blue ball"], 300))
    clips = []
    for seed in range(48):
        frames = render(simulate_action(seed, VERBS[seed % len(VERBS)]), 64)
        clips.append(frames[np.linspace(0, len(frames) - 1, 8).astype(int)])
    pooled = torch.cat([pool(network.encode_frames(torch.from_numpy(np.stack([clip])))) for clip in clips])
    network.familiarity.fit(pooled[:32], pooled[32:])
    folder = tmp_path_factory.mktemp("demo") / "model"
    network.save(folder, card="A test.")
    return str(folder)


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out") / "demo"


@pytest.fixture(scope="session")
def on_world(checkpoint: str, out: Path) -> tuple[str, str]:
    """What the demo on its own world printed, and its page."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(["demo", "--model", checkpoint, "--out", str(out)]) == 0
    return printed.getvalue(), (out / "report.html").read_text(encoding="utf-8")
