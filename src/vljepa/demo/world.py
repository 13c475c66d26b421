"""The demo's own Tabletop: 200 action clips and one two-minute stream of seeds that no training used."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from vljepa.tabletop import suite

SEED = 20_251_210
"""Of the demo's world. Recipes write theirs from seed 0, and no two seeds share an episode."""

_SIZE = "demo"


def prepare(folder: Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """The folder of the world's benchmarks; written if it is absent, half written or of an older version.

    Args:
        progress: called with (jobs done, jobs in all) while it is written.
    """
    if not _is_whole(folder):
        aside = folder.with_name(folder.name + ".writing")
        for old in (aside, folder):
            shutil.rmtree(old, ignore_errors=True)
        suite.write(aside, _SIZE, seed=SEED, progress=progress)
        aside.rename(folder)
    return folder / "test"


def _is_whole(folder: Path) -> bool:
    try:
        about = json.loads((folder / "tabletop.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(about, dict) and (about.get("size"), about.get("seed"), about.get("settings")) == (
        _SIZE,
        SEED,
        asdict(suite.SIZES[_SIZE]),
    )
