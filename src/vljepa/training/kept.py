"""Work of a study that is done once: runs are trained, and figures measured, only where they are missing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vljepa.config import RunConfig
from vljepa.training.loop import claim, train


def claimed(run: RunConfig) -> Path:
    """Folder of a run, made if it is not there.

    Raises:
        UserError: it holds a run with other settings, be it a finished one.
    """
    folder = Path(run.folder)
    folder.mkdir(parents=True, exist_ok=True)
    claim(folder, run)
    return folder


def trained(run: RunConfig, command: str) -> Path:
    """Folder of a run's model, which is trained if it is not there. Its training states, far larger, are not kept.

    Args:
        command: the command line, for the model card.

    Raises:
        UserError: as ``claimed`` and ``train``.
    """
    folder = claimed(run)
    if not (folder / "model" / "config.json").exists():
        train(run, command)
        shutil.rmtree(folder / "state")
    return folder / "model"


def kept(path: Path, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The JSON object in a file, which is found and written if it is not there."""
    if not path.exists():
        aside = path.with_suffix(".writing")
        aside.write_text(json.dumps(find(), indent=1) + "\n", encoding="utf-8")
        aside.rename(path)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
