"""The training steps of two other open implementations of VL-JEPA, run from their own checkouts (``peers.py``).

Nothing of theirs is copied or changed. Each builds its model from the same backbone folders as ours, and its own loop,
with all that it does around a step, draws its batches from ``Turns``.
"""

import functools
import importlib
import json
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from transformers import AutoTokenizer

from vljepa.config import ModelConfig


@dataclass(frozen=True, kw_only=True)
class Data:
    """What all train on, a batch an entry."""

    pixels: list[Tensor]
    """(B, F, 3, S, S) float32, normalised."""
    visual_tokens: list[Tensor] | None
    """(B, T * N, D) float32, in the place of what the X-Encoders would compute; None: they compute it."""
    queries: list[list[str]]
    targets: list[list[str]]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Another implementation in training."""

    turns: "Turns"
    model: nn.Module
    settings: str
    """Those of its own that matter for speed."""


class Turns:
    """Somebody's training loop in a thread of its own, which goes on by one step when told to.

    Args:
        batches: shown again and again.
        loop: gets this object in the place of its loader.
    """

    def __init__(self, batches: Sequence[Any], loop: Callable[["Turns"], object]) -> None:
        self._length, self._batches = len(batches), cycle(batches)
        self._asked: SimpleQueue[BaseException | None] = SimpleQueue()
        self._given: SimpleQueue[Any] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(loop,), daemon=True)
        self._thread.start()
        self._wait()

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Any]:
        while True:
            self._asked.put(None)
            batch = self._given.get()
            if batch is None:
                raise _ClosedError
            yield batch

    def step(self) -> None:
        """Give the loop a batch and wait until it asks for the next: its step is done then."""
        self._given.put(next(self._batches))
        self._wait()

    def close(self) -> None:
        """End the loop before it saves anything."""
        self._given.put(None)
        self._thread.join()

    def _run(self, loop: Callable[["Turns"], object]) -> None:
        try:
            loop(self)
        except _ClosedError:
            return
        except Exception as error:  # noqa: BLE001 (raised again where it is waited for)
            self._asked.put(error)
        else:
            self._asked.put(RuntimeError("the peer's loop ended by itself"))

    def _wait(self) -> None:
        error = self._asked.get()
        if error is not None:
            raise error


class _ClosedError(Exception):
    """The loop is not to go on."""


class AtHand(nn.Module):
    """Stands for V-JEPA 2 where its tokens are computed already: gives back what it gets."""

    def forward(
        self, pixel_values_videos: Tensor, skip_predictor: bool = False, output_hidden_states: bool = False
    ) -> types.SimpleNamespace:
        return types.SimpleNamespace(last_hidden_state=pixel_values_videos)


def open_vljepa(checkout: Path, config: ModelConfig, data: Data, *, precision: str, folder: Path) -> Peer:
    """dion-jy/open-vljepa with its ``configs/base.yaml``: ``train_one_epoch`` of its ``scripts/train.py``."""
    with _importable(checkout):
        train = importlib.import_module("scripts.train")
    theirs = train.load_config(str(checkout / "configs" / "base.yaml"))
    settings, lengths = theirs["training"], theirs["data"]
    settings["bf16"] = precision == "bfloat16"
    model = train.OpenVLJEPA(
        theirs["encoder"] | {"model_name": config.x_encoder.name},
        theirs["y_encoder"] | {"model_name": config.y_encoder.name, "proj_dim": config.embed_dim},
        theirs["predictor"]
        | {
            "llama_name": config.predictor.init,
            "n_keep_layers": config.predictor.transformer.num_layers,
            "proj_dim": config.embed_dim,
        },
        torch_dtype=torch.bfloat16 if settings["bf16"] else None,
    )
    if settings["gradient_checkpointing"]:
        train.enable_gradient_checkpointing(model)
    if data.visual_tokens is not None:
        model.x_encoder.model = AtHand()
    if settings["bf16"]:
        # What their loop has around this call on a GPU; on a CPU its autocast("cuda") does nothing.
        model.forward = _in_bfloat16(model.forward)
    optimizer = train.build_optimizer(model, settings, theirs["y_encoder"]["lr_multiplier"])
    scheduler = train.build_scheduler(optimizer, settings, steps_per_epoch=1000)

    query_tokenizer, target_tokenizer = (
        AutoTokenizer.from_pretrained(name) for name in (config.predictor.init, config.y_encoder.name)
    )

    def tokens(name: str, tokenizer: Any, texts: list[str], length: int) -> dict[str, Tensor]:
        rows = tokenizer(texts, max_length=length, padding="max_length", truncation=True, return_tensors="pt")
        return {f"{name}_ids": rows["input_ids"], f"{name}_mask": rows["attention_mask"]}

    batches = [
        {
            "pixel_values": visual,
            **tokens("query", query_tokenizer, queries, lengths["max_query_len"]),
            **tokens("caption", target_tokenizer, targets, lengths["max_caption_len"]),
        }
        for visual, queries, targets in zip(data.visual_tokens or data.pixels, data.queries, data.targets, strict=True)
    ]

    def loop(loader: Turns) -> None:
        train.train_one_epoch(model, loader, optimizer, scheduler, settings, torch.device("cpu"), epoch=0)

    about = (
        f"queries padded to {lengths['max_query_len']} tokens and targets to {lengths['max_caption_len']}, "
        f"gradient checkpointing {'on' if settings['gradient_checkpointing'] else 'off'}"
    )
    return Peer(turns=Turns(batches, loop), model=model, settings=about)


def saivishwak(checkout: Path, config: ModelConfig, data: Data, *, precision: str, folder: Path) -> Peer:
    """saivishwak/VL-JEPA with its ``configs/vl_jepa/pretrain_video_8f.yaml``: ``train_vl_jepa_from_config``.

    Where its weights are bfloat16 its checkpoint of the Llama decides that; it has no autocast.
    """
    with _importable(checkout):
        train = importlib.import_module("vl_jepa.training.train")
    theirs = train.load_config(checkout / "configs" / "vl_jepa" / "pretrain_video_8f.yaml")
    theirs["run_root"] = str(folder / "runs")
    theirs["model"] |= {
        "vision_encoder": config.x_encoder.name,
        "predictor_model": config.predictor.init,
        "target_encoder": config.y_encoder.name,
        "embedding_dim": config.embed_dim,
        "predictor_layers": config.predictor.transformer.num_layers,
        "num_frames": data.pixels[0].shape[1],
        "image_size": data.pixels[0].shape[-1],
        "hf_token": False,
    }
    theirs["training"] |= {
        "batch_size": len(data.queries[0]),
        # Small batches, collected for want of memory, would be slower.
        "contrastive_accum_batches": 1,
        # A setting of the whole process, slower if anything.
        "deterministic": False,
        "init_checkpoint_run_name": None,
        "require_init_checkpoint": False,
        "eval_steps": 0,
        "checkpoint_steps": 0,
        "max_steps": 10**9,
    }
    folder.mkdir(parents=True, exist_ok=True)
    train.save_config(theirs, folder / "config.yaml")

    records = [
        {"id": f"{i}-{j}", "task_type": "captioning", "visual_kind": "video", "visual_path": "at hand"}
        | {"query": query, "target": target}
        for i, rows in enumerate(zip(data.queries, data.targets, strict=True))
        for j, (query, target) in enumerate(zip(*rows, strict=True))
    ]
    manifest = folder / "manifest.jsonl"
    manifest.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    tokenizers = [AutoTokenizer.from_pretrained(name) for name in (config.predictor.init, config.y_encoder.name)]
    items = train.VLJEPAManifestDataset(
        manifest, *tokenizers, num_frames=1, max_query_length=512, max_target_length=512, load_pixels=False
    )
    collate = train.VLJEPADataCollator(*tokenizers)
    size = len(data.queries[0])
    batches = [
        collate([items[i * size + j] for j in range(size)]) | {"pixel_values": visual}
        for i, visual in enumerate(data.visual_tokens or data.pixels)
    ]

    models: list[nn.Module] = []
    build, progress = train.build_vl_jepa_model, train.tqdm

    def built(settings: dict[str, Any]) -> nn.Module:
        model: Any = build(settings)
        if data.visual_tokens is not None:
            model.x_encoder.encoder = AtHand()
        models.append(model)
        return model

    def loop(loader: Turns) -> None:
        with patch.multiple(
            train,
            build_vl_jepa_model=built,
            _build_loader=lambda **settings: loader,
            tqdm=functools.partial(progress, disable=True),
        ):
            train.train_vl_jepa_from_config(folder / "config.yaml")

    turns = Turns(batches, loop)
    about = "queries and targets padded to the longest of the batch, the Llama's token table trained"
    return Peer(turns=turns, model=models[0], settings=about)


def _in_bfloat16(forward: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return forward(*args, **kwargs)

    return run


@contextmanager
def _importable(checkout: Path) -> Iterator[None]:
    """The checkout on the path. Where torchvision is absent, an empty one stands for it: only their loaders use it."""
    stood_in = find_spec("torchvision") is None
    sys.path.insert(0, str(checkout))
    if stood_in:
        for name in ("torchvision", "torchvision.transforms"):
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__spec__ = ModuleSpec(name, None)
    try:
        yield
    finally:
        sys.path.remove(str(checkout))
        if stood_in:
            del sys.modules["torchvision"], sys.modules["torchvision.transforms"]


PEERS: dict[str, Callable[..., Peer]] = {"open-vljepa": open_vljepa, "saivishwak": saivishwak}
"""Name to what runs its step."""
