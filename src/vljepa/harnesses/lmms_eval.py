"""The model inside lmms-eval (github.com/EvolvingLMMs-Lab/lmms-eval), which finds it by its entry point:

    python -m lmms_eval --model vljepa --model_args checkpoint=nano --tasks mvbench

It answers questions of multiple choice, on one video or picture each, by the candidate nearest to the predicted
embedding (paper, section 4.2), and nothing else.
"""

import re
from typing import Any, NoReturn

import numpy as np
from lmms_eval.api.instance import GenerationResult, Instance
from lmms_eval.api.model import lmms
from lmms_eval.models.registry_v2 import ModelManifest
from PIL import Image

from vljepa.api import Video
from vljepa.api import load as load_model
from vljepa.errors import UserError

MANIFEST = ModelManifest(model_id="vljepa", simple_class_path=f"{__name__}.Answerer")

_CANDIDATES = ("candidates", "options", "option", "choices")
"""Where documents hold their candidate answers, by the tasks of lmms-eval."""


class Answerer(lmms):
    """A trained VL-JEPA as a simple model of the harness.

    Args:
        checkpoint: name or folder, as for ``vljepa.load``.
        device: where torch puts it; default: the CPU.
        batch_size: given by the harness and not used: documents are answered one by one.
        max_batch_size: as ``batch_size``.

    Raises:
        UserError: as ``vljepa.load``.
    """

    def __init__(
        self,
        checkpoint: str = "nano",
        device: str | None = None,
        batch_size: int | str = 1,
        max_batch_size: int | None = None,
    ) -> None:
        super().__init__()
        self._model = load_model(checkpoint)
        if device is not None:
            self._model.network.to(device)

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """The letter of the best of the document's candidates, in answer to its question.

        Raises:
            UserError: a document has no list of candidates, or shows other than one video or picture.
        """
        return [self._letter(*request.args) for request in requests]

    def loglikelihood(self, requests: list[Instance]) -> list[GenerationResult]:
        """For each candidate answer a loss, one less its similarity, and whether it is the best of its document.

        The harness takes the least, and passes on no other pair than one in a ``GenerationResult``.

        Raises:
            UserError: a request is no candidate answer, or its document shows other than one video or picture.
        """
        texts: dict[tuple[str, str, int], list[str]] = {}
        for request in requests:
            if len(request.args) != 6 or not isinstance(request.args[1], str):
                self._refuse(request.task_name)
            _, text, _, doc_id, task, split = request.args
            texts.setdefault((task, split, doc_id), []).append(text.strip())
        scores = {}
        for request in requests:
            context, _, to_visual, doc_id, task, split = request.args
            key = (task, split, doc_id)
            if key not in scores:
                scores[key] = self._scores(to_visual(self.task_dict[task][split][doc_id]), context, texts[key])
        found = []
        for request in requests:
            _, text, _, doc_id, task, split = request.args
            of_doc = scores[task, split, doc_id]
            score = of_doc[text.strip()]
            found.append(GenerationResult(text=(1 - score, score == max(of_doc.values()))))
        return found

    def generate_until_multi_round(self, requests: list[Instance]) -> NoReturn:
        """
        Raises:
            UserError: always; there are no rounds in multiple choice.
        """
        self._refuse(requests[0].task_name)

    def _letter(self, context: str, _settings: Any, to_visual: Any, doc_id: int, task: str, split: str) -> str:
        doc = self.task_dict[task][split][doc_id]
        candidates = next((doc[name] for name in _CANDIDATES if isinstance(doc.get(name), list)), None)
        if not candidates:
            self._refuse(task)
        texts = [_without_letter(text, chr(ord("A") + i)) for i, text in enumerate(candidates)]
        scores = self._scores(to_visual(doc), doc.get("question", context), texts)
        return chr(ord("A") + max(range(len(texts)), key=lambda i: scores[texts[i]]))

    def _scores(self, visuals: list[Any], question: str, texts: list[str]) -> dict[str, float]:
        """Cosine similarity of each text with the answer that is predicted."""
        if len(visuals) != 1:
            raise UserError(f"{question!r}: shows {len(visuals)} videos or pictures; choose a task that shows one")
        distinct = list(dict.fromkeys(texts))
        return {one.text: one.score for one in self._model.ask(_video(visuals[0]), question, distinct)}

    def _refuse(self, task: str) -> NoReturn:
        raise UserError(f"{task}: gives no candidate answers; choose a task of multiple choice")


def _video(visual: Any) -> Video:
    return np.asarray(visual.convert("RGB"))[None] if isinstance(visual, Image.Image) else visual


def _without_letter(text: str, letter: str) -> str:
    """A candidate without the letter that some tasks put before it: ``A. pushing``, ``A) pushing``, ``(A) pushing``."""
    return re.sub(rf"^\(?{letter}[.):]\s*", "", text.strip()) or text
