"""Open implementation of VL-JEPA (arXiv 2512.10942).

``vljepa.load`` and ``vljepa.Model`` live in ``vljepa.api``, and are looked up on first use: importing torch takes
seconds.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vljepa.api import Model as Model
    from vljepa.api import load as load

__all__ = ["Model", "load"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vljepa' has no attribute {name!r}")
    from vljepa import api

    return getattr(api, name)
