"""Time and peak memory of Ward's clustering of a stream, ours beside scikit-learn's at sizes that it can do.

    python benchmarks/segment.py                                     # small sizes, both
    python benchmarks/segment.py --sizes 1000000 --sklearn-up-to 0   # the full size, 6.1 GB of input

Each run has a process of its own, so that its peak is its own. The made-up streams hold meanings for a few seconds at 4
Hz, with noise.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import tyro

_BLOCK = 10_000


def made(num_rows: int, dim: int) -> np.ndarray:
    """Float32 rows (T, E): stretches of 1 to 39 rows about one meaning each."""
    rng = np.random.default_rng(0)
    rows = np.empty((num_rows, dim), dtype=np.float32)
    for at in range(0, num_rows, _BLOCK):
        count = min(_BLOCK, num_rows - at)
        lengths = rng.integers(1, 40, count)
        meaning = np.repeat(np.arange(count), lengths)[:count]
        rng.standard_normal(dtype=np.float32, out=rows[at : at + count])
        rows[at : at + count] *= 0.5
        rows[at : at + count] += rng.standard_normal((int(meaning[-1]) + 1, dim), dtype=np.float32)[meaning]
    return rows


def peak_mb() -> float:
    """Most memory this process has held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def measure(which: str, num_rows: int, dim: int) -> None:
    """One line for one clustering."""
    rows = made(num_rows, dim)
    if which == "ours":
        from vljepa.tasks.ward import WardChain
    else:
        from scipy.sparse import diags
        from sklearn.cluster import AgglomerativeClustering
    before, start = peak_mb(), time.perf_counter()
    if which == "ours":
        WardChain(rows)
    else:
        chain = diags([1.0, 1.0], [-1, 1], shape=(num_rows, num_rows), format="csr")
        AgglomerativeClustering(n_clusters=2, linkage="ward", connectivity=chain).fit(rows)
    seconds, size = time.perf_counter() - start, rows.nbytes / 1e6
    share = (size + peak_mb() - before) / size
    print(
        f"{which:12} {num_rows:8} x {dim}  {seconds:7.1f} s  input {size:6.0f} MB, "
        f"peak {peak_mb():6.0f} MB; input and what was added: {share:.2f} x the input",
        flush=True,
    )


def main(
    sizes: tuple[int, ...] = (5_000, 20_000, 100_000),
    dim: int = 1536,
    sklearn_up_to: int = 20_000,
    only: str = "",
) -> None:
    """Measure every size.

    Args:
        sizes: rows of each stream.
        dim: E.
        sklearn_up_to: rows beyond which scikit-learn is left out.
        only: measure this one alone, in this process: what the runs below are.
    """
    for num_rows in sizes:
        if only:
            measure(only, num_rows, dim)
            continue
        for which in ("ours", "scikit-learn"):
            if which == "ours" or num_rows <= sklearn_up_to:
                command = [sys.executable, str(Path(__file__)), "--sizes", str(num_rows), "--dim", str(dim)]
                subprocess.run([*command, "--only", which], check=True)


if __name__ == "__main__":
    tyro.cli(main)
