"""Training samples a second beside two other open implementations of VL-JEPA, in one run: equal models, equal data.

    git clone https://github.com/dion-jy/open-vljepa peers/open-vljepa
    git clone https://github.com/saivishwak/VL-JEPA peers/saivishwak
    pip install omegaconf pyyaml pydantic
    python benchmarks/peers.py --peer open-vljepa=peers/open-vljepa --peer saivishwak=peers/saivishwak

Their own loops run from their checkouts, unchanged, with their own settings (``peer_steps.py``). All build V-JEPA 2,
layers of a Llama and a Gemma 3 text encoder from the same folders of random weights, of a size for CPUs, and train on
the same synthetic clips and texts of Tabletop. Two comparisons: the step alone, with the frozen X-Encoder's tokens at
hand for all; and from frames, where a step costs what it costs in an epoch: theirs run V-JEPA 2 in every one, ours in
the first and never again. Methods take turns. A round is a step on each of four batches, one of each of nano's sources
of videos; figures are medians over rounds. Not equal, and not made so: what ``settings`` says of each, and that our
step tokenises its texts and brings frames from uint8 to colours, which theirs leave to their loaders.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from backbones import write_backbones
from peer_steps import PEERS, Data, Peer
from rich.console import Console
from rich.table import Table
from torch import nn
from transformers import Gemma3TextConfig, VJEPA2Config
from transformers.utils import logging

from vljepa.config import LossConfig, ModelConfig, OptimConfig, PredictorConfig, XEncoderConfig, YEncoderConfig
from vljepa.data.manifest import read_manifest
from vljepa.data.video import read_clip
from vljepa.errors import UserError
from vljepa.model.bulk import autocast, cache_features
from vljepa.model.vljepa import VLJEPA
from vljepa.provenance import processor
from vljepa.recipes import nano, paper_model
from vljepa.tabletop import suite
from vljepa.training.guard import Guard
from vljepa.training.optim import build_optimizer
from vljepa.training.step import train_step
from vljepa.types import Batch, Clip

SOURCES = ("sft_actions", "sft_videos", "sft_procedures", "sft_video_questions")
EMBED_DIM = 384


@dataclass(kw_only=True)
class Method:
    """One line of the table."""

    name: str
    step: Callable[[int], object]
    """Of the number of the batch."""
    model: nn.Module
    seconds: list[float]
    """A round each."""


def main() -> None:
    args = _arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite.write(folder / "data", "tiny", seed=args.seed, workers=args.threads)
        samples = _samples(folder / "data" / "train", args.batch, args.seed)
        config = _write_model(folder, args.frames, args.size, args.precision)
        frames = [torch.stack([torch.from_numpy(f) for f in _read(clips, config)]) for clips, _, _ in samples]
        tables = []
        for title, at_hand in (("the step alone, visual tokens at hand", True), ("from frames", False)):
            methods, peers = _methods(args, folder / str(at_hand), config, samples, frames, at_hand)
            _time(methods, len(samples), args.rounds)
            for peer in peers.values():
                peer.turns.close()
            tables.append((title, methods))
        count = sum(len(queries) for _, queries, _ in samples)
        distinct = sum(len(set(targets)) for _, _, targets in samples)
    console = Console(width=130)
    console.print(
        f"{processor()}, {args.threads} threads, torch {torch.__version__}, {args.precision}; batches of {args.batch} "
        f"clips of {args.frames} frames of {args.size} pixels; {distinct} of {count} targets distinct in their batch",
        highlight=False,
    )
    for title, methods in tables:
        console.print(_table(title, methods, count))
    for name, peer in peers.items():
        console.print(f"{name}: {peer.settings}", highlight=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", action="append", required=True, metavar="NAME=CHECKOUT", help=", ".join(PEERS))
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--frames", type=int, default=8, help="of a clip; theirs by default too")
    parser.add_argument("--size", type=int, default=256, help="side of a frame, pixels; theirs by default too")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.peers = {}
    for peer in args.peer:
        name, _, checkout = peer.partition("=")
        if name not in PEERS or not Path(checkout).is_dir():
            raise SystemExit(f"--peer {peer}: give NAME=CHECKOUT with a NAME of {', '.join(PEERS)} and its git clone")
        args.peers[name] = Path(checkout).resolve()
    return args


Samples = tuple[list[Clip], list[str], list[str]]


def _samples(folder: Path, batch: int, seed: int) -> list[Samples]:
    """Clips, queries and targets of a batch of each source."""
    rng = random.Random(seed)
    batches = []
    for source in SOURCES:
        drawn = rng.choices(read_manifest(folder / f"{source}.jsonl")[0], k=batch)
        batches.append(
            ([s.clip for s in drawn], [s.query for s in drawn], [rng.choice(sorted(s.targets)) for s in drawn])
        )
    return batches


def _write_model(folder: Path, num_frames: int, size: int, precision: str) -> ModelConfig:
    """The paper's three backbones in small: nano's predictor, and the others as much smaller."""
    vision = VJEPA2Config(
        crop_size=size,
        frames_per_clip=num_frames,
        hidden_size=192,
        num_attention_heads=3,
        num_hidden_layers=4,
        pred_hidden_size=72,
        pred_num_attention_heads=3,
        pred_num_hidden_layers=2,
    )
    text = Gemma3TextConfig(
        vocab_size=16_384,
        hidden_size=192,
        intermediate_size=288,
        num_hidden_layers=6,
        num_attention_heads=3,
        num_key_value_heads=1,
        head_dim=64,
        use_bidirectional_attention=True,
    )
    model = replace(
        paper_model(),
        x_encoder=XEncoderConfig(frame_size=size, num_frames=num_frames),
        predictor=PredictorConfig(transformer=nano().model.predictor.transformer, tubelet=1),
        y_encoder=YEncoderConfig(train_token_embeddings=True),
        embed_dim=EMBED_DIM,
    )
    texts = [text for path in (folder / "data" / "train").glob("sft_*.jsonl") for text in path.read_text().split('"')]
    dtype = getattr(torch, precision)
    return write_backbones(folder, model, vision, text, texts, query_vocabulary=16_032, dtype=dtype)


def _read(clips: list[Clip], config: ModelConfig) -> list:
    return [read_clip(clip, config.x_encoder.num_frames, size=config.x_encoder.frame_size) for clip in clips]


def _methods(
    args: argparse.Namespace,
    folder: Path,
    config: ModelConfig,
    samples: list[Samples],
    frames: list[torch.Tensor],
    at_hand: bool,
) -> tuple[list[Method], dict[str, Peer]]:
    """The lines of a comparison, ours first, and the others by name."""
    network = VLJEPA(config)
    network.x_encoder.eval()
    tokens = [network.encode_frames(batch) for batch in frames]
    data = Data(
        pixels=[
            network.x_encoder.preprocessing(f.flatten(0, 1), torch.float32).unflatten(0, f.shape[:2]) for f in frames
        ],
        visual_tokens=[t.flatten(1, 2) for t in tokens] if at_hand else None,
        queries=[queries for _, queries, _ in samples],
        targets=[targets for _, _, targets in samples],
    )
    if at_hand:
        halves = [t.half() for t in tokens]
        methods = [_ours("ours", config, samples, args.precision, lambda model, i: halves[i])]
    else:
        clips = [clip for batch, _, _ in samples for clip in batch]
        cache = cache_features(network, folder, clips, args.frames, args.precision)

        def encoded(model: VLJEPA, i: int) -> torch.Tensor:
            with torch.no_grad(), autocast(model.device, args.precision):
                return model.encode_frames(frames[i])

        def cached(model: VLJEPA, i: int) -> torch.Tensor:
            return torch.from_numpy(cache.read(samples[i][0]))

        methods = [
            _ours("ours, later epochs: tokens from the cache", config, samples, args.precision, cached),
            _ours("ours, first epoch: frames encoded", config, samples, args.precision, encoded),
        ]
    peers = {
        name: PEERS[name](checkout, config, data, precision=args.precision, folder=folder / name)
        for name, checkout in args.peers.items()
    }
    for name, peer in peers.items():
        methods.append(Method(name=name, step=lambda i, turns=peer.turns: turns.step(), model=peer.model, seconds=[]))
    return methods, peers


def _ours(
    name: str,
    config: ModelConfig,
    samples: list[Samples],
    precision: str,
    visual_tokens: Callable[[VLJEPA, int], torch.Tensor],
) -> Method:
    model = VLJEPA(config)
    optim = OptimConfig(lr=1e-4)
    optimizer, guard = build_optimizer(model, optim), Guard(optim, "peers")

    def step(i: int) -> None:
        _, queries, targets = samples[i]
        batch = Batch(visual_tokens=visual_tokens(model, i), queries=queries, targets=targets)
        train_step(model, batch, LossConfig(), optimizer, guard, precision=precision, grad_clip=optim.grad_clip)

    return Method(name=name, step=step, model=model, seconds=[])


def _time(methods: list[Method], num_batches: int, rounds: int) -> None:
    """A round of each method in turn; the first is to warm up."""
    for turn in range(rounds + 1):
        for method in methods:
            began = time.perf_counter()
            for i in range(num_batches):
                method.step(i)
            if turn:
                method.seconds.append(time.perf_counter() - began)


def _table(title: str, methods: list[Method], count: int) -> Table:
    table = Table(title, "samples/s", "lowest", "highest", "time, ours first = 1", "trained", "all parameters")
    for column in table.columns[1:]:
        column.justify = "right"
    ours = statistics.median(methods[0].seconds)
    for method in methods:
        median = statistics.median(method.seconds)
        trained = sum(p.numel() for p in method.model.parameters() if p.requires_grad)
        table.add_row(
            method.name,
            *(f"{count / seconds:.2f}" for seconds in (median, max(method.seconds), min(method.seconds))),
            f"{median / ours:.2f}",
            f"{trained / 1e6:.2f} M",
            f"{sum(p.numel() for p in method.model.parameters()) / 1e6:.2f} M",
        )
    return table


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"peers.py: {error}") from error
