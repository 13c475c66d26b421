"""Turn public data sets into what training and evaluation read: ``prepare``."""

import sys
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from vljepa.cli.common import AsJson, show
from vljepa.errors import UserError


def prepare(
    name: Annotated[
        Positional[str],
        tyro.conf.arg(
            metavar="NAME",
            help="A training set (action100m, datacomp, yfcc100m, plm, llava, ego4d, folder or table), "
            "or a benchmark (ssv2, kinetics400, ...; any other word lists them).",
        ),
    ],
    source: Annotated[
        Positional[Path], tyro.conf.arg(metavar="SOURCE", help="The set's official file, or the folder of its files.")
    ],
    out: Annotated[
        Positional[Path],
        tyro.conf.arg(metavar="OUT", help="Folder of the data set; manifests go into its train, benchmarks into test."),
    ],
    media: Annotated[
        Path | None,
        tyro.conf.arg(help="Folder of the media; default: SOURCE's. Outside OUT it gets a link in OUT/media."),
    ] = None,
    uids: Annotated[Path | None, tyro.conf.arg(help="datacomp: npy file of the uids to keep; default: all.")] = None,
    partial: Annotated[
        bool, tyro.conf.arg(help="Benchmarks: take what is there, though it is not the whole official split.")
    ] = False,
    options: Annotated[
        tuple[str, ...], tyro.conf.arg(metavar="NAME=VALUE", help="Benchmarks: what only this one asks for.")
    ] = (),
    as_json: AsJson = False,
) -> None:
    """Convert a public training set, or a folder or table of your own, into a training manifest, or the official
    files of a benchmark into benchmark folders.

    What is left out is counted by reason, and the first few of each are named.

    Example: vljepa prepare ego4d ego4d/v2/annotations/narration.json data/ego4d --media ego4d/v2/full_scale
    """
    from vljepa.data.prepare import SETS as TRAINING
    from vljepa.evaluation.benchmarks import SETS as BENCHMARKS

    if name in TRAINING:
        if partial or options:
            raise UserError(f"--{'partial' if partial else 'options'}: is for benchmarks, not for {name}; leave it out")
        _manifests(name, source, out, media, uids, as_json)
    elif name in BENCHMARKS:
        if uids:
            raise UserError(f"--uids: chooses from datacomp, not from {name}; leave the option out")
        _benchmarks(name, source, out, media, partial, options, as_json)
    else:
        raise UserError(
            f"no set {name!r}; choose one of {', '.join(TRAINING)}, or of the benchmarks {', '.join(BENCHMARKS)}"
        )


def _manifests(name: str, source: Path, out: Path, media: Path | None, uids: Path | None, as_json: bool) -> None:
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


def _benchmarks(
    name: str, source: Path, out: Path, media: Path | None, partial: bool, options: tuple[str, ...], as_json: bool
) -> None:
    from vljepa.evaluation.benchmarks import convert
    from vljepa.evaluation.conversion.spec import Request
    from vljepa.progress import counting

    pairs = [option.partition("=") for option in options]
    if wrong := next((option for option, (_, _, value) in zip(options, pairs, strict=True) if not value), None):
        raise UserError(f"--options {wrong}: is not NAME=VALUE; write the option's name, =, and its value")
    given = {option: value for option, _, value in pairs}
    with counting("converting") as progress:
        request = Request(source=source, out=out, media=media, partial=partial, options=given, progress=progress)
        written = convert(name, request)
    lines = []
    for one in written:
        for what, counted in (("left out", one.left_out), ("noted", one.repaired)):
            for reason, named in counted.examples.items():
                first = f"vljepa: {one.folder.name}: {what}: {counted.counts[reason]} x {reason}"
                print(f"{first}: {'; '.join(named)}", file=sys.stderr)
        share = f"{one.items:,}" if one.items == one.official else f"{one.items:,} of {one.official:,}"
        lines.append(f"{share} items in {one.folder}, {len(one.left_out)} left out")
        if one.missing:
            lines.append(f"missing media are listed in {one.missing}")
    show(
        {
            one.folder.name: {
                "folder": str(one.folder),
                "items": one.items,
                "official_items": one.official,
                "left_out": one.left_out.to_json(),
                "noted": one.repaired.to_json(),
                "missing": str(one.missing) if one.missing else None,
            }
            for one in written
        },
        lines,
        as_json,
    )
