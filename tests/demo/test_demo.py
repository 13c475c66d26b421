"""The demo as a newcomer runs it, on an untrained model: what it says is wrong, but all of it must be shown."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vljepa.cli import main
from vljepa.demo.wording import PAPER
from vljepa.tabletop.actions import simulate_action
from vljepa.tabletop.jobs import write_video
from vljepa.tabletop.render import render

SECTIONS = (
    "1. Caption, and two questions",
    "2. Labels in words it never saw",
    "3. Search 4 clips by text",
    "4. What happens next",
    "5. Two minutes, decoded only where the meaning changes",
    "6. Does it know what it does not know?",
)


def _is_self_contained(page: str) -> None:
    assert set(re.findall(r'href="([^"]*)"', page)) <= {PAPER}
    assert all(source.startswith("data:image/") for source in re.findall(r'src="([^"]*)"', page))
    assert not re.search(r"<(script|link|iframe|object)|@import|url\(", page)


def test_summary_and_page_have_every_part(on_world: tuple[str, str], out: Path) -> None:
    printed, page = on_world
    for section in SECTIONS:
        assert section in printed
        assert f"<h2>{html.escape(section)}</h2>" in page
    assert all(len(line.rstrip()) <= 80 for line in printed.splitlines() if not line.startswith("Report"))
    assert f"Report  {out / 'report.html'}" in printed
    assert re.search(r"Time    \d+\.\d s \(loading the model", printed)
    _is_self_contained(page)
    assert all(re.findall(r'<img[^>]* ?alt="([^"]*)"', page))
    assert page.count("<img") == len(re.findall(r'<img alt="[^"]+"', page)) > 20
    assert page.count("✓") + page.count("✗") >= 3 * 3 + 6 + 3 * 3


def test_what_is_unlike_the_world_is_said_to_be(on_world: tuple[str, str]) -> None:
    printed, page = on_world
    for text in (printed, page):
        assert text.count("Unlike anything it was trained on") == 2
        assert text.count("What it would say, not to be trusted") == 2


def test_own_video_unlike_the_world_is_warned_of_first(
    checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 80, 3), dtype=np.uint8)
    write_video(tmp_path / "my <b>day & night.mp4", noise)
    arguments = ["demo", str(tmp_path / "my <b>day & night.mp4"), "--model", checkpoint, "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert printed.index("Unlike anything it was trained on") < printed.index("not to be trusted")
    assert printed.index("not to be trusted") < printed.index("How many objects are there?")
    assert "As a stream" in printed and "Is there a red cube?" in printed and "best of 34 labels" in printed
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.index("Unlike anything it was trained on") < page.index("<h2>")
    assert "my <b>" not in page and "my &lt;b&gt;day &amp; night" in page
    assert "truth" not in re.sub("<style>.*?</style>", "", page, flags=re.DOTALL)
    _is_self_contained(page)
    assert not (tmp_path / "out" / "world").exists()


def test_own_video_of_the_world_is_taken_for_it(
    checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "clip.mp4", render(simulate_action(3, "push_left"), 64))
    assert main(["demo", str(tmp_path / "clip.mp4"), "--model", checkpoint, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "Like the videos it was trained on (p = " in printed and "not to be trusted" not in printed


def test_own_image_has_no_stream(checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.zeros((60, 80, 3), dtype=np.uint8)).save(tmp_path / "black.png")
    assert main(["demo", str(tmp_path / "black.png"), "--model", checkpoint, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "Describe this image." in printed and "As a stream" not in printed


@pytest.mark.parametrize("content", [None, b"", b"this is no video"])
def test_bad_video_is_one_line(
    content: bytes | None, checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.mp4"
    if content is not None:
        path.write_bytes(content)
    assert main(["demo", str(path), "--model", checkpoint, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"vljepa: {path}: ") and captured.err.count("\n") == 1 and captured.out == ""


def test_missing_model_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--model", "no-such-model", "--out", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("vljepa: no-such-model: no checkpoint") and captured.err.count("\n") == 1
    assert captured.out == "" and not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")
@pytest.mark.parametrize("width", [390, 1200])
def test_page_is_not_wider_than_the_screen(on_world: tuple[str, str], width: int, tmp_path: Path) -> None:
    frame = f'<iframe id="page" style="width: {width}px; height: 800px" srcdoc="{html.escape(on_world[1])}"></iframe>'
    measure = "document.title = 'width ' + page.contentDocument.documentElement.scrollWidth"
    (tmp_path / "frame.html").write_text(f"<body>{frame}<script>onload = () => {{ {measure} }}</script>")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    shown = subprocess.run(
        ["chromium", *options, f"file://{tmp_path / 'frame.html'}"], capture_output=True, text=True, timeout=50
    )
    found = re.search(r"<title>width (\d+)</title>", shown.stdout)
    # The frame's own scroll bar takes some of its width.
    assert found is not None and width - 20 <= int(found[1]) <= width
