from dataclasses import replace
from pathlib import Path

import pytest
from pictures import pictures_run, write_pictures

from vljepa.errors import UserError
from vljepa.training.kept import kept, trained


def test_a_file_is_found_once(tmp_path: Path) -> None:
    path, calls = tmp_path / "found.json", []

    def find() -> dict[str, int]:
        calls.append(1)
        return {"found": len(calls)}

    assert kept(path, find) == kept(path, find) == {"found": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["found.json"]


def test_a_run_is_trained_once_and_leaves_its_model_without_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = pictures_run(tmp_path, joint=2, decoder=1, batch=4, out=str(tmp_path / "run"))
    write_pictures(tmp_path / "data", run)
    folder = trained(run, "vljepa")
    assert folder == tmp_path / "run" / "model" and (folder / "model.safetensors").exists()
    assert not (tmp_path / "run" / "state").exists()

    def again(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("vljepa.training.kept.train", again)
    assert trained(run, "vljepa") == folder
    with pytest.raises(UserError, match="another 'seed'"):
        trained(replace(run, seed=1), "vljepa")
