"""``vljepa prepare``: what is printed, and the exit codes."""

import json
from pathlib import Path

import pytest

from vljepa.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "a.txt").write_text("a cup falls")
    return tmp_path


def test_counts_are_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "folder", str(folder), str(folder)]) == 0
    printed = capsys.readouterr()
    manifest = folder / "train" / "folder.jsonl"
    assert printed.out == f"1 samples in {manifest}\n1 left out\n"
    told = f"vljepa: left out: 1 x caption: there is no text file of that name: {folder / 'b.mp4'}"
    assert told in printed.err


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "folder", str(folder), str(folder), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["manifests"] == {str(folder / "train" / "folder.jsonl"): 1}
    assert printed["left_out"] == {"caption: there is no text file of that name": 1}


def ssv2(folder: Path) -> list[str]:
    (folder / "labels.json").write_text('{"Holding something": "0", "Dropping something": "1"}')
    template = '{"id": "%s", "template": "Holding [something]", "label": "x"}'
    (folder / "validation.json").write_text(f"[{template % 'a'}, {template % 'gone'}]")
    return ["prepare", "ssv2", str(folder), str(folder)]


def test_a_benchmark(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ssv2(folder)) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert error[-1].startswith(
        "vljepa: ssv2: 1 items found, the official split has 24,777; give --partial to take them"
    )
    assert main([*ssv2(folder), "--partial"]) == 0
    printed = capsys.readouterr()
    missing = folder / "missing" / "ssv2.txt"
    assert printed.out.splitlines() == [
        f"1 of 24,777 items in {folder / 'test' / 'ssv2'}, 1 left out",
        f"missing media are listed in {missing}",
    ]
    assert "vljepa: ssv2: left out: 1 x media: is missing: " in printed.err
    assert "vljepa: ssv2: noted: 1 x classes: one has no item, it stays a candidate: Dropping something" in printed.err
    assert missing.read_text() == "gone\n"


def test_a_benchmark_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ssv2(folder), "--partial", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)["ssv2"]
    assert (printed["items"], printed["official_items"]) == (1, 24_777)
    assert printed["left_out"]["counts"] == {"media: is missing": 1}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["folder", "--partial"], "--partial: is for benchmarks, not for folder; leave it out"),
        (["folder", "--options", "a=b"], "--options: is for benchmarks, not for folder; leave it out"),
        (["ssv2", "--uids", "u.npy"], "--uids: chooses from datacomp, not from ssv2; leave the option out"),
        (
            ["ssv2", "--options", "split"],
            "--options split: is not NAME=VALUE; write the option's name, =, and its value",
        ),
        (["ssv2", "--options", "a=b"], "--options a: ssv2 has no such option: it has none"),
    ],
)
def test_options_that_do_not_fit(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    name, *options = arguments
    assert main(["prepare", name, str(folder), str(folder), *options]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1] == f"vljepa: {problem}"


def test_an_unknown_set_is_bad_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "imagenet21k", str(folder), str(folder)]) == 2
    error = capsys.readouterr().err.strip()
    assert error.splitlines()[-1].startswith("vljepa: no set 'imagenet21k'; choose one of action100m,")
