"""Which taps and frame size of the frozen X-Encoder tell Tabletop's objects best: a small probe on still images.

    python benchmarks/probe_x_encoder.py

A perceptron reads each visual token alone and must say which of the 48 colour-shape pairs are on the table (evidence is
summed over places by log-sum-exp) and how many objects there are. Prints, for each setting, the F1 of the pairs, the
share of images whose pairs are all right, the share whose count is right, and images a second. Synthetic images.
"""

import time

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from vljepa.config import XEncoderConfig
from vljepa.model.x_encoder import load_x_encoder
from vljepa.tabletop.actions import simulate_action
from vljepa.tabletop.render import render_state
from vljepa.tabletop.scene import COLOURS, SHAPES, VERBS

SETTINGS = (
    ((10, 15), 128), ((10,), 128), ((7, 10), 128), ((10,), 192), ((7, 10), 192), ((4, 10), 192),
)  # fmt: skip
"""(taps, frame size in pixels); the grid is 4 x 4 everywhere."""
NUM_IMAGES, NUM_TRAIN, EPOCHS, BATCH = 5000, 4200, 50, 64
_PAIRS = [(colour, shape) for colour in COLOURS for shape in SHAPES]


def images() -> tuple[np.ndarray, Tensor, Tensor]:
    """uint8 images (n, 128, 128, 3), presence of each pair (n, 48), number of visible objects (n,)."""
    pictures, present, counts = [], torch.zeros(NUM_IMAGES, len(_PAIRS)), torch.zeros(NUM_IMAGES)
    for i in range(NUM_IMAGES):
        episode = simulate_action(i, VERBS[i % len(VERBS)], num_items=1 + i % 6)
        state = episode.start_state
        pictures.append(render_state(episode.seed, episode.items, state))
        for k in state.visible():
            present[i, _PAIRS.index((episode.items[k].colour, episode.items[k].shape))] = 1
        counts[i] = len(state.visible())
    return np.stack(pictures), present, counts


@torch.no_grad()
def encode(pictures: np.ndarray, taps: tuple[int, ...], size: int) -> tuple[Tensor, float]:
    """Visual tokens (n, N, D), float16, and images encoded a second."""
    encoder = load_x_encoder(XEncoderConfig(taps=taps, frame_size=size))
    parts, began = [], time.perf_counter()
    for first in range(0, len(pictures), BATCH):
        frames = torch.from_numpy(pictures[first : first + BATCH]).permute(0, 3, 1, 2)
        frames = interpolate(frames.float(), size=(size, size), mode="bilinear").round().byte().permute(0, 2, 3, 1)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            parts.append(encoder(frames[:, None])[:, 0].half())
    return torch.cat(parts), len(pictures) / (time.perf_counter() - began)


def probe(tokens: Tensor, present: Tensor, counts: Tensor) -> tuple[float, float, float]:
    """F1 of the pairs, share of images with all pairs right, share with the count right; on the images held out."""
    torch.manual_seed(0)
    train = tokens[:NUM_TRAIN].float()
    mean, std = train.mean((0, 1)), train.std((0, 1)) + 1e-3
    net = nn.Sequential(nn.Linear(tokens.shape[-1], 256), nn.GELU(), nn.Linear(256, len(_PAIRS) + 1))
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.05)

    def predict(rows: Tensor) -> tuple[Tensor, Tensor]:
        out = net((rows.float() - mean) / std)
        return out[..., :-1].logsumexp(1), out[..., -1].sum(1)

    for epoch in range(EPOCHS):
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 - epoch / EPOCHS)
        for rows in torch.randperm(NUM_TRAIN).split(BATCH):
            pairs, number = predict(tokens[rows])
            loss = binary_cross_entropy_with_logits(pairs, present[rows])
            loss = loss + 0.1 * (number - counts[rows]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        pairs, number = predict(tokens[NUM_TRAIN:])
    found, truth = pairs > 0, present[NUM_TRAIN:] > 0
    f1 = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    exact = (found == truth).all(1).float().mean()
    return float(f1), float(exact), float((number.round() == counts[NUM_TRAIN:]).float().mean())


def main() -> None:
    pictures, present, counts = images()
    table = Table("taps", "frame size", "token width", "F1 of pairs", "all pairs right", "count right", "images/s")
    for taps, size in SETTINGS:
        tokens, rate = encode(pictures, taps, size)
        figures = [f"{value:.3f}" for value in probe(tokens, present, counts)]
        table.add_row(str(taps), str(size), str(tokens.shape[-1]), *figures, f"{rate:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
