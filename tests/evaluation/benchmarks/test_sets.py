"""Every data set says what it is, and one converts as the evaluation needs it, from official file to report."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vljepa.errors import UserError
from vljepa.evaluation.benchmark import _READERS
from vljepa.evaluation.benchmarks import SETS, convert
from vljepa.evaluation.conversion.spec import Request
from vljepa.evaluation.report import lines
from vljepa.evaluation.runner import evaluate
from vljepa.evaluation.system import System
from vljepa.types import Clip


@pytest.mark.parametrize("name", SETS)
def test_a_set_says_what_it_is(name: str) -> None:
    read = SETS[name].benchmarks[0].read
    module = sys.modules[getattr(read, "func", read).__module__]
    for word in ("licence", "https://", "split", "protocol", "paper"):
        assert word in str(module.__doc__).lower(), f"{module.__name__} does not state its {word}"


def test_names_of_benchmarks_are_their_own() -> None:
    specs = [spec for one in SETS.values() for spec in one.benchmarks]
    assert len({spec.name for spec in specs}) == len(specs)
    assert all(spec.task in _READERS and 0 < (spec.paper or 1) <= 1 for spec in specs)


def test_unknown_names() -> None:
    with pytest.raises(UserError, match=r"^no benchmark 'x'; choose one of "):
        convert("x", Request(source=Path(), out=Path()))
    with pytest.raises(UserError, match=r"^nowhere: is not there; check SOURCE"):
        convert("ssv2", Request(source=Path("nowhere"), out=Path()))


def test_from_official_file_to_report(run: Any, put: Any, tmp_path: Any) -> None:
    put("source/val.csv", "label,youtube_id,time_start,time_end\n" + "".join(f"{c},{c},0,10\n" for c in "abc"))
    for name in "ab":
        put(f"source/{name}_000000_000010.mp4")
    run("kinetics400")

    def embed_clips(clips: list[Clip], queries: list[str]) -> np.ndarray:
        assert set(queries) == {"What is the action shown?"}
        return np.stack([np.eye(3)["abc".index(Path(clip.media[0]).name[0])] for clip in clips])

    system = System(
        name="known",
        embed_clips=embed_clips,
        encode_text=lambda texts: np.stack([np.eye(3)["abc".index(t)] for t in texts]),
    )
    result = evaluate(tmp_path / "out" / "test" / "kinetics400", system)
    assert (result.value, result.paper, lines.items(result)) == (1.0, 0.848, "2 of 3")
