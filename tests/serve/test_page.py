"""The page in a real browser, against a real server."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from browser import BROWSER, Browser
from serving import wait_for

from vljepa.api import Model
from vljepa.serve.app import create_app
from vljepa.serve.run import listen
from vljepa.serve.services import Services
from vljepa.serve.settings import ServeConfig


@pytest.fixture(scope="module")
def address(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    config = ServeConfig(data=tmp_path_factory.mktemp("data"), port=0)
    app = create_app(config, lambda: Services.open(config, model, "tiny"))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    socket = listen(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    wait_for(lambda: server.started)
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if BROWSER is None:
        assert not os.environ.get("CI"), "no Chromium is installed, and CI must not pass over the page"
        pytest.skip("no Chromium is installed (Debian: apt install chromium)")
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def told(address: str, clip: Path) -> str:
    """Id of a stream that was watched to its end."""
    with httpx2.Client(base_url=address, timeout=30) as client:
        media = client.post("/v1/media", files={"file": ("clip.mp4", clip.read_bytes())}).json()["id"]
        id: str = client.post("/v1/streams", json={"source": media}).json()["id"]
        wait_for(lambda: client.get(f"/v1/streams/{id}").json()["state"] == "finished")
    return id


def text(browser: Browser, selector: str) -> Any:
    return browser.run(f"document.querySelector({selector!r}).textContent")


def test_a_stream_is_watched_asked_and_taken_along(address: str, browser: Browser, clip: Path) -> None:
    browser.resize(1280, 900)
    browser.go(address)
    browser.wait("document.querySelector('#model').textContent === 'tiny'")
    browser.run("document.querySelector('#start-labels').value = 'a red cube, <b>rain</b>'")
    browser.choose_file("#file", clip)
    browser.wait("location.hash.startsWith('#/stream/')")
    browser.wait("document.querySelector('#video').videoWidth === 64")
    # The drift curve grows, and its pixels show it.
    browser.wait("stream.chart.points.length > 6")
    drawn = "[...$('drift').getContext('2d').getImageData(0, 0, $('drift').width, $('drift').height).data].some(v => v)"
    browser.wait(drawn)
    assert browser.run("[...document.querySelectorAll('#labels li > span:first-child')].map(l => l.textContent)") == [
        "a red cube",
        "<b>rain</b>",
    ]
    browser.wait("[...document.querySelectorAll('#labels .n')].every(n => /^-?\\d/.test(n.textContent))")

    browser.run("document.querySelector('#choices').value = 'one, two'")
    browser.type("#question", "How many cubes?")
    browser.wait("document.querySelector('#answers li:not([data-pending])')")
    assert "How many cubes?" in text(browser, "#answers") and "one" in text(browser, "#answers")
    browser.type("#label", "a ball")
    browser.wait("[...document.querySelectorAll('#labels li')].at(-1).dataset.label === 'a ball'")
    browser.run("document.querySelector('#labels li button').click()")
    browser.wait("document.querySelectorAll('#labels li').length === 2")

    browser.wait("document.querySelector('#state').textContent === 'finished'")
    browser.wait("document.querySelectorAll('#events li').length > 0")
    assert browser.run("document.querySelectorAll('#view-stream b').length") == 0, "labels are text, not markup"
    for format, begin in (("vtt", "WEBVTT"), ("srt", "1\n"), ("jsonl", "{")):
        content = browser.run(f"fetch(document.querySelector('#{format}').href).then(r => r.text())")
        assert content.startswith(begin), content
        shown = text(browser, "#events li button span")
        assert shown in content.replace("&lt;", "<")
    # Clicking an event moves the video there; the page comes back after a reload.
    browser.run("document.querySelector('#events li button').click()")
    browser.wait("document.querySelector('#video').currentTime < 1")
    browser.go(f"{address}/docs")
    browser.wait("document.querySelectorAll('details').length > 15")
    browser.run("history.back()")
    browser.wait("document.querySelectorAll('#events li').length > 0")
    assert browser.problems == []


def test_the_library_is_searched(address: str, browser: Browser, clip: Path) -> None:
    browser.go(f"{address}/#/library")
    browser.run("route()")
    browser.choose_file("#add-files", clip)
    browser.wait("document.querySelectorAll('#media li').length > 0")
    browser.wait("document.querySelector('#indexing').textContent === ''")
    browser.type("#q", "a red cube")
    browser.wait("document.querySelectorAll('#hits img').length && document.querySelector('#hits img').naturalWidth")
    assert browser.problems == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_view_fits_a_phone_and_has_names(address: str, browser: Browser, told: str, dark: bool) -> None:
    browser.resize(390, 844, dark=dark)
    for view in ("", "library", f"stream/{told}"):
        browser.go(f"{address}/#/{view}")
        browser.run("route()")
        browser.wait("document.querySelector('main > section:not([hidden])')")
        assert browser.run("document.documentElement.scrollWidth") <= 390
        nameless = (
            "[...document.querySelectorAll('button, a, input:not([type=file])')].filter(e => e.checkVisibility() && "
            "!(e.textContent.trim() || e.ariaLabel || e.labels?.length)).map(e => e.outerHTML)"
        )
        assert browser.run(nameless) == []
    assert browser.problems == []
