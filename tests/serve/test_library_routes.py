"""Uploads, their files in ranges, and the search in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from serving import wait_for

from vljepa.api import CAPTION_QUERY, Model


def test_an_upload_is_kept_as_it_came(client: TestClient, uploaded: str, clip: Path) -> None:
    about = client.get(f"/v1/media/{uploaded}").json()
    assert (about["name"], about["duration"], about["width"], about["size"]) == (
        "my clip.mp4",
        5.0,
        64,
        clip.stat().st_size,
    )
    content = clip.read_bytes()
    assert client.get(f"/v1/media/{uploaded}/file").content == content
    part = client.get(f"/v1/media/{uploaded}/file", headers={"Range": "bytes=100-199"})
    assert part.status_code == 206 and part.content == content[100:200]
    picture = client.get(f"/v1/media/{uploaded}/frame", params={"start": 2.0, "end": 3.0})
    assert picture.headers["content-type"] == "image/jpeg" and picture.content[:2] == b"\xff\xd8"


def test_search_finds_by_the_models_own_cosine_and_forgets_what_is_deleted(
    serve: Callable[..., Any], tmp_path: Path, model: Model, clip: Path
) -> None:
    with serve(tmp_path) as client:
        assert client.get("/v1/search", params={"q": "a"}).json()["hits"] == []
        ids = [client.post("/v1/media", files={"file": (f"{n}.mp4", clip.read_bytes())}).json()["id"] for n in range(2)]
        wait_for(lambda: not client.get("/v1/media").json()["indexing"])
        hits = client.get("/v1/search", params={"q": "a red cube"}).json()["hits"]
        assert {hit["media"]["id"] for hit in hits} == set(ids)
        cosine = float(model.encode_text(["a red cube"])[0] @ model.encode_video([clip], CAPTION_QUERY)[0])
        assert abs(hits[0]["score"] - cosine) < 2e-3  # stored in half precision
        assert client.delete(f"/v1/media/{ids[0]}").status_code == 204
        hits = client.get("/v1/search", params={"q": "a red cube"}).json()["hits"]
        assert [hit["media"]["id"] for hit in hits] == [ids[1]]
        assert client.get(f"/v1/media/{ids[0]}/file").status_code == 404


def test_a_restart_finds_everything_and_clears_what_was_half_done(
    serve: Callable[..., Any], tmp_path: Path, clip: Path
) -> None:
    with serve(tmp_path) as client:
        id = client.post("/v1/media", files={"file": ("a.mp4", clip.read_bytes())}).json()["id"]
    (tmp_path / "media" / "0123456789abcdef.mp4").write_bytes(b"half")
    (tmp_path / "scratch" / "0123456789abcdef.mp4").write_bytes(b"half")
    with serve(tmp_path) as client:
        assert [one["id"] for one in client.get("/v1/media").json()["media"]] == [id]
        wait_for(lambda: client.get("/v1/search", params={"q": "a"}).json()["hits"])
    assert {path.name for path in (tmp_path / "media").iterdir()} == {f"{id}.mp4", f"{id}.json"}
    assert not list((tmp_path / "scratch").iterdir())
