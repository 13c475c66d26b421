"""``vljepa index`` and ``vljepa search``: what they print and how they end, with a model whose embeddings are known."""

import json
from pathlib import Path

import pytest
from fake_model import FakeModel

from vljepa.cli import main
from vljepa.library import Embedder


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    model = FakeModel()
    monkeypatch.setattr(Embedder, "load", lambda name: model.embedder(fingerprint=str(name)))
    return model


def index(folder: Path, *options: str, model: str = "fake") -> int:
    library = str(folder.parent / "library")
    return main(["index", str(folder), "--library", library, "--model", model, "--clip-seconds", "1", *options])


def test_index_sums_up_and_search_ranks(model: FakeModel, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = folder.parent / "library"
    (folder / "broken.mp4").write_bytes(b"no video")
    assert index(folder) == 0
    captured = capsys.readouterr()
    assert captured.out == (
        f"21 files done (25 clips), 0 already there, 0 gone, 1 left out; {library} holds 25 clips\n"
    )
    assert f"vljepa: left out: {folder}/broken.mp4: " in captured.err

    assert index(folder, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["done"], summary["there"], len(summary["left_out"]), summary["library_clips"]) == (0, 21, 1, 25)

    assert main(["search", str(library), "150", "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines) == [f" 1.000  {folder}/film.mp4  3.0 s to 4.0 s", f" 1.000  {folder}/sub 2/14.png"]
    assert main(["search", str(library), "150", "--top", "2", "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)["hits"]
    assert {(hit["path"], hit["start"], hit["end"]) for hit in hits} == {
        (f"{folder}/film.mp4", 3.0, 4.0),
        (f"{folder}/sub 2/14.png", 0.0, 0.0),
    }


def test_nothing_indexed_exits_with_1(model: FakeModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "broken.mp4").write_bytes(b"no video")
    assert index(tmp_path / "videos") == 1
    assert "0 files done (0 clips), 0 already there, 0 gone, 1 left out" in capsys.readouterr().out


def test_a_mistyped_folder_makes_no_library(
    model: FakeModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert index(tmp_path / "nowhere") == 2
    assert (
        capsys.readouterr().err
        == f"vljepa: {tmp_path}/nowhere: is not a folder; name one that holds videos or images\n"
    )
    assert not (tmp_path / "library").exists()


def test_a_stopped_run_says_how_to_go_on(model: FakeModel, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model.kill_at = 20
    assert index(folder) == 130
    assert "vljepa: stopped; the same command goes on from here" in capsys.readouterr().err
    model.kill_at = None
    assert index(folder) == 0
    assert "holds 25 clips" in capsys.readouterr().out


def test_mistakes_exit_with_2_and_one_line(model: FakeModel, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = str(folder.parent / "library")
    assert index(folder) == 0
    capsys.readouterr()
    calls = [
        lambda: index(folder, model="another"),
        lambda: main(["search", library, "150", "--model", "another"]),
        lambda: main(["search", library, " "]),
        lambda: main(["search", library, "150", "--top", "0"]),
        lambda: main(["search", str(folder), "150"]),
        lambda: index(folder.parent / "nowhere"),
        lambda: index(folder, "--clip-seconds", "0"),
    ]
    for call in calls:
        assert call() == 2
        captured = capsys.readouterr()
        errors = [line for line in captured.err.splitlines() if line.startswith("vljepa: ")]
        assert len(errors) == 1 and captured.out == ""


def test_a_name_that_is_no_text_is_printed(model: FakeModel, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sub 2" / "14.png").rename(folder / "sub 2" / "line\nbreak.png")
    assert index(folder) == 0
    capsys.readouterr()
    assert main(["search", str(folder.parent / "library"), "150", "--top", "2"]) == 0
    assert f"{folder}/sub 2/line\\nbreak.png" in capsys.readouterr().out
