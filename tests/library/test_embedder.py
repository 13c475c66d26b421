"""The whole way with a real, tiny, untrained model: its values mean nothing, its identity does."""

import json
from pathlib import Path

import pytest
import torch

from vljepa.api import load
from vljepa.cli import main
from vljepa.config import ModelConfig
from vljepa.errors import UserError
from vljepa.library import Embedder, Library
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer


def test_index_and_search_know_their_model(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tiny_config: ModelConfig,
) -> None:
    torch.manual_seed(0)
    network = VLJEPA(tiny_config)
    network.save(tmp_path / "model", card="")
    monkeypatch.chdir(tmp_path)
    assert main(["index", "videos", "--library", "library", "--model", "model"]) == 0
    assert "21 files done (21 clips)" in capsys.readouterr().out

    # The folder of the model is remembered, wherever the search is made from.
    monkeypatch.chdir(folder)
    assert main(["search", "../library", "a red cube", "--top", "30", "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)["hits"]
    embedder = Embedder.load(tmp_path / "model")
    text = embedder.encode_text(["a red cube"])[0]
    again = Library.open(tmp_path / "library", embedder).search("a red cube", top=30)
    assert [hit.path for hit in again] == [hit["path"] for hit in hits] and len(hits) == 21
    embedded = load(tmp_path / "model").encode_video([folder / "film.mp4"])[0]
    (film,) = (hit for hit in hits if hit["path"].endswith("film.mp4"))
    assert film["score"] == pytest.approx(float(embedded @ text), abs=2e-3)

    # A Y-Decoder given afterwards leaves the embeddings as they are; other weights do not.
    network.add_y_decoder(train_tokenizer(["a red cube", "a blue ball"], 300))
    network.save(tmp_path / "model", card="")
    assert Embedder.load(tmp_path / "model").fingerprint == embedder.fingerprint
    torch.nn.init.normal_(network.y_encoder.head.weight)
    network.save(tmp_path / "model", card="")
    with pytest.raises(UserError, match="other weights"):
        Library.open(tmp_path / "library")
