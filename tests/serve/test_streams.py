"""Live streams: what looks on gets every event, whatever else it misses; and the log outlives the stream."""

import itertools
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from media import grey
from servers import http, transport_stream
from serving import POLICY, wait_for

from vljepa.api import Model
from vljepa.serve import log, session
from vljepa.tasks.stream import StreamPolicy


def start(client: TestClient, source: str, **settings: Any) -> str:
    response = client.post("/v1/streams", json={"source": source, "policy": POLICY, **settings})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def ended(client: TestClient, id: str) -> dict[str, Any]:
    return wait_for(lambda: (found := client.get(f"/v1/streams/{id}").json())["state"] != "running" and found)  # type: ignore[no-any-return]


def hear(socket: Any, until: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Messages up to the first for which ``until`` holds."""
    heard: list[dict[str, Any]] = []
    while not heard or not until(heard[-1]):
        message = socket.receive()
        if "text" in message and message["text"] is not None:
            heard.append(json.loads(message["text"]))
        else:
            heard.append({"type": "frame", "bytes": message["bytes"]})
    return heard


def test_events_are_those_of_model_stream(client: TestClient, uploaded: str, model: Model, clip: Path) -> None:
    id = start(client, uploaded)
    assert ended(client, id)["state"] == "finished"
    events = client.get(f"/v1/streams/{id}/events").json()["events"]
    direct = list(model.stream(clip, policy=StreamPolicy(**POLICY)))
    assert [(e["start"], e["end"], e["text"]) for e in events] == [(d.start, d.end, d.text) for d in direct]
    assert [e["score"] for e in events] == pytest.approx([d.score for d in direct], abs=1e-3)


def test_a_socket_hears_everything_and_can_ask_while_it_runs(client: TestClient, uploaded: str, model: Model) -> None:
    labels = ["a red cube", "rain"]
    id = start(client, uploaded, realtime=True, labels=labels)
    with client.websocket_connect(f"ws://127.0.0.1/v1/streams/{id}/live?frames=true") as socket:
        first = hear(socket, lambda m: m["type"] == "event")
        assert first[0]["type"] == "stream" and first[0]["state"] == "running" and "path" not in first[0]
        assert any(m["type"] == "frame" and m["bytes"][:2] == b"\xff\xd8" for m in first)
        scores = next(m for m in first if m["type"] == "scores")["scores"]
        assert [one["text"] for one in scores] == labels
        instants = [row for m in first if m["type"] == "drift" for row in m["instants"]]
        assert [row[0] for row in instants] == [n / 4 for n in range(len(instants))]
        assert all(row[2] == 0.5 for row in instants)

        socket.send_json({"type": "ask", "question": "What is it?", "choices": labels})
        answer = hear(socket, lambda m: m["type"] == "answer")[-1]
        assert {one["text"] for one in answer["answers"]} == set(labels) and answer["time"] < 5
        socket.send_json({"type": "labels", "labels": ["snow"]})
        hear(socket, lambda m: m["type"] == "scores" and [one["text"] for one in m["scores"]] == ["snow"])
        socket.send_json({"type": "threshold", "threshold": 0.9})
        hear(socket, lambda m: m["type"] == "drift" and abs(m["instants"][-1][2] - 0.9) < 1e-6)

        for bad in (
            "no json",
            '{"type": "fly"}',
            '{"type": "threshold", "threshold": 7}',
            "[" * 9000,
            '{"type": "ask"}',
        ):
            socket.send_text(bad)
            assert "\n" not in hear(socket, lambda m: m["type"] == "error")[-1]["message"]
        socket.send_json({"type": "labels", "labels": ["a", "a"]})
        assert "'a'" in hear(socket, lambda m: m["type"] == "error")[-1]["message"]
        socket.send_json({"type": "stop"})
        rest = hear(socket, lambda m: m["type"] == "up_to_date")
        assert [m for m in rest if m["type"] == "stream"][-1]["state"] == "stopped"
    # Nothing of the records is missing or out of order, also for one who comes late.
    with client.websocket_connect(f"ws://127.0.0.1/v1/streams/{id}/live") as socket:
        heard = hear(socket, lambda m: m["type"] == "up_to_date")
    records = [m for m in heard if "n" in m]
    assert [m["n"] for m in records] == list(range(len(records)))
    assert [m["type"] for m in records if m["type"] != "event"] == ["labels", "answer", "labels", "threshold", "end"]
    events = [m for m in records if m["type"] == "event"]
    assert all(a["end"] == b["start"] for a, b in itertools.pairwise(events))
    assert {m["label"] for m in events} <= {*labels, "snow"}
    with client.websocket_connect(f"ws://127.0.0.1/v1/streams/{id}/live?after=2") as socket:
        heard = hear(socket, lambda m: m["type"] == "up_to_date")
    assert [m["n"] for m in heard if "n" in m] == [m["n"] for m in records][2:]


def test_one_who_is_slow_loses_instants_and_no_event(
    client: TestClient, uploaded: str, model: Model, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "DRIFT_KEPT", 4)
    id = start(client, uploaded, realtime=True)
    running = client.app.state.services.streams.session(id)
    running.thread.join(20)
    num_events = len(list(model.stream(clip, policy=StreamPolicy(**POLICY))))
    assert num_events > 2
    view = running.since(0, 0, with_frame=False)
    assert (view.first_instant, len(view.drift)) == (16, 4)
    assert [record["type"] for record in view.records] == ["event"] * num_events + ["end"]
    # What memory forgot is on disk.
    assert len(running.log.drift()) == 20


def test_a_file_can_be_asked_about_at_any_time_and_after_its_end(
    client: TestClient, uploaded: str, model: Model, clip: Path
) -> None:
    from vljepa.types import Clip

    id = start(client, uploaded)
    ended(client, id)
    question = {"question": "What?", "choices": ["rain", "snow"], "time": 4.0}
    answers = client.post(f"/v1/streams/{id}/ask", json=question).json()["answers"]
    seen = model.encode_clips([Clip(media=(str(clip),), start=2.0, end=4.0)], ["What?"])
    cosines = (seen @ model.encode_text(["rain", "snow"]).T)[0].tolist()
    assert {one["text"]: one["score"] for one in answers} == pytest.approx(
        dict(zip(["rain", "snow"], cosines, strict=True)), abs=1e-4
    )
    response = client.post(f"/v1/streams/{id}/ask", json={"question": "What?"})
    assert response.status_code == 422 and "ended" in response.json()["error"]["message"]


def test_as_many_streams_as_may_run_and_no_more(client: TestClient, uploaded: str) -> None:
    ids = [start(client, uploaded, realtime=True) for _ in range(4)]
    refused = client.post("/v1/streams", json={"source": uploaded})
    assert refused.status_code == 503 and "retry-after" in refused.headers
    for id in ids:
        assert client.post(f"/v1/streams/{id}/stop").json()["state"] == "stopped"
    id = start(client, uploaded)
    assert client.delete(f"/v1/streams/{id}").status_code == 204
    assert client.get(f"/v1/streams/{id}").status_code == 404


def test_a_long_curve_keeps_its_peaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_SHOWN", 10)
    about = {"id": "a"}
    kept = log.StreamLog.create(tmp_path / "a", about)  # type: ignore[arg-type]
    rows = np.zeros((1000, 3), np.float32)
    rows[:, 0] = np.arange(1000)
    rows[537, 1] = 1.0
    kept.add_drift(rows)
    with (tmp_path / "a" / "drift.f32").open("ab") as file:
        file.write(b"cut")
    shown = kept.drift()
    assert len(shown) == 10 and [537.0, 1.0, 0.0] in shown.tolist()


def test_a_stream_unlike_the_training_videos_is_said_to_be(
    client: TestClient, uploaded: str, model: Model, clip: Path
) -> None:
    familiarity = model.network.familiarity
    before = {name: value.clone() for name, value in familiarity.named_buffers()}
    far = torch.full((3, len(familiarity.mean)), 1e3)
    familiarity.fit(far + torch.randn(far.shape), far)
    try:
        id = start(client, uploaded)
        ended(client, id)
    finally:
        familiarity.load_state_dict(before)
    (told,) = [r for r in client.app.state.services.streams.log(id).records() if r["type"] == "familiarity"]
    assert told["familiarity"] == 0.0 and told["familiar"] is False


def test_a_live_source_that_falls_silent_can_be_stopped(serve: Callable[..., Any], tmp_path: Path) -> None:
    content = transport_stream(tmp_path / "live.ts", grey(range(0, 200, 2), 64, 64), fps=20)
    over = threading.Event()
    answers = [("video/mp2t", lambda send: (send(content), over.wait(30)))]
    with serve(tmp_path / "data", allow_live=True) as client, http(answers) as address:
        id = start(client, address)
        with client.websocket_connect(f"ws://127.0.0.1/v1/streams/{id}/live?frames=true") as socket:
            heard = hear(socket, lambda m: m["type"] == "event")
            assert any(m["type"] == "frame" for m in heard) and heard[0]["is_live"]
            socket.send_json({"type": "ask", "question": "What?", "choices": ["rain", "snow"]})
            assert len(hear(socket, lambda m: m["type"] == "answer")[-1]["answers"]) == 2
        began = time.monotonic()
        assert client.post(f"/v1/streams/{id}/stop").json()["state"] == "stopped"
        assert time.monotonic() - began < 5
        assert client.get(f"/v1/streams/{id}/file").status_code == 404
        over.set()
