"""Turn public training sets into manifests: ``prepare``."""

import sys
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from vljepa.cli.common import AsJson, show


def prepare(
    name: Annotated[
        Positional[str],
        tyro.conf.arg(metavar="NAME", help="action100m, datacomp, yfcc100m, plm, llava, ego4d, folder or table."),
    ],
    source: Annotated[
        Positional[Path], tyro.conf.arg(metavar="SOURCE", help="The set's official file, or the folder of its files.")
    ],
    out: Annotated[
        Positional[Path], tyro.conf.arg(metavar="OUT", help="Folder of the data set; manifests go into its train.")
    ],
    media: Annotated[
        Path | None,
        tyro.conf.arg(help="Folder of the media; default: SOURCE's. Outside OUT it gets a link in OUT/media."),
    ] = None,
    uids: Annotated[Path | None, tyro.conf.arg(help="datacomp: npy file of the uids to keep; default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Convert a public training set, or a folder or table of your own, into a training manifest.

    What is left out is counted by reason, and the first few of each are named.

    Example: vljepa prepare ego4d ego4d/v2/annotations/narration.json data/ego4d --media ego4d/v2/full_scale
    """
    from vljepa.data.prepare import Job
    from vljepa.data.prepare import prepare as run
    from vljepa.progress import counting

    with counting("reading") as progress:
        report = run(name, Job(source=source, out=out, media=media, uids=uids, progress=progress))
    for line in report.lines():
        print(f"vljepa: left out: {line}", file=sys.stderr)
    left_out = report.left_out
    show(
        {"manifests": report.samples, "left_out": left_out.counts, "examples": left_out.examples},
        [*(f"{count} samples in {path}" for path, count in report.samples.items()), f"{len(left_out)} left out"],
        as_json,
    )
