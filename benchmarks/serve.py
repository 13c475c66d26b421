"""Many clients of `vljepa serve` at once: latencies, refusals, memory.

Each client asks without pause, one question after the other: half embed texts, the others caption, classify and encode
a kept video or one they send along. One that is refused comes back after what Retry-After says. Memory is the resident
set of the server and of its decoding processes, after a warm-up of the same kind and then at equal intervals.

    python benchmarks/serve.py --clients 64 --seconds 60
"""

import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import av
import httpx2
import numpy as np
import tyro

from vljepa.tabletop.actions import simulate_action
from vljepa.tabletop.render import render
from vljepa.tabletop.scene import VERBS

_SERVE = "import sys\nfrom vljepa.cli import main\nif __name__ == '__main__': sys.exit(main())"
_WARM_UP = 10.0
"""Seconds."""
_PARTS = 6
"""Of the time, after each of which memory is read."""
LABELS = ["pushing a cube to the left", "spinning a ball", "lifting a cone", "stacking two cubes"]


@dataclass(kw_only=True)
class Tally:
    """What the clients saw."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Of each kind of request that was granted."""
    statuses: Counter[int] = field(default_factory=Counter)
    slowest_refusal: float = 0.0
    """Seconds."""


def write_clip(path: Path) -> Path:
    """An action on the table, as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        frames = render(simulate_action(0, VERBS[0]), 256)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def resident_mb(pid: int) -> tuple[float, float]:
    """Of a process, and of its children together, MB."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, sum(resident_mb(int(child))[0] for child in children)


async def ask(client: httpx2.AsyncClient, number: int, media: str, clip: bytes) -> tuple[str, httpx2.Response]:
    """One request of the kind that the number stands for."""
    if number % 2:
        texts = [f"a {colour} cube is pushed, take {number}" for colour in ("red", "blue", "green", "white")]
        return "embed 4 texts", await client.post("/v1/embeddings", json={"model": "nano", "input": texts})
    kind = number // 2 % 4
    if kind == 0:
        return "caption a kept video", await client.post("/v1/caption", data={"media": media})
    if kind == 1:
        return "classify a kept video", await client.post("/v1/classify", data={"media": media, "labels": LABELS})
    if kind == 2:
        return "encode a kept video", await client.post("/v1/encode", data={"media": media})
    return "encode a video sent along", await client.post("/v1/encode", files={"file": ("clip.mp4", clip)})


async def load(address: str, clients: int, seconds: float, clip: Path, tally: Tally) -> None:
    """Have so many clients ask for so long."""
    content = clip.read_bytes()
    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=120) as client:
        media = (await client.post("/v1/media", files={"file": ("clip.mp4", content)})).json()["id"]
        end = time.monotonic() + seconds

        async def one(number: int) -> None:
            while time.monotonic() < end:
                began = time.monotonic()
                kind, response = await ask(client, number, media, content)
                took = time.monotonic() - began
                tally.statuses[response.status_code] += 1
                if response.status_code == 200:
                    tally.seconds[kind].append(took)
                    number += clients + 1
                else:
                    tally.slowest_refusal = max(tally.slowest_refusal, took)
                    await asyncio.sleep(float(response.headers.get("retry-after", 1)))

        await asyncio.gather(*(one(number) for number in range(clients)))


def show(tally: Tally, seconds: float) -> None:
    """A table of the kinds of requests."""
    print(f"{'':28}{'count':>7}{'a second':>10}{'median':>9}{'p99':>9}")
    every = [value for values in tally.seconds.values() for value in values]
    for kind, values in [*sorted(tally.seconds.items()), ("all that were granted", every)]:
        median, p99 = np.percentile(values, [50, 99])
        print(f"{kind:28}{len(values):7d}{len(values) / seconds:10.1f}{median:8.2f}s{p99:8.2f}s")
    print("answers by status:", ", ".join(f"{status}: {n}" for status, n in sorted(tally.statuses.items())))
    print(f"slowest refusal: {tally.slowest_refusal:.2f} s")


def main(clients: int = 64, seconds: float = 60.0, max_waiting: int = 32, model: str = "nano") -> None:
    """
    Args:
        clients: that ask at once.
        seconds: for how long.
        max_waiting: requests the server has in hand at once.
        model: shipped model or checkpoint folder.
    """
    print(f"{clients} clients for {seconds:g} s, at most {max_waiting} in hand; {platform.processor() or 'CPU'}, "
          f"{os.cpu_count()} cores")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        clip = write_clip(Path(folder) / "clip.mp4")
        command = ["serve", "--model", model, "--port", "0", "--data", f"{folder}/data"]
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVE, *command, "--max-waiting", str(max_waiting)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split("at ")[1].split()[0]
            asyncio.run(load(address, clients, _WARM_UP, clip, Tally()))
            memory = [resident_mb(server.pid)]
            tally = Tally()
            for _ in range(_PARTS):
                asyncio.run(load(address, clients, seconds / _PARTS, clip, tally))
                memory.append(resident_mb(server.pid))
        finally:
            server.terminate()
            server.wait(30)
    show(tally, seconds)
    print("resident memory, MB: server", *(f"{own:.0f}" for own, _ in memory))
    print("   its decoding processes", *(f"{children:.0f}" for _, children in memory))


if __name__ == "__main__":
    tyro.cli(main)
