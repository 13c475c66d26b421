"""Which names mean a model of others, and what is said of those that cannot be measured."""

import json
from pathlib import Path

import pytest
from peer_models import write_clip

from vljepa.errors import UserError
from vljepa.evaluation.peers.loading import is_peer, peer_system


def test_names_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_peer("openai/clip-vit-base-patch32")
    assert is_peer("openai/clip-vit-base-patch32@main")
    assert not is_peer("nano")
    assert not is_peer("runs/nano/model"), "a checkpoint of ours that is not there yet"
    ours = tmp_path / "runs" / "model"
    ours.mkdir(parents=True)
    assert not is_peer("runs/model"), "a folder that is there"
    (ours / "config.json").write_text(json.dumps({"x_encoder": {}}))
    assert not is_peer("runs/model")
    (ours / "config.json").write_text(json.dumps({"model_type": "clip"}))
    assert is_peer("runs/model")
    (ours / "config.json").write_text("{")
    assert not is_peer("runs/model"), "what reads checkpoints of ours says what is wrong"


def test_a_model_of_another_kind_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match=r"is a 'bert'; measured are checkpoints of vljepa, dual encoders") as caught:
        peer_system(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_processor_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "peer")
    for path in folder.glob("*processor*"):
        path.unlink()
    with pytest.raises(UserError, match="its processor cannot be read") as caught:
        peer_system(str(folder))
    assert "\n" not in str(caught.value)
