"""Converters: the official files of public training sets, turned into training manifests.

A converter yields samples and what it leaves out (``entry``), and the writer checks and counts them; so nothing is kept
in memory but the ids.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from vljepa.data.prepare import action100m, ego4d, folder, llava, plm, table, webdataset, yfcc100m
from vljepa.data.prepare.entry import Found, Job
from vljepa.data.prepare.writer import Report, write
from vljepa.errors import UserError

SETS: dict[str, Callable[[Job], Found]] = {
    "action100m": action100m.read,
    "datacomp": partial(webdataset.read, name="datacomp"),
    "yfcc100m": yfcc100m.read,
    "plm": plm.read,
    "llava": llava.read,
    "ego4d": ego4d.read,
    "folder": folder.read,
    "table": table.read,
}
_HOLD_THEIR_MEDIA = ("datacomp", "folder")


def prepare(name: str, job: Job) -> Report:
    """Convert a set; its manifests are ``job.out/train/<name>.jsonl``, for Action100M also ``<name>_sft.jsonl``;
    of PLM they are ``<name>_images.jsonl`` and ``<name>_videos.jsonl``.

    Raises:
        UserError: there is no such set, the source cannot be read, or gives no sample.
    """
    if name not in SETS:
        raise UserError(f"no set {name!r}; choose one of {', '.join(SETS)}")
    if not job.source.exists():
        raise UserError(f"{job.source}: is not there; check SOURCE")
    if job.media and name in _HOLD_THEIR_MEDIA:
        raise UserError(f"--media: the media of {name} lie in SOURCE; leave the option out")
    if job.uids and name != "datacomp":
        raise UserError(f"--uids: chooses from datacomp, not from {name}; leave the option out")
    return write(SETS[name](replace(job, progress=_seldom(job.progress))), job.out, name)


def _seldom(progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Told at every thousandth of the whole: some sources have a hundred million records."""
    told = -1

    def tell(done: int, total: int) -> None:
        nonlocal told
        thousandth = 1000 * done // max(1, total)
        if thousandth != told:
            told = thousandth
            progress(done, total)

    return tell
