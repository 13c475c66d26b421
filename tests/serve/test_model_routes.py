"""Questions on one clip and embeddings of texts: against the same model asked directly."""

import base64
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from serving import unit, wait_for

from vljepa.api import Model


def test_caption_ask_classify_and_encode_are_the_models_own(client: TestClient, model: Model, clip: Path) -> None:
    file = {"file": ("clip.mp4", clip.read_bytes())}
    assert client.post("/v1/caption", files=file).json()["caption"] == model.caption(clip)
    labels = ["a red cube", "rain", "a blue ball"]
    for path, data, direct in (
        ("/v1/classify", {"labels": labels}, model.classify(clip, labels)),
        ("/v1/ask", {"question": "What?", "choices": labels}, model.ask(clip, "What?", labels)),
    ):
        answer = client.post(path, files=file, data=data).json()
        assert [one["text"] for one in answer["ranked"]] == [one.text for one in direct]
        assert [one["score"] for one in answer["ranked"]] == pytest.approx([one.score for one in direct], abs=1e-4)
        assert answer["familiarity"] is None
    answer = client.post("/v1/encode", files=file, data={"query": "What?"}).json()
    np.testing.assert_allclose(unit(answer["embedding"]), model.encode_video([clip], "What?")[0].numpy(), atol=1e-4)


def test_a_part_of_an_upload_or_of_the_media_folder_may_be_named(
    client: TestClient, model: Model, clip: Path, uploaded: str
) -> None:
    from vljepa.types import Clip

    direct = model.encode_clips([Clip(media=(str(clip),), start=1.0, end=2.0)], ["What?"])[0].numpy()
    for name in (uploaded, "inside.mp4"):
        answer = client.post("/v1/encode", data={"media": name, "query": "What?", "start": 1, "end": 2}).json()
        np.testing.assert_allclose(unit(answer["embedding"]), direct, atol=1e-4)


def test_embeddings_are_as_openais(client: TestClient, model: Model) -> None:
    texts = ["a red cube", "a blue ball"]
    direct = model.encode_text(texts).numpy()
    answer = client.post("/v1/embeddings", json={"model": "tiny", "input": texts}).json()
    assert [one["index"] for one in answer["data"]] == [0, 1] and answer["object"] == "list"
    np.testing.assert_allclose(np.array([unit(one["embedding"]) for one in answer["data"]]), direct, atol=1e-5)
    # [CLS] a red cube [SEP]: every word is one of MiniLM's.
    assert answer["usage"] == {"prompt_tokens": 10, "total_tokens": 10}
    coded = client.post("/v1/embeddings", json={"model": "tiny", "input": texts[0], "encoding_format": "base64"}).json()
    row = np.frombuffer(base64.b64decode(coded["data"][0]["embedding"]), "<f4")
    np.testing.assert_allclose(row, direct[0], atol=1e-5)


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"model": "tiny", "input": []}, 400, "input"),
        ({"model": "tiny", "input": ""}, 400, "input"),
        ({"model": "tiny", "input": [[1, 2]]}, 400, "input"),
        ({"input": "a"}, 400, "model"),
        ({"model": "text-embedding-3-small", "input": "a"}, 404, "model"),
        ({"model": "tiny", "input": "a", "dimensions": 3}, 400, "dimensions"),
        ({"model": "tiny", "input": "a", "encoding_format": "hex"}, 400, "encoding_format"),
    ],
)
def test_mistakes_have_openais_form(client: TestClient, body: dict[str, Any], status: int, param: str) -> None:
    response = client.post("/v1/embeddings", json=body)
    error = response.json()["error"]
    assert response.status_code == error["code"] == status
    assert set(error) == {"message", "type", "param", "code"}
    assert error["param"].split(".")[0] == param and "\n" not in error["message"]


def test_a_full_queue_answers_503_and_loses_nobody(serve: Callable[..., Any], tmp_path: Path) -> None:
    with serve(tmp_path, max_waiting=3) as client, ThreadPoolExecutor(3) as threads:
        opened, entered = threading.Event(), threading.Event()

        def hold(items: list[None]) -> list[None]:
            entered.set()
            assert opened.wait(20)
            return items

        worker = client.app.state.services.worker
        holding = threading.Thread(target=worker.follow, args=(hold, None))
        holding.start()
        assert entered.wait(10)
        body = {"model": "tiny", "input": "a"}
        waiting = [threads.submit(client.post, "/v1/embeddings", json=body) for _ in range(3)]
        wait_for(lambda: client.get("/health").json()["waiting"] == 3)
        refused = client.post("/v1/embeddings", json=body)
        assert refused.status_code == 503 and int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"]["type"] == "overloaded_error"
        opened.set()
        assert [future.result(20).status_code for future in waiting] == [200, 200, 200]
        holding.join(10)
        assert client.post("/v1/embeddings", json=body).status_code == 200


def test_the_model_says_what_it_is(client: TestClient) -> None:
    (info,) = client.get("/v1/models").json()["data"]
    assert (info["id"], info["embed_dim"], info["writes"]) == ("tiny", 384, True)
