"""Whatever is sent, the answer is one line of JSON with the right status, and nothing outside is read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media import write_audio

from vljepa.errors import UserError
from vljepa.serve.settings import ServeConfig


def refused(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    message: str = response.json()["error"]["message"]
    assert message and "\n" not in message and "Traceback" not in response.text
    return message


def test_files_that_are_no_media(client: TestClient, tmp_path: Path, clip: Path) -> None:
    def send(name: str, content: bytes) -> Any:
        return client.post("/v1/media", files={"file": (name, content)})

    assert "notes.txt" in refused(send("notes.txt", b"hello"), 415)
    assert "empty" in refused(send("empty.mp4", b""), 422)
    message = refused(send("noise.mp4", bytes(range(256)) * 40), 422)
    assert message.startswith("noise.mp4: ") and "scratch" not in message
    assert "no video stream" in refused(send("song.mp4", write_audio(tmp_path / "a.mp4").read_bytes()), 422)
    refused(send("cut.mp4", clip.read_bytes()[:600]), 422)
    refused(send("big.mp4", bytes((2 << 20) + (1 << 20) + 1)), 413)
    names = [one["name"] for one in client.get("/v1/media").json()["media"]]
    assert not {"noise.mp4", "song.mp4", "cut.mp4"} & set(names)


def test_a_playlist_sends_the_decoder_nowhere(client: TestClient, clip: Path) -> None:
    playlists = {
        "list.ts": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{clip}\n#EXT-X-ENDLIST\n",
        "list.mkv": f"ffconcat version 1.0\nfile '{clip}'\n",
        "list.mp4": f"concat:{clip}",
    }
    for name, text in playlists.items():
        refused(client.post("/v1/caption", files={"file": (name, text.encode())}), 422)


@pytest.mark.parametrize(
    "name", ["../clip.mp4", "outside.mp4", "/etc/passwd", "nothing.mp4", "a\0b.mp4", "file:inside.mp4", "x" * 5000, "."]
)
def test_nothing_outside_the_media_folder_is_read(client: TestClient, name: str) -> None:
    refused(client.post("/v1/caption", data={"media": name}), 404)
    refused(client.post("/v1/streams", json={"source": name[:2000]}), 404)


def test_a_file_of_the_media_folder_must_be_media(client: TestClient) -> None:
    refused(client.post("/v1/caption", data={"media": "notes.txt"}), 415)


@pytest.mark.parametrize("source", ["0", "rtsp://127.0.0.1/a", "http://127.0.0.1/a.mp4", "concat://a|b", "file:///a"])
def test_live_sources_are_off_unless_allowed(client: TestClient, source: str) -> None:
    refused(client.post("/v1/streams", json={"source": source}), 403)


def test_other_schemes_are_refused_even_then(serve: Callable[..., Any], tmp_path: Path) -> None:
    with serve(tmp_path, allow_live=True) as client:
        refused(client.post("/v1/streams", json={"source": "concat://a|b"}), 422)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/streams", {}, "source"),
        ("/v1/streams", {"source": " "}, "source"),
        ("/v1/streams", {"source": "a", "labels": "b"}, "labels"),
        ("/v1/streams", {"source": "a", "policy": {"threshold": -1}}, "policy.threshold"),
        ("/v1/streams", {"source": "a", "colour": "red"}, "colour"),
    ],
)
def test_json_that_is_not_asked_for_names_its_field(
    client: TestClient, path: str, body: dict[str, Any], param: str
) -> None:
    response = client.post(path, json=body)
    refused(response, 422)
    assert response.json()["error"]["param"] == param


def test_other_mistakes(client: TestClient, uploaded: str, clip: Path) -> None:
    refused(client.post("/v1/streams", content=b"{", headers={"Content-Type": "application/json"}), 400)
    refused(client.post("/v1/caption"), 422)
    refused(client.post("/v1/caption", data={"media": uploaded}, files={"file": ("a.mp4", clip.read_bytes())}), 422)
    refused(client.post("/v1/ask", data={"media": uploaded, "question": " "}), 422)
    refused(client.post("/v1/classify", data={"media": uploaded, "labels": ["a", "a"]}), 422)
    refused(client.post("/v1/classify", data={"media": uploaded}), 422)
    assert "past the end" in refused(client.post("/v1/caption", data={"media": uploaded, "start": 99}), 422)
    refused(client.get("/v1/search", params={"q": " "}), 422)
    refused(client.get("/v1/media/none"), 404)
    refused(client.get("/v1/streams/none/events"), 404)
    refused(client.get("/nowhere"), 404)
    refused(client.delete("/v1/models"), 405)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), noise=st.binary(min_size=1, max_size=64), cut=st.integers(1, 10**6))
def test_a_mutated_file_is_never_an_internal_error(
    client: TestClient, clip: Path, place: int, noise: bytes, cut: int
) -> None:
    content = bytearray(clip.read_bytes())
    at = place % len(content)
    content[at : at + len(noise)] = noise
    response = client.post("/v1/encode", files={"file": ("m.mp4", bytes(content[: max(1, cut % len(content))]))})
    assert response.status_code in (200, 422), response.text
    json.loads(response.text)


def test_strangers_are_turned_away(client: TestClient, serve: Callable[..., Any], tmp_path: Path) -> None:
    # Another site's page, and a name that its owner could point at this machine.
    refused(client.get("/v1/media", headers={"Origin": "http://evil.example"}), 403)
    refused(client.get("/v1/media", headers={"Host": "evil.example"}), 403)
    assert client.get("/v1/media", headers={"Origin": "http://127.0.0.1"}).status_code == 200
    assert "access-control-allow-origin" not in client.get("/v1/media").headers
    with serve(tmp_path, token="long enough") as guarded:
        response = guarded.get("/v1/media")
        refused(response, 401)
        assert response.headers["www-authenticate"] == "Bearer"
        refused(guarded.get("/v1/media", headers={"Authorization": "Bearer wrong"}), 401)
        assert guarded.get("/v1/media", headers={"Authorization": "Bearer long enough"}).status_code == 200
        assert guarded.get("/health").status_code == 200
        assert 'type="password"' in guarded.get("/").text
        guarded.post("/", content="token=long+enough", headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert "view-stream" in guarded.get("/").text
        assert guarded.get("/v1/media").status_code == 200


def test_a_server_others_can_reach_needs_a_token(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--token"):
        ServeConfig(data=tmp_path, host="0.0.0.0")
    with pytest.raises(UserError, match="token"):
        ServeConfig(data=tmp_path, host="0.0.0.0", token="short")
    assert ServeConfig(data=tmp_path, host="0.0.0.0", token="long enough")
