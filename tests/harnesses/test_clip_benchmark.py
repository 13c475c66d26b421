"""CLIP_benchmark's own functions on our model find what our runner finds."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vljepa.api import Model
from vljepa.harnesses.clip_benchmark import ClipModel, Texts

pytest.importorskip("clip_benchmark", reason="CLIP_benchmark is not installed; see docs/harnesses.md")

from clip_benchmark.metrics import zeroshot_classification, zeroshot_retrieval


class Videos(Dataset[tuple[Tensor, Any]]):
    """The videos with a truth each; the harness counts the classes of a data set."""

    def __init__(
        self, model: ClipModel, videos: Sequence[Any], truth: Callable[[Any], Any], classes: Sequence[str] = ()
    ) -> None:
        self._model, self._videos, self._truth, self.classes = model, videos, truth, classes

    def __len__(self) -> int:
        return len(self._videos)

    def __getitem__(self, index: int) -> tuple[Tensor, Any]:
        return self._model.transform(self._videos[index].path), self._truth(self._videos[index])


def test_classification_is_ours(
    model: Model,
    videos: Sequence[Any],
    labels: list[str],
    query: str,
    ours: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The harness makes a number of an array of one element, which NumPy from 2.4 on refuses.
    monkeypatch.setattr(zeroshot_classification, "float", lambda array: array.item(), raising=False)
    templates = ["{}", "a video of {}."]
    result = ours("classification", lambda v: {"label": v.label}, query=query, classes=labels, templates=templates)
    clip = ClipModel(model, query)
    loader = DataLoader(Videos(clip, videos, lambda v: labels.index(v.label), labels), batch_size=5)
    found = zeroshot_classification.evaluate(
        clip, loader, Texts, labels, [one.replace("{}", "{c}") for one in templates], "cpu", amp=False
    )
    of_class = [np.mean([o.score for o in result.outcomes if o.expected == label]) for label in labels]
    assert found["acc1"] == pytest.approx(result.value, abs=1e-6)
    assert found["acc5"] == pytest.approx(result.figures["top-5"], abs=1e-6)
    assert found["mean_per_class_recall"] == pytest.approx(np.mean(of_class), abs=1e-6)


def test_retrieval_is_ours(model: Model, videos: Sequence[Any], query: str, ours: Callable[..., Any]) -> None:
    result = ours("retrieval", lambda v: {"texts": v.captions}, query=query)
    figures = {"text to video R@1": result.value, **result.figures}
    clip = ClipModel(model, query)

    def collate(batch: list[tuple[Tensor, list[str]]]) -> tuple[Tensor, list[list[str]]]:
        return torch.stack([frames for frames, _ in batch]), [texts for _, texts in batch]

    loader = DataLoader(Videos(clip, videos, lambda v: v.captions), batch_size=5, collate_fn=collate)
    found = zeroshot_retrieval.evaluate(clip, loader, Texts, "cpu", amp=False, recall_k_list=[1, 5, 10])
    for k in (1, 5, 10):
        assert found[f"image_retrieval_recall@{k}"] == pytest.approx(figures[f"text to video R@{k}"], abs=1e-6)
        assert found[f"text_retrieval_recall@{k}"] == pytest.approx(figures[f"video to text R@{k}"], abs=1e-6)


def test_a_picture_is_seen_as_its_file_is(model: Model, tmp_path: Any) -> None:
    path = tmp_path / "one.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)).save(path)
    clip = ClipModel(model)
    with Image.open(path) as picture:
        frames = clip.transform(picture)
    assert torch.equal(frames, clip.transform(path)) and len(frames) == 1
    assert torch.allclose(clip.encode_image(frames[None]), model.encode_video([path]))
