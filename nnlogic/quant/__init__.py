"""What a network is made of, for those that are written down by hand: see ``build-a-network``.

Formats and ports, layers, and `QuantNet`. They are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnlogic.core.formats import IntFormat, Port
    from nnlogic.quant.ir import (
        INPUT,
        Argmax,
        Enumerated,
        InputQuantizer,
        Linear,
        QuantNet,
        Windowed,
    )

__all__ = [
    "INPUT",
    "Argmax",
    "Enumerated",
    "InputQuantizer",
    "IntFormat",
    "Linear",
    "Port",
    "QuantNet",
    "Windowed",
]
_OF_CORE = ("IntFormat", "Port")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'nnlogic.quant' has no attribute {name!r}")
    home = "nnlogic.core.formats" if name in _OF_CORE else "nnlogic.quant.ir"
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
