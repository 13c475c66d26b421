"""A stream's records in a folder, as they happen: ``events.jsonl``, ``events.srt`` and ``events.vtt``."""

import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from vljepa.errors import UserError
from vljepa.tasks.subtitles import VTT_HEADER, srt_cue, vtt_cue
from vljepa.tasks.watch import Record, to_json
from vljepa.types import Event


class EventFiles:
    """Three growing files. Each record is handed to the system at once: a run that is killed loses the open event.

    Args:
        folder: made if absent.

    Raises:
        UserError: the folder holds the events of another run.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._open = ExitStack()
        try:
            self._jsonl, self._srt, self._vtt = (
                self._open.enter_context((folder / f"events.{suffix}").open("x", encoding="utf-8"))
                for suffix in ("jsonl", "srt", "vtt")
            )
        except FileExistsError as error:
            self._open.close()
            raise UserError(f"{error.filename}: is there already, from another run; name a new folder") from error
        self._cues = 0
        _put(self._vtt, VTT_HEADER)

    def write(self, record: Record) -> None:
        """Add a record to each file that has a place for it."""
        self.write_line(to_json(record))
        if isinstance(record, Event) and (cue := srt_cue(self._cues + 1, record)):
            self._cues += 1
            _put(self._srt, cue)
            _put(self._vtt, vtt_cue(record))

    def write_line(self, values: dict[str, Any]) -> None:
        """Add an object to the JSON Lines."""
        _put(self._jsonl, json.dumps(values, ensure_ascii=False) + "\n")

    def __enter__(self) -> "EventFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


def _put(file: Any, text: str) -> None:
    file.write(text)
    file.flush()
