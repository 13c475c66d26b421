"""A run's log: JSON Lines for programs, TensorBoard for eyes."""

import json
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter


class RunLog:
    """Writes figures by step to ``log.jsonl`` and TensorBoard files in a run's folder.

    Args:
        resumed_at: steps already done; what an interrupted run logged beyond them is dropped.
    """

    def __init__(self, folder: Path, resumed_at: int) -> None:
        path = folder / "log.jsonl"
        kept = _kept(path, resumed_at)
        self._file = path.open("w", encoding="utf-8")
        self._file.writelines(kept)
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=resumed_at)

    def write(self, step: int, stage: str, figures: dict[str, float]) -> None:
        """Log the figures of a stage after ``step`` steps of the run."""
        self._file.write(json.dumps({"step": step, "stage": stage, **figures}) + "\n")
        self._file.flush()
        for name, value in figures.items():
            self._board.add_scalar(f"{stage}/{name}", value, step)

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._board.close()


def _kept(path: Path, last_step: int) -> list[str]:
    if not path.exists():
        return []
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        # A kill can cut the last line short; nothing after it is worth keeping.
        if not line.endswith("\n") or json.loads(line)["step"] > last_step:
            break
        kept.append(line)
    return kept
