"""Open implementation of VL-JEPA (arXiv 2512.10942).

``vljepa.Model`` lives in ``vljepa.api`` and ``vljepa.load`` in ``vljepa.recipes.loading``; they are looked up on first
use, since importing torch takes seconds.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vljepa.api import Model as Model
    from vljepa.recipes.loading import load as load

__all__ = ["Model", "load"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vljepa' has no attribute {name!r}")
    if name == "load":
        from vljepa.recipes.loading import load

        return load
    from vljepa.api import Model

    return Model
