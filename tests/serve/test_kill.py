"""A server killed at work: whatever was finished is there when it comes back."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from serving import POLICY, wait_for

from vljepa.model.vljepa import VLJEPA

RUN = "import sys\nfrom vljepa.cli import main\nif __name__ == '__main__': sys.exit(main())"


@contextmanager
def server(checkpoint: Path, data: Path) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    command = ["serve", "--model", str(checkpoint), "--data", str(data), "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *command],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        with httpx2.Client(base_url="http" + said.split("http")[1].split()[0], timeout=30) as client:
            yield process, client
    finally:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.timeout(120)
def test_finished_work_survives_a_kill(network: VLJEPA, serve: Callable[..., Any], tmp_path: Path, clip: Path) -> None:
    checkpoint, data = tmp_path / "model", tmp_path / "data"
    network.save(checkpoint, card="A test.", dtype="float32")
    with server(checkpoint, data) as (process, client):
        id = client.post("/v1/media", files={"file": ("a.mp4", clip.read_bytes())}).json()["id"]
        wait_for(lambda: client.get("/v1/search", params={"q": "a"}).json()["hits"])
        stream = client.post("/v1/streams", json={"source": id, "policy": POLICY, "realtime": True}).json()["id"]
        events: list[Any] = wait_for(
            lambda: len(found := client.get(f"/v1/streams/{stream}/events").json()["events"]) > 1 and found
        )
        process.kill()
    with (data / "streams" / stream / "log.jsonl").open("a") as file:
        file.write('{"type": "event", "sta')
    with serve(data) as client:
        assert [one["id"] for one in client.get("/v1/media").json()["media"]] == [id]
        assert client.get("/v1/search", params={"q": "a"}).json()["hits"][0]["media"]["id"] == id
        assert client.get(f"/v1/streams/{stream}").json()["state"] == "interrupted"
        assert client.get(f"/v1/streams/{stream}/events").json()["events"][: len(events)] == events


def test_a_server_told_to_end_closes_the_open_event(serve: Callable[..., Any], tmp_path: Path, clip: Path) -> None:
    with serve(tmp_path) as client:
        id = client.post("/v1/media", files={"file": ("a.mp4", clip.read_bytes())}).json()["id"]
        stream = client.post("/v1/streams", json={"source": id, "realtime": True}).json()["id"]
        wait_for(lambda: client.get(f"/v1/streams/{stream}").json()["counters"]["instants"] > 2)
    records = [json.loads(line) for line in (tmp_path / "streams" / stream / "log.jsonl").read_text().splitlines()]
    assert [record["type"] for record in records] == ["event", "end"] and records[-1]["state"] == "stopped"
