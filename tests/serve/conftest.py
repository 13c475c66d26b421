"""A tiny model behind the whole application, and a small video."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("fastapi", reason="needs the extra: pip install 'open-vl-jepa[serve]'")
from fastapi.testclient import TestClient
from media import grey, write_video

from vljepa.api import Model
from vljepa.config import ModelConfig
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.serve.app import create_app
from vljepa.serve.services import Services
from vljepa.serve.settings import ServeConfig


@pytest.fixture(scope="session")
def network(tiny_config: ModelConfig) -> VLJEPA:
    torch.manual_seed(0)
    return VLJEPA(tiny_config, train_tokenizer(["a red cube", "a blue ball"], 300)).eval()


@pytest.fixture(scope="session")
def model(network: VLJEPA) -> Model:
    return Model(network)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds, each of another grey."""
    frames = grey([40 * second + 20 for second in range(5) for _ in range(10)], 64, 64)
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames)


@pytest.fixture(scope="session")
def serve(model: Model) -> Callable[..., Any]:
    @contextmanager
    def run(data: Path, **settings: Any) -> Iterator[TestClient]:
        config = ServeConfig(data=data, **settings)
        app = create_app(config, lambda: Services.open(config, model, "tiny"))
        with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            yield client

    return run


@pytest.fixture(scope="session")
def media_folder(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """A folder of this machine that requests may name files of."""
    folder = tmp_path_factory.mktemp("media")
    (folder / "inside.mp4").write_bytes(clip.read_bytes())
    (folder / "outside.mp4").symlink_to(clip)
    (folder / "notes.txt").write_text("secret")
    return folder


@pytest.fixture(scope="session")
def client(
    serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, media_folder: Path
) -> Iterator[TestClient]:
    """One server for all tests that can share it."""
    with serve(tmp_path_factory.mktemp("data"), media=media_folder, max_upload_mb=2) as client:
        yield client


@pytest.fixture(scope="session")
def uploaded(client: TestClient, clip: Path) -> str:
    """Id of the clip on the shelf."""
    response = client.post("/v1/media", files={"file": ("my clip.mp4", clip.read_bytes())})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])
