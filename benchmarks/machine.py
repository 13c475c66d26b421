"""What a benchmark ran on."""

import platform
from pathlib import Path


def processor() -> str:
    """Name of the processor, such as ``AMD EPYC``."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].split(":", 1)[1].strip() if names else platform.processor() or "unknown processor"
