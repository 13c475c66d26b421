"""What the tables say of a measured model beside its figures: its encoder, parameters and samples seen."""

import hashlib
import re
from pathlib import Path

from vljepa.api import checkpoint_folder
from vljepa.errors import UserError
from vljepa.model.counts import count_parameters
from vljepa.model.network import model_config

_CHECKPOINT = re.compile(r"checkpoint (.+), sha256 ([0-9a-f]{64})")
"""As ``about_checkpoint`` writes it."""


def about_checkpoint(name: str) -> str:
    """What is said of a system that is a checkpoint, by the name of a shipped one or its folder.

    Raises:
        UserError: there is no such checkpoint.
    """
    weights = (checkpoint_folder(name) / "model.safetensors").read_bytes()
    return f"checkpoint {name}, sha256 {hashlib.sha256(weights).hexdigest()}"


def model_facts(about: str) -> dict[str, str]:
    """Facts by the keys of ``layout.FACTS``; those that cannot be had are left out.

    Args:
        about: what a run says of the system. If it is a checkpoint which is still there, and still the same, its
            architecture and its card are read.
    """
    named = _CHECKPOINT.fullmatch(about)
    if named is None:
        return {}
    try:
        folder = checkpoint_folder(named[1])
        with (folder / "model.safetensors").open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != named[2]:
                return {}
        config = model_config(folder)
        counts = count_parameters(config)
    except (UserError, OSError):
        # The results stand without it.
        return {}
    encoder = config.x_encoder.name
    facts = {"encoder": encoder, "vision": encoder, "parameters": rounded(sum(counts.values()))}
    facts["text_parameters"] = rounded(counts["y_encoder"])
    samples = samples_seen(folder / "README.md")
    return facts if samples is None else {**facts, "samples": rounded(samples)}


def samples_seen(card: Path) -> int | None:
    """Steps times batch (table 1) of all stages in a model card but the Y-Decoder's, ancestors' cards included.

    None if the card does not say.
    """
    try:
        lines = card.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    if any("It has no model card." in line for line in lines):
        return None
    total: int | None = None
    heads: list[str] = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if "samples seen" in cells and "trains" in cells:
            heads = cells
        elif not cells:
            heads = []
        elif heads and len(cells) == len(heads):
            row = dict(zip(heads, cells, strict=True))
            if row["samples seen"].isdigit() and row["trains"] != "y_decoder":
                total = (total or 0) + int(row["samples seen"])
    return total


def rounded(count: int) -> str:
    """A count as the paper prints it: 12.8B, 40B, 389M, 530k."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        # What would be printed as 1000 of one letter is 1 of the next.
        if count >= size * 0.9995:
            number = count / size
            decimals = 1 if letter == "B" or number < 9.95 else 0
            return f"{number:.{decimals}f}".removesuffix(".0") + letter
    return str(count)
