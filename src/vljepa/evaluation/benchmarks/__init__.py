"""The paper's benchmarks: one file a data set, which turns the official files into benchmark folders."""

from collections.abc import Mapping

from vljepa.errors import UserError
from vljepa.evaluation.benchmarks import (
    activitynet,
    clevr,
    coin,
    crosstask,
    didemo,
    dream1k,
    egoexo4d,
    epic_kitchens,
    gqa,
    imagenet,
    kinetics400,
    msrvtt,
    msvd,
    pope,
    popev2,
    pvd_bench,
    ssv2,
    sugarcrepe_pp,
    tallyqa,
    vdc1k,
    visla,
    worldprediction,
    youcook2,
)
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.spec import BenchmarkSet, Request
from vljepa.evaluation.conversion.writer import Writer, Written

SETS: Mapping[str, BenchmarkSet] = {
    "activitynet": activitynet.SET,
    "clevr": clevr.SET,
    "coin": coin.SET,
    "crosstask": crosstask.SET,
    "didemo": didemo.SET,
    "dream1k": dream1k.SET,
    "egoexo4d_descriptions": egoexo4d.SET_DESCRIPTIONS,
    "egoexo4d_keysteps": egoexo4d.SET_KEYSTEPS,
    "epic_kitchens": epic_kitchens.SET,
    "gqa": gqa.SET,
    "imagenet": imagenet.SET,
    "kinetics400": kinetics400.SET,
    "msrvtt": msrvtt.SET,
    "msvd": msvd.SET,
    "pope": pope.SET,
    "popev2": popev2.SET,
    "pvd_bench": pvd_bench.SET,
    "ssv2": ssv2.SET,
    "sugarcrepe_pp": sugarcrepe_pp.SET,
    "tallyqa": tallyqa.SET,
    "vdc1k": vdc1k.SET,
    "visla": visla.SET,
    "worldprediction": worldprediction.SET,
    "youcook2": youcook2.SET,
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
