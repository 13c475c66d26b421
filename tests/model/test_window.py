"""The sliding window, against clips embedded one by one."""

import pytest
import torch

from vljepa.config import ModelConfig
from vljepa.errors import UserError
from vljepa.model.vljepa import VLJEPA
from vljepa.model.window import SlidingWindow, StreamStats


@pytest.fixture(scope="module")
def network(tiny_config: ModelConfig) -> VLJEPA:
    torch.manual_seed(0)
    return VLJEPA(tiny_config).eval()


@pytest.fixture
def frames() -> torch.Tensor:
    return torch.randint(0, 256, (11, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_many_questions_at_each_instant_and_each_frame_is_seen_once(
    network: VLJEPA, frames: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    encode = network.encode_frames
    queries = ["What is it?", "How many?", "Is there a longer question than the others?"]
    count = network.config.x_encoder.num_frames
    monkeypatch.setattr(network, "encode_frames", lambda batch: seen.append(len(batch)) or encode(batch))
    window = SlidingWindow(network, stats := StreamStats())
    given = []
    for frame in frames:
        window.push(frame)
        given.append(window.embed(queries))
        given[-1] = torch.cat([given[-1], window.embed(queries[:1])])
    assert seen == [1] * len(frames) and len(window) == count
    assert stats.windows == len(frames) and min(stats.encode, stats.predict) > 0
    for now, rows in enumerate(given):
        clip = frames[[max(0, i) for i in range(now - count + 1, now + 1)]]
        with torch.inference_mode():
            tokens = encode(clip[None])
            one_by_one = torch.cat([network.predict(tokens, [query]) for query in [*queries, queries[0]]])
        torch.testing.assert_close(rows, one_by_one, atol=1e-4, rtol=0)


def test_nothing_to_embed_is_an_error(network: VLJEPA, frames: torch.Tensor) -> None:
    window = SlidingWindow(network)
    with pytest.raises(UserError, match="at least one frame"):
        window.embed(["What?"])
    window.push(frames[0])
    with pytest.raises(UserError, match="one query"):
        window.embed([])
