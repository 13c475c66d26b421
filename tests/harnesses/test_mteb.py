"""MTEB's own evaluation of our model finds what our runner finds.

MTEB rounds what it finds in retrieval to five digits; sixteenths and their halves have no more.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

pytest.importorskip("mteb", reason="MTEB is not installed; see docs/harnesses.md")

import mteb
from datasets import Dataset, DatasetDict, Video
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.abstasks.zeroshot_classification import AbsTaskZeroShotClassification

from vljepa.api import Model
from vljepa.harnesses.mteb import Encoder

pytestmark = pytest.mark.filterwarnings("ignore")


def metadata(kind: str, category: str, main_score: str) -> TaskMetadata:
    return TaskMetadata(
        name=f"Local{category}",
        description="Videos of the test.",
        dataset={"path": "local/videos", "revision": "1"},
        type=kind,
        category=category,
        modalities=["video", "text"],
        eval_langs=["eng-Latn"],
        main_score=main_score,
    )


class Labels(AbsTaskZeroShotClassification):
    """The videos' bytes, with a label each."""

    metadata = metadata("VideoZeroshotClassification", "v2t", "accuracy")
    input_column_name = "video"

    def __init__(self, videos: Sequence[Any], labels: list[str]) -> None:
        super().__init__()
        self._labels = labels
        rows = {"video": [v.path.read_bytes() for v in videos], "label": [labels.index(v.label) for v in videos]}
        self.dataset = DatasetDict({"test": Dataset.from_dict(rows).cast_column("video", Video())})
        self.data_loaded = True

    def get_candidate_labels(self) -> list[str]:
        return [f"a video of {label}" for label in self._labels]


class _Local(AbsTaskRetrieval):
    """Retrieval in what the test hands over."""

    k_values = (1, 5, 10)

    def __init__(self, queries: Dataset, corpus: Dataset, right: dict[str, list[str]], **split: Any) -> None:
        super().__init__()
        relevant = {query: dict.fromkeys(found, 1) for query, found in right.items()}
        split = {"top_ranked": None, **split}
        data = RetrievalSplitData(queries=queries, corpus=corpus, relevant_docs=relevant, **split)
        self.dataset = {"default": {"test": data}}
        self.data_loaded = True


class TextToVideo(_Local):
    metadata = metadata("Any2AnyRetrieval", "t2v", "recall_at_1")


class VideoToText(_Local):
    metadata = metadata("Any2AnyRetrieval", "v2t", "hit_rate_at_1")


class Questions(_Local):
    metadata = metadata("VideoCentricQA", "vt2t", "accuracy")


def scores(model: Encoder, task: Any) -> dict[str, float]:
    found = mteb.evaluate(model, task, cache=None, encode_kwargs={"batch_size": 5}, show_progress_bar=False)
    (result,) = found.task_results
    assert found.model_name == "open-vl-jepa/tiny"
    return result.scores["test"][0]


@pytest.fixture(scope="module")
def encoder(model: Model, query: str) -> Encoder:
    return Encoder(model, "open-vl-jepa/tiny", query)


def by_path(videos: Sequence[Any], **columns: list[str]) -> Dataset:
    rows = {"id": [v.path.stem for v in videos], "video": [str(v.path) for v in videos], **columns}
    return Dataset.from_dict(rows).cast_column("video", Video())


def captions(videos: Sequence[Any]) -> tuple[Dataset, dict[str, str]]:
    """All captions, and the video of each."""
    texts = {f"{v.path.stem}-{i}": text for v in videos for i, text in enumerate(v.captions)}
    return Dataset.from_dict({"id": list(texts), "text": list(texts.values())}), {i: i.split("-")[0] for i in texts}


def test_classification_is_ours(
    encoder: Encoder, videos: Sequence[Any], labels: list[str], query: str, ours: Callable[..., Any]
) -> None:
    result = ours(
        "classification",
        lambda v: {"label": v.label},
        query=query,
        classes=labels,
        templates=["a video of {}"],
    )
    found = scores(encoder, Labels(videos, labels))
    of_class = [[o.score for o in result.outcomes if o.expected == label] for label in labels]
    assert found["accuracy"] == pytest.approx(result.value, abs=1e-6)
    assert found["recall"] == pytest.approx(sum(sum(one) / len(one) for one in of_class) / len(labels), abs=1e-6)


def test_retrieval_is_ours(encoder: Encoder, videos: Sequence[Any], query: str, ours: Callable[..., Any]) -> None:
    result = ours("retrieval", lambda v: {"texts": v.captions}, query=query)
    figures = {"text to video R@1": result.value, **result.figures}
    texts, video_of = captions(videos)
    by_text = scores(encoder, TextToVideo(texts, by_path(videos), {text: [video] for text, video in video_of.items()}))
    own = {v.path.stem: [text for text, video in video_of.items() if video == v.path.stem] for v in videos}
    by_video = scores(encoder, VideoToText(by_path(videos), texts, own))
    for k in (1, 5, 10):
        assert by_text[f"recall_at_{k}"] == pytest.approx(figures[f"text to video R@{k}"], abs=1e-6)
        assert by_video[f"hit_rate_at_{k}"] == pytest.approx(figures[f"video to text R@{k}"], abs=1e-6)


def test_choice_is_ours(encoder: Encoder, videos: Sequence[Any], ours: Callable[..., Any]) -> None:
    result = ours("choice", lambda v: {"question": v.question, "answer": v.label, "choices": v.choices})
    answers = {f"{v.path.stem}-{i}": text for v in videos for i, text in enumerate(v.choices)}
    task = Questions(
        by_path(videos, text=[v.question for v in videos]),
        Dataset.from_dict({"id": list(answers), "text": list(answers.values())}),
        {v.path.stem: [f"{v.path.stem}-{v.choices.index(v.label)}"] for v in videos},
        top_ranked={v.path.stem: [f"{v.path.stem}-{i}" for i in range(len(v.choices))] for v in videos},
    )
    assert scores(encoder, task)["accuracy"] == pytest.approx(result.value, abs=1e-6)


def test_results_of_other_weights_and_queries_are_kept_apart(encoder: Encoder, model: Model) -> None:
    meta, other = encoder.mteb_model_meta, Encoder(model, "open-vl-jepa/tiny", "Who?").mteb_model_meta
    assert (meta.name, meta.revision) == (other.name, other.revision) and meta.experiment_name != other.experiment_name
    assert set(meta.modalities) == {"video", "text"}
