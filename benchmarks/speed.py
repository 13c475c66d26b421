"""How fast the parts are on this machine: `make bench` prints a table and writes out/bench.json.

Every ratio stands against a baseline measured in the same run, by turns with it, so that a busy machine slows both.
Times are medians. Clips are Tabletop's, so their figures are of small synthetic videos.
"""

import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table
from transformers import LlamaConfig, LlamaModel

from vljepa.api import Model, load
from vljepa.config import LossConfig, OptimConfig
from vljepa.data.features import FeatureCache
from vljepa.data.video import read_clip
from vljepa.errors import UserError
from vljepa.model.bulk import cache_features
from vljepa.model.transformer import Transformer
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.provenance import processor
from vljepa.recipes import nano
from vljepa.tabletop import suite
from vljepa.training.guard import Guard
from vljepa.training.optim import build_optimizer
from vljepa.training.step import train_step
from vljepa.types import Batch, Clip

QUERY = "What is the action shown?"
WORDS = ("red", "green", "blue", "cube", "ball", "cone", "pushes", "lifts", "turns", "the hand", "left", "right")
TRAIN_BATCH = 128
PADDED_TOKENS = 512
"""What the paper pads queries to."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A line of the table."""

    name: str
    value: float
    unit: str


def main(threads: int = 2, repeats: int = 30, seed: int = 0, out: Path = Path("out/bench.json")) -> None:
    """Measure and print.

    Args:
        threads: of PyTorch.
        repeats: how often each thing is timed; as many clips are shown.
        seed: of weights, texts and clips.
        out: JSON file of the figures.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    model, what = _model()
    with tempfile.TemporaryDirectory() as folder:
        suite.write(Path(folder) / "data", "tiny", seed=seed, workers=threads)
        paths = sorted((Path(folder) / "data" / "train" / "media").glob("**/*.mp4"))
        clips = [Clip(media=(str(path),)) for path in (paths * repeats)[:repeats]]
        figures = [
            *_clips(model, clips),
            *_texts(model, seed, repeats),
            *training(model.network, seed, max(3, repeats // 6)),
            *_padding(model.network, repeats),
            *_llama(model.network, repeats),
            *_cache(model.network, list(dict.fromkeys(clips)), Path(folder) / "features", repeats),
        ]
    about = {
        "model": what,
        "machine": f"{processor()}, {platform.system()} {platform.machine()}",
        "threads": threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "seed": seed,
        "repeats": repeats,
        "data": "synthetic clips of Tabletop, size tiny",
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"about": about, "figures": [asdict(figure) for figure in figures]}, indent=1) + "\n")
    _show(about, figures)
    print(out)


def _model() -> tuple[Model, str]:
    """The shipped model, or one of the same shapes that was never trained."""
    try:
        return load("nano"), "nano"
    except UserError:
        tokenizer = train_tokenizer([f"{a} {b}" for a in WORDS for b in WORDS], nano().model.y_decoder.vocab_size)
        return Model(VLJEPA(nano().model, tokenizer)), "untrained weights of recipe nano, as no nano is shipped"


def _clips(model: Model, clips: list[Clip]) -> list[Figure]:
    """From file and from array to embedding, and what the parts take of it."""
    config, network = model.network.config.x_encoder, model.network
    decode, see, predict, whole, from_array = [], [], [], [], []
    model.encode_clips(clips[:1], [QUERY])
    for clip in clips:
        began = time.perf_counter()
        frames = torch.from_numpy(read_clip(clip, config.num_frames, size=config.frame_size))[None]
        decoded = time.perf_counter()
        tokens = network.encode_frames(frames)
        seen = time.perf_counter()
        with torch.inference_mode():
            network.predict(tokens, [QUERY])
        done = time.perf_counter()
        decode.append(decoded - began)
        see.append(seen - decoded)
        predict.append(done - seen)
        whole.append(_seconds(lambda clip=clip: model.encode_video([clip.media[0]], QUERY)))
        array = frames[0].numpy()
        from_array.append(_seconds(lambda array=array: model.encode_video([array], QUERY)))
    return [
        _ms("8-frame clip to embedding, from file", whole),
        _ms("8-frame clip to embedding, from array", from_array),
        _ms("  decoding of 8 frames", decode),
        _ms("  X-Encoder", see),
        _ms("  predictor", predict),
    ]


def _texts(model: Model, seed: int, repeats: int) -> list[Figure]:
    """Y-Encoder and Y-Decoder, alone and in batches."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, 8)) for _ in range(256)]
    embeddings = model.encode_text(texts)
    assert model.network.y_decoder is not None
    # An untrained decoder does not end its texts: each takes all the tokens there may be.
    tokens = model.network.config.y_decoder.max_tokens
    return [
        _ms("Y-Encoder, one text", [_seconds(lambda i=i: model.encode_text([texts[i]])) for i in range(repeats)]),
        _rate("Y-Encoder, 256 texts", "texts/s", 256, [_seconds(lambda: model.encode_text(texts)) for _ in range(5)]),
        _ms(
            f"Y-Decoder, one text of at most {tokens} tokens",
            [_seconds(lambda i=i: model.network.decode(embeddings[i : i + 1])) for i in range(repeats)],
        ),
        _rate(
            f"Y-Decoder, 64 texts of at most {tokens} tokens",
            "texts/s",
            64,
            [_seconds(lambda: model.network.decode(embeddings[:64])) for _ in range(5)],
        ),
    ]


def training(network: VLJEPA, seed: int, repeats: int) -> list[Figure]:
    """A step of joint training on features that are at hand, as every step after the first epoch's."""
    config = nano()
    optim = OptimConfig()
    trained = VLJEPA(network.config)
    optimizer, guard = build_optimizer(trained, optim, part=None), Guard(optim, "speed")
    rng = np.random.default_rng(seed)
    steps = -(-network.config.x_encoder.num_frames // network.x_encoder.tubelet)
    shape = (TRAIN_BATCH, steps, network.x_encoder.tokens_per_frame)
    batch = Batch(
        visual_tokens=torch.randn(*shape, network.x_encoder.token_dim).half(),
        queries=[QUERY] * TRAIN_BATCH,
        targets=[" ".join(rng.choice(WORDS, 8)) for _ in range(TRAIN_BATCH)],
    )

    def step() -> None:
        train_step(
            trained, batch, LossConfig(), optimizer, guard, precision=config.precision, grad_clip=optim.grad_clip
        )

    step()
    seconds = [_seconds(step) for _ in range(repeats)]
    name = f"training step, batch {TRAIN_BATCH} of 8 frames, {config.precision}"
    visual_tokens = shape[0] * shape[1] * shape[2]
    return [_rate(name, "samples/s", TRAIN_BATCH, seconds), _rate(name, "visual tokens/s", visual_tokens, seconds)]


@torch.inference_mode()
def _padding(network: VLJEPA, repeats: int) -> list[Figure]:
    """The predictor on queries as they are, and on as many tokens as padding would make of them."""
    steps = -(-network.config.x_encoder.num_frames // network.x_encoder.tubelet)
    tokens = torch.randn(8, steps, network.x_encoder.tokens_per_frame, network.x_encoder.token_dim)
    filler = " ".join(["a"] * PADDED_TOKENS)
    ours, padded = _by_turns(
        lambda: network.predict(tokens, [QUERY] * 8), lambda: network.predict(tokens, [filler] * 8), repeats
    )
    return [
        _ms("predictor, 8 clips, no padding", ours),
        _ms(f"predictor, 8 clips, queries of {PADDED_TOKENS} tokens", padded),
        _ratio(f"  [PAD] to {PADDED_TOKENS} tokens would cost", padded, ours),
    ]


@torch.inference_mode()
def _llama(network: VLJEPA, repeats: int) -> list[Figure]:
    """Our transformer and transformers' Llama of the same shape on the same batch of equally long sequences."""
    shape = network.config.predictor.transformer
    ours = Transformer(replace(shape, causal=True)).eval()
    theirs = LlamaModel(
        LlamaConfig(
            hidden_size=shape.dim,
            num_hidden_layers=shape.num_layers,
            num_attention_heads=shape.num_heads,
            num_key_value_heads=shape.num_kv_heads,
            intermediate_size=shape.ffn_dim,
            vocab_size=1,
            bos_token_id=None,
            eos_token_id=None,
        )
    ).eval()
    batch, length = 16, 80
    hidden = torch.randn(batch, length, shape.dim)
    mine, llama = _by_turns(
        lambda: ours(hidden.flatten(0, 1), [length] * batch),
        lambda: theirs(inputs_embeds=hidden, use_cache=False),
        repeats,
    )
    return [
        _ms(f"our layers, {batch} sequences of {length}", mine),
        _ms(f"transformers' Llama layers, {batch} sequences of {length}", llama),
        _ratio("  theirs take", llama, mine),
    ]


def _cache(network: VLJEPA, clips: list[Clip], folder: Path, repeats: int) -> list[Figure]:
    """Reading a clip's features, and computing them again from its file."""
    config = network.config.x_encoder
    cache: FeatureCache = cache_features(network, folder, clips, config.num_frames, "float32")
    turn = iter(range(10**9))

    def again() -> None:
        frames = read_clip(clips[next(turn) % len(clips)], config.num_frames, size=config.frame_size)
        network.encode_frames(torch.from_numpy(frames)[None])

    read, computed = _by_turns(lambda: cache.read([clips[next(turn) % len(clips)]]), again, repeats)
    return [
        _ms("features of a clip, read from the cache", read),
        _ms("features of a clip, computed again", computed),
        _ratio("  computing takes", computed, read),
    ]


def _by_turns(a: Callable[[], object], b: Callable[[], object], repeats: int) -> tuple[list[float], list[float]]:
    a(), b()
    pairs = [(_seconds(a), _seconds(b)) for _ in range(repeats)]
    return [first for first, _ in pairs], [second for _, second in pairs]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ms(name: str, seconds: list[float]) -> Figure:
    return Figure(name=name, value=statistics.median(seconds) * 1000, unit="ms")


def _rate(name: str, unit: str, count: int, seconds: list[float]) -> Figure:
    return Figure(name=name, value=count / statistics.median(seconds), unit=unit)


def _ratio(name: str, slow: list[float], fast: list[float]) -> Figure:
    return Figure(name=name, value=statistics.median(slow) / statistics.median(fast), unit="times the time")


def _show(about: dict[str, object], figures: list[Figure]) -> None:
    table = Table("what", "median", "unit")
    table.columns[1].justify = "right"
    for figure in figures:
        table.add_row(figure.name, f"{figure.value:,.1f}" if figure.value >= 10 else f"{figure.value:.2f}", figure.unit)
    console = Console(width=110)
    for name, value in about.items():
        console.print(f"{name}: {value}", markup=False, highlight=False)
    console.print(table)


if __name__ == "__main__":
    tyro.cli(main)
