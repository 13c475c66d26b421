"""Ask a model about one video: ``caption``, ``ask``, ``classify``."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from vljepa.cli.common import AsJson, ModelName, load_any_model, show

if TYPE_CHECKING:
    from torch import Tensor

    from vljepa.api import Model, Viewer
    from vljepa.token_api import TokenModel


def caption(video: Positional[Path], model: ModelName = "nano", as_json: AsJson = False) -> None:
    """Describe a video or an image in one sentence.

    Example: vljepa caption clip.mp4
    """
    loaded = load_any_model(model)
    frames = loaded.frames(video)
    text, familiarity = loaded.caption(frames), _familiarity(loaded, frames)
    show({"caption": text, "familiarity": familiarity}, [text, *_warning(familiarity)], as_json)


def ask(
    video: Positional[Path],
    question: Positional[str],
    choices: tuple[str, ...] = (),
    model: ModelName = "nano",
    as_json: AsJson = False,
) -> None:
    """Answer a question on a video: the best of the choices, or free text without them.

    Example: vljepa ask clip.mp4 "How many cubes are there?" --choices 1 2 3
    """
    _rank(model, video, as_json, lambda loaded, frames: loaded.ask(frames, question, choices or None))


def classify(
    video: Positional[Path],
    labels: Positional[tuple[str, ...]],
    model: ModelName = "nano",
    as_json: AsJson = False,
) -> None:
    """Rank labels of your own words for a video.

    Example: vljepa classify clip.mp4 "pushing a cube to the left" "spinning a ball"
    """
    _rank(model, video, as_json, lambda loaded, frames: loaded.classify(frames, labels))


def _rank(
    model: str, video: Path, as_json: bool, rank: "Callable[[Model | TokenModel, Tensor], Iterable[Any]]"
) -> None:
    loaded = load_any_model(model)
    # Decoded once, for the answer and for the familiarity.
    frames = loaded.frames(video)
    ranked = list(rank(loaded, frames))
    familiarity = _familiarity(loaded, frames)
    values = {"ranked": [dataclasses.asdict(scored) for scored in ranked], "familiarity": familiarity}
    show(values, [*(f"{s.score:6.3f}  {s.text}" for s in ranked), *_warning(familiarity)], as_json)


def _familiarity(model: "Viewer", frames: "Tensor") -> float | None:
    """None for a checkpoint without the score, such as an imported one."""
    return model.familiarity(frames) if model.network.familiarity.fitted else None


def _warning(familiarity: float | None) -> list[str]:
    from vljepa.model.familiarity import UNFAMILIAR

    if familiarity is None or familiarity >= UNFAMILIAR:
        return []
    return [f"(unlike the videos this model was trained on, p = {familiarity:.3f}: do not trust the answer)"]
