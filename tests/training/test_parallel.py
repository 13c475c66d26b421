"""Two processes train as one: the same losses, the same weights but for rounding, from any state of the other."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pictures import COLOURS, line, pictures_run, write_pictures
from ranks import run_ranks
from safetensors.torch import load_file
from torch import Tensor

from vljepa import distributed
from vljepa.config import RunConfig
from vljepa.errors import UserError
from vljepa.recipes.models import token_vlm
from vljepa.training import parallel
from vljepa.training.checkpoint import Saver
from vljepa.training.loop import train

LONG = 50
"""Steps of the one stage of a long run."""
JOINT, DECODER = 6, 4
"""Steps of the two stages of a short one."""
STOP = 4
"""Step after which a short run is stopped, to be continued by others."""


def config_in(folder: Path) -> RunConfig:
    """A run over the pictures in ``folder``, in batches of which a rank may have no query, and the other one some."""
    config = pictures_run(folder, joint=JOINT, decoder=DECODER, batch=6, log_every=1)
    x_encoder = replace(config.model.x_encoder, frame_size=64, grid=2)
    return replace(config, model=replace(config.model, x_encoder=x_encoder))


def long(config: RunConfig) -> RunConfig:
    """The same, of one stage."""
    return replace(config, stages=(replace(config.stages[0], num_steps=LONG),))


def vlm(config: RunConfig) -> RunConfig:
    """A token-space VLM in the same run, but for what trains a Y-Encoder or Y-Decoder, of which it has none."""
    return replace(config, model=token_vlm(config.model), stages=(replace(config.stages[0], wordings=None),))


class Stopped(BaseException):
    """Stands for the end of the process."""


def stopped(config: RunConfig) -> None:
    """Train until the state after ``STOP`` steps is on disk, and no further."""
    config = replace(config, save_every=2 * STOP)
    save = Saver.save

    def save_and_stop(saver: Saver, step: int, *state: Any) -> None:
        save(saver, step, *state)
        raise Stopped

    Saver.save = save_and_stop  # type: ignore[method-assign]
    try:
        train(config)
    except Stopped:
        distributed.wait_for_all()
    finally:
        Saver.save = save  # type: ignore[method-assign]


def work(folder: Path) -> dict[str, Any]:
    """All that two processes are asked to do, one after the other: processes are slow to start."""
    config = config_in(folder)
    train(replace(long(config), out=str(folder / "two, long")))
    train(replace(config, out=str(folder / "two")))
    train(replace(config, out=str(folder / "chunks"), micro_batch_size=2))
    train(replace(config, out=str(folder / "sharded"), sharded=True, recompute=True))
    train(replace(vlm(config), out=str(folder / "vlm two"), sharded=True, micro_batch_size=2))
    stopped(replace(config, out=str(folder / "two, then one")))
    stopped(replace(config, out=str(folder / "shards, then one"), sharded=True))
    stopped(replace(config, out=str(folder / "two, then two")))
    train(replace(config, out=str(folder / "two, then two")))
    train(replace(config, out=str(folder / "one, then shards"), sharded=True))
    try:
        train(replace(config, out=str(folder / "odd"), stages=(replace(config.stages[0], global_batch_size=3),)))
    except UserError as error:
        return {"odd": str(error)}
    return {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the run folder ``one`` of a single process, and those of ``work``, some continued by a single process."""
    folder = tmp_path_factory.mktemp("parallel")
    config = config_in(folder)
    asked = [line(colour, id=f"asked {colour}", query="what colour is it?") for colour in COLOURS[:4]]
    write_pictures(folder / "data", config, extra=tuple(asked))
    train(replace(long(config), out=str(folder / "one, long")))
    train(replace(config, out=str(folder / "one")))
    train(replace(vlm(config), out=str(folder / "vlm one")))
    stopped(replace(config, out=str(folder / "one, then shards")))
    (odd, _) = run_ranks(work, folder, folder)
    assert "a batch of 3 does not divide among 2 processes" in odd["odd"]
    for name in ("two, then one", "shards, then one"):
        train(replace(config, out=str(folder / name)))
    return folder


def losses(run: Path) -> list[float]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["loss"] for row in rows]


def weights(run: Path) -> dict[str, Tensor]:
    return load_file(run / "model" / "model.safetensors")


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "name",
    ["two", "chunks", "sharded", "two, then one", "shards, then one", "one, then shards"],
)
def test_loss_curve_is_that_of_one_process(folder: Path, name: str) -> None:
    assert len(losses(folder / name)) == JOINT + DECODER
    torch.testing.assert_close(losses(folder / name), losses(folder / "one"), rtol=1e-5, atol=1e-5)
    assert weights(folder / name).keys() == weights(folder / "one").keys()


@pytest.mark.timeout(180)
def test_loss_curve_of_a_token_space_vlm_is_that_of_one_process(folder: Path) -> None:
    """Ranks have texts of different lengths, and the mean is over the tokens of all; here in shards and chunks."""
    torch.testing.assert_close(losses(folder / "vlm two"), losses(folder / "vlm one"), rtol=1e-5, atol=1e-5)
    assert weights(folder / "vlm two").keys() == weights(folder / "vlm one").keys()


@pytest.mark.timeout(180)
def test_loss_curve_stays_that_of_one_process(folder: Path) -> None:
    assert len(losses(folder / "two, long")) == LONG
    torch.testing.assert_close(losses(folder / "two, long"), losses(folder / "one, long"), rtol=1e-4, atol=1e-5)


@pytest.mark.timeout(180)
def test_continued_run_is_the_uninterrupted_one_bit_for_bit(folder: Path) -> None:
    expected, actual = weights(folder / "two"), weights(folder / "two, then two")
    assert all(torch.equal(actual[name], expected[name]) for name in expected)
    assert losses(folder / "two, then two") == losses(folder / "two")


@pytest.mark.timeout(180)
def test_one_rank_writes(folder: Path) -> None:
    for name in ("two", "sharded"):
        assert {path.name for path in (folder / name).iterdir()} == {path.name for path in (folder / "one").iterdir()}


def test_alone_gradients_stay_as_they_are() -> None:
    parameters = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))]
    parameters[0].grad = torch.tensor([3.0, 4.0])
    parallel.average_gradients(parameters)
    assert parameters[1].grad is None
    assert parallel.clip_gradients(parameters, 1.0).item() == 5.0
    torch.testing.assert_close(parameters[0].grad, torch.tensor([0.6, 0.8]))
