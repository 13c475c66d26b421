"""Where a figure comes from: code, libraries, machine."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch


def provenance() -> dict[str, str]:
    """Commit, versions and hardware, for people to read."""
    return {
        "commit": commit() or "unknown",
        "versions": f"open-vl-jepa {version('open-vl-jepa')}, torch {torch.__version__}, "
        f"Python {platform.python_version()}",
        "hardware": hardware(),
    }


def commit() -> str | None:
    """Of the checkout that the package lies in, with a plus if files differ from it; None outside of one."""
    try:
        command = ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def hardware() -> str:
    """GPU if there is one, else the processor and how many of its cores this process may use."""
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return (
        f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores of {processor()}"
    )


def processor() -> str:
    """Its name, such as ``AMD EPYC``."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].split(":", 1)[1].strip() if names else platform.processor() or "unknown processor"
