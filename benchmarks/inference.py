"""Figure 3's times of inference, part by part: VL-JEPA beside the token-space VLM, on frames that are at hand.

    python benchmarks/inference.py

Sizes: ``nano``, the shipped model; ``small``, its recipe's shapes; ``paper``, the pair of the paper's section 4.5 on 64
frames, on a GPU alone; ``tiny``, the same parts in tiny for a trial. Weights but nano's are random, which time does not
depend on. Beside each the VLM of its recipe. Needs no network and no data.

Parts, each with all that it does from Python's strings and uint8 frames on:

* query embedding: a text through the Y-Encoder. The paper does not tell what its 16 ms are of; were they of the
  predictor's own query, ours of that are in the next part.
* X-Encoder and predictor, on the frames and a query.
* text decoding: the Y-Decoder writes ``--tokens`` tokens of an embedding, greedily.
* the VLM: X-Encoder, the language model over visual tokens and query, and as many tokens, greedily, its keys and values
  cached. Without the writing, in a row of its own.

Both write exactly so many tokens: neither may end its text. Systems and a large matrix product take turns in every
round; sums are of one round. FLOPs are by formula (``vljepa.model.costs``), and of the VLM's causal attention only the
half that is needed. In bfloat16 the matrices of layers are held in it, under autocast; float32 is what ``vljepa.load``
computes in.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from backbones import write_paper
from timing import now, product
from tokenizers import Tokenizer
from torch import nn
from transformers.utils import logging

from vljepa.api import load
from vljepa.errors import UserError
from vljepa.model.bulk import autocast
from vljepa.model.costs import Costs
from vljepa.model.generate import generate
from vljepa.model.network import Network
from vljepa.model.token_vlm import TokenVLM
from vljepa.model.vljepa import VLJEPA
from vljepa.model.y_decoder import train_tokenizer
from vljepa.provenance import provenance
from vljepa.recipes import paper_control_model, small
from vljepa.recipes.models import token_vlm

COLOURS = ("red", "green", "blue", "yellow", "black", "white")
THINGS = ("cube", "ball", "cone", "ring", "box", "cup")
PAPER_FRAMES = 64
QUERY, SEE, WRITE = "query embedding", "X-Encoder and predictor", "text decoding"
VLM, READ = "token-space VLM", "of it X-Encoder and prefill"
PRODUCT = "matrix product"
PAPER_MS = {QUERY: 16, SEE: 126, WRITE: 203, VLM: 330}
"""Figure 3, of 64 frames."""
SUMS = {"VL-JEPA without text": (QUERY, SEE), "VL-JEPA with text": (QUERY, SEE, WRITE)}


@dataclass(frozen=True, kw_only=True)
class Part:
    """A thing that is timed."""

    run: Callable[[], object]
    flops: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table."""

    part: str
    mean_ms: float
    std_ms: float
    of_vlm: float
    """Share of the VLM's mean time."""
    gflop: float
    of_matrix_rate: float
    paper_ms: int | None
    """The paper's, at the paper's size."""


def main() -> None:
    args = _arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    about = {**provenance(), "precision": args.precision, "repeats": args.repeats, "threads": args.threads}
    about |= {"batch": args.batch, "tokens": args.tokens}
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    tables = []
    for size in args.sizes:
        if size == "paper" and device.type != "cuda":
            print(f"\n{size}: left open; it needs a GPU")
            continue
        with tempfile.TemporaryDirectory() as folder:
            ours, vlm = _pair(size, Path(folder))
            for network in (ours, vlm):
                _prepare(network, device, args.precision)
            _fix_length(ours, vlm, args.tokens)
            parts = _parts(ours, vlm, args.batch, args.tokens)
        multiply, flops = product(device, getattr(torch, args.precision))
        parts[PRODUCT] = Part(run=multiply, flops=flops)
        for compiled in (False, True) if args.compile else (False,):
            if compiled:
                _compile(ours, vlm)
            rows = _rows(_time(parts, device, args), parts)
            frames = ours.config.x_encoder.num_frames
            tables.append({"size": size, "frames": frames, "compiled": compiled, "rows": [asdict(row) for row in rows]})
            print(_markdown(f"{size}, {frames} frames{', compiled' if compiled else ''}", rows), flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"about": about, "tables": tables}, indent=1) + "\n")
    print(args.out, file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cuda = torch.cuda.is_available()
    sizes = ("nano", "small", "paper")
    parser.add_argument("--sizes", nargs="+", choices=(*sizes, "tiny"), default=sizes)
    parser.add_argument("--batch", type=int, default=1, help="clips, each with its query; the paper has 1")
    parser.add_argument("--tokens", type=int, default=16, help="that either writes of a clip")
    parser.add_argument("--repeats", type=int, default=100 if cuda else 10, help="rounds; the paper has 100")
    parser.add_argument("--compile", action="store_true", help="then once more with torch.compile")
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), default="bfloat16" if cuda else "float32", help="of products"
    )
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/inference.json"))
    args = parser.parse_args()
    if not 1 <= args.batch <= len(_queries()):
        raise UserError(f"--batch {args.batch}: choose 1 to {len(_queries())}, as each clip has a query of its own")
    return args


def _queries() -> list[str]:
    return [f"How many {colour} {thing}s are there on the table?" for colour in COLOURS for thing in THINGS]


def _pair(size: str, folder: Path) -> tuple[VLJEPA, TokenVLM]:
    """VL-JEPA of a size, and the VLM beside it; ``folder`` is for weights."""
    if size == "nano":
        ours = load("nano").network
    else:
        if size == "small":
            config = small().model
        else:
            control = paper_control_model()
            control = replace(control, x_encoder=replace(control.x_encoder, num_frames=PAPER_FRAMES))
            config = write_paper(folder, control, _queries(), shrunk=size == "tiny")
        config = replace(config, predictor=replace(config.predictor, init=None))
        ours = VLJEPA(config, _vocabulary(config.y_decoder.vocab_size))
    assert ours.y_decoder is not None
    beside = token_vlm(ours.config)
    if size in ("paper", "tiny"):
        # As paper_control_vlm_model: it reads and writes with its own token table.
        beside = replace(beside, predictor=replace(beside.predictor, inputs="plain"))
    return ours, TokenVLM(beside, ours.y_decoder.tokenizer)


def _vocabulary(size: int) -> Tokenizer:
    """A tokenizer of ``size`` tokens, most of them never to be met: the output layer is as large as a trained one's."""
    tokenizer = train_tokenizer([], size)
    tokenizer.add_tokens([f"<{i}>" for i in range(size - tokenizer.get_vocab_size())])
    return tokenizer


def _prepare(network: Network, device: torch.device, precision: str) -> None:
    network.to(device).eval()
    if precision == "bfloat16":
        for module in network.modules():
            # Not token tables: what they give meets norms in float32, which are fast in one precision alone.
            if isinstance(module, nn.Linear | nn.Conv2d):
                module.bfloat16()


def _fix_length(ours: VLJEPA, vlm: TokenVLM, tokens: int) -> None:
    """Make both write just so many tokens of every clip."""
    decoder, language_model = ours.y_decoder, vlm.language_model
    assert decoder is not None
    decoder.config = replace(decoder.config, max_tokens=tokens)
    decoder.end = -1
    language_model.max_tokens = tokens
    # It stands before the text too, so it stays a token; of random ones a null vector's is never the likeliest.
    language_model.tokens.weight.data[language_model.end] = 0


def _parts(ours: VLJEPA, vlm: TokenVLM, batch: int, tokens: int) -> dict[str, Part]:
    device, config = ours.device, ours.config.x_encoder
    frames = torch.randint(0, 256, (batch, config.num_frames, *(config.frame_size,) * 2, 3), dtype=torch.uint8)
    frames = frames.to(device)
    queries = _queries()[:batch]
    embeddings = torch.randn(batch, ours.config.embed_dim, device=device)

    def read() -> list[object]:
        return list(vlm.language_model.read(vlm.encode_frames(frames), queries))

    costs, beside = Costs.of(ours.config), Costs.of(vlm.config)
    seen = costs.x_encoder(config.num_frames)
    embedded = predicted = prefilled = written = 0.0
    for query in queries:
        asked = len(ours.predictor.tokenizer.encode(query, add_special_tokens=False).ids)
        embedded += costs.y_encoder(ours.y_encoder.count_tokens([query]))
        predicted += seen + costs.predictor(config.num_frames, asked)
        prefilled += seen + _language_model(beside, config.num_frames, asked, 0)
        written += seen + _language_model(beside, config.num_frames, asked, tokens)
    return {
        QUERY: Part(run=lambda: ours.encode_text(queries), flops=embedded),
        SEE: Part(run=lambda: ours.predict(ours.encode_frames(frames), queries), flops=predicted),
        WRITE: Part(run=lambda: ours.decode(embeddings), flops=batch * costs.y_decoder(tokens)),
        VLM: Part(run=lambda: generate(vlm.language_model, vlm.encode_frames(frames), queries), flops=written),
        READ: Part(run=read, flops=prefilled),
    }


def _language_model(costs: Costs, num_frames: int, query_tokens: int, written: int) -> float:
    """FLOPs of the VLM behind the X-Encoder, without what its causal attention masks."""
    transformer = costs.config.predictor.transformer
    length = costs.num_visual(num_frames) + query_tokens + written
    masked = 2 * transformer.num_layers * length**2 * transformer.dim
    return costs.language_model(num_frames, query_tokens, written) - masked


def _compile(ours: VLJEPA, vlm: TokenVLM) -> None:
    """Compile, in place, the X-Encoders and the layers of all transformers, but MiniLM's, which never run whole."""
    assert ours.y_decoder is not None
    # All our layers are one function to the compiler: predictor, VLM and Y-Decoder, the latter two with and without a
    # past.
    torch._dynamo.config.recompile_limit = 32
    for network in (ours, vlm):
        network.x_encoder.compile()
    stacks = [m for m in ours.y_encoder.modules() if isinstance(m, nn.ModuleList)]
    stacks += [t.layers for t in (ours.transformer, ours.y_decoder.transformer, vlm.transformer) if t is not None]
    for layer in (layer for stack in stacks for layer in stack):
        layer.compile(dynamic=True)


@torch.no_grad()
def _time(parts: dict[str, Part], device: torch.device, args: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds of each part, a number a round."""
    # In torch's inference mode autocast would not keep its copies of what is held in float32.
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    with autocast(device, args.precision):
        for turn in range(-2, args.repeats):
            for name, part in parts.items():
                began = now(device)
                part.run()
                if turn >= 0:
                    seconds[name].append(now(device) - began)
    return seconds


def _rows(seconds: dict[str, list[float]], parts: dict[str, Part]) -> list[Row]:
    rate = parts[PRODUCT].flops / statistics.mean(seconds[PRODUCT])
    vlm = statistics.mean(seconds[VLM])
    rows = []
    for name, of in [(name, (name,)) for name in (QUERY, SEE, WRITE)] + [*SUMS.items(), (VLM, (VLM,)), (READ, (READ,))]:
        times = [sum(turn) for turn in zip(*(seconds[part] for part in of), strict=True)]
        mean, flops = statistics.mean(times), sum(parts[part].flops for part in of)
        quoted = [PAPER_MS.get(part) for part in of]
        rows.append(
            Row(
                part=name,
                mean_ms=mean * 1000,
                std_ms=statistics.pstdev(times) * 1000,
                of_vlm=mean / vlm,
                gflop=flops / 1e9,
                of_matrix_rate=flops / mean / rate,
                paper_ms=sum(ms for ms in quoted if ms) or None,
            )
        )
    return rows


def _markdown(title: str, rows: list[Row]) -> str:
    lines = [
        f"\n{title}\n",
        "| part | ms | deviation | of the VLM's time | GFLOP | of the matrix rate | the paper's ms, of its VLM's |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        quoted = f"{row.paper_ms}, {row.paper_ms / PAPER_MS[VLM]:.0%}" if row.paper_ms else "-"
        lines.append(
            f"| {row.part} | {row.mean_ms:.2f} | {row.std_ms:.2f} | {row.of_vlm:.0%} | {row.gflop:.4g} | "
            f"{row.of_matrix_rate:.1%} | {quoted} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"inference.py: {error}") from error
