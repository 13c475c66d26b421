"""How a system is measured on streams: fewer decodings for the same quality (paper, section 4.6, figure 4)."""

import itertools
from functools import partial

import numpy as np

from vljepa.distributed import share
from vljepa.errors import UserError
from vljepa.evaluation.benchmark import Benchmark, Item
from vljepa.evaluation.measured import make_result, metric_of
from vljepa.evaluation.result import HIGH, LOW, Result
from vljepa.evaluation.selective import ONLINE, EmbeddedStream, Sweep, sweep
from vljepa.evaluation.system import System
from vljepa.tasks.unit import unit_rows

STREAM_HZ = 4.0
"""Rate at which streams are embedded; decoding is rarer."""
_SELECTIVE = ("ward exact", "ward pooled", ONLINE)
_UNIFORM = ("uniform exact", "uniform pooled")
_HEADLINE = (_SELECTIVE[0], _UNIFORM[0])
"""Both decode the same embeddings, so that the cut is all that differs."""
_AT_REFERENCE = "CIDEr-D at 1 Hz, "
AIM = _AT_REFERENCE + _HEADLINE[1]
"""Name of the figure that is to be reached with fewer decodings."""
_RESAMPLES = 1000


def measure_stream(benchmark: Benchmark, system: System) -> Result:
    """How many times fewer decodings segments of one meaning need than uniform ones, for the CIDEr-D of 1 Hz."""
    assert system.decode is not None
    metric_of(benchmark, "cider")
    embed = partial(_embedded, system, benchmark.query)
    found = share(embed, benchmark.items) if system.fingerprint else list(map(embed, benchmark.items))
    streams = [one for one in found if isinstance(one, EmbeddedStream)]
    bad = [one for one in found if isinstance(one, str)]
    if not streams:
        raise UserError(f"{benchmark.name}: no stream could be read; the first: {bad[0]}")
    measured = sweep(streams, system.decode)
    figures: dict[str, float] = {}
    for pair in itertools.product(_SELECTIVE, _UNIFORM):
        if pair != _HEADLINE:
            low, high = _interval(measured, *pair)
            name = f"fewer decodings, {pair[0]} than {pair[1]} at 1 Hz"
            figures |= {name: measured.saving(*pair), name + LOW: low, name + HIGH: high}
    figures |= {_AT_REFERENCE + method: score for method, score in measured.at_reference().items()}
    return make_result(
        benchmark,
        system,
        value=measured.saving(*_HEADLINE),
        interval=_interval(measured, *_HEADLINE),
        metric=f"times fewer decodings, {_HEADLINE[0]} than {_HEADLINE[1]} at 1 Hz, same CIDEr-D",
        chance=1.0,
        count=len(streams),
        bad=bad,
        figures=figures,
        curve=measured.curve,
    )


def _embedded(system: System, query: str, item: Item) -> EmbeddedStream | str:
    """The stream of an item, or why it cannot be read."""
    assert system.embed_stream is not None and item.clip is not None
    try:
        times, rows = system.embed_stream(item.clip.media[0], STREAM_HZ, query)
    except UserError as error:
        return str(error)
    return EmbeddedStream(times=np.asarray(times), embeddings=unit_rows(rows), annotations=item.annotations)


def _interval(measured: Sweep, selective: str, uniform: str) -> tuple[float, float]:
    """95 % bootstrap interval of the saving, over streams."""
    rng = np.random.default_rng(0)
    count = len(measured.durations)
    savings = [measured.saving(selective, uniform, rng.integers(0, count, count)) for _ in range(_RESAMPLES)]
    low, high = np.quantile(savings, [0.025, 0.975])
    return float(low), float(high)
