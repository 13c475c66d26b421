"""The paper's benchmarks: one file a data set, which turns the official files into benchmark folders."""

from collections.abc import Mapping

from vljepa.errors import UserError
from vljepa.evaluation.benchmarks import (
    coin,
    crosstask,
    egoexo4d,
    epic_kitchens,
    imagenet,
    kinetics400,
    ssv2,
    sugarcrepe_pp,
    visla,
)
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.spec import BenchmarkSet, Request
from vljepa.evaluation.conversion.writer import Writer, Written

SETS: Mapping[str, BenchmarkSet] = {
    "coin": coin.SET,
    "crosstask": crosstask.SET,
    "egoexo4d_descriptions": egoexo4d.SET_DESCRIPTIONS,
    "egoexo4d_keysteps": egoexo4d.SET_KEYSTEPS,
    "epic_kitchens": epic_kitchens.SET,
    "imagenet": imagenet.SET,
    "kinetics400": kinetics400.SET,
    "ssv2": ssv2.SET,
    "sugarcrepe_pp": sugarcrepe_pp.SET,
    "visla": visla.SET,
}


def convert(name: str, request: Request) -> list[Written]:
    """Make every benchmark of a data set, ``request.out/test/<benchmark>``; none gets its place unless all are whole.

    Raises:
        UserError: there is no such set or option, a file cannot be read, or it is not the official split and
            ``request.partial`` does not accept that.
    """
    if name not in SETS:
        raise UserError(f"no benchmark {name!r}; choose one of {', '.join(SETS)}")
    if not request.source.exists():
        raise UserError(f"{request.source}: is not there; check SOURCE")
    for option in request.options:
        if option not in SETS[name].options:
            known = "; ".join(f"{o}, {about}" for o, about in SETS[name].options.items()) or "it has none"
            raise UserError(f"--options {option}: {name} has no such option: {known}")
    files = Files(name, request)
    writers = []
    try:
        done = []
        for spec in SETS[name].benchmarks:
            files.begin()
            writers.append(Writer(spec, files, request.out))
            done.append(writers[-1].write(request.partial, request.progress))
        for writer in writers:
            writer.finish()
        return done
    finally:
        for writer in writers:
            writer.discard()
