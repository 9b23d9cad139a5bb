"""Compile trained quantized networks to proved-equal LUT logic.

Ten names are the interface: `load`, `from_torch`, `quantize`, `tabulate`, `minimize`, `build`,
`compile`, `check`, `Target` and `NNLogicError`. They are imported on first use, so that
``import nnlogic`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nnlogic.checks import check
    from nnlogic.core.errors import NNLogicError
    from nnlogic.design.build import build
    from nnlogic.flows.targets import Target
    from nnlogic.frontend import load
    from nnlogic.frontend.pt2.module import from_torch
    from nnlogic.logic.build import minimize
    from nnlogic.run import compile
    from nnlogic.tables.build import tabulate
    from nnlogic.train.quantize import quantize

_HOMES = {
    "load": "nnlogic.frontend",
    "from_torch": "nnlogic.frontend.pt2.module",
    "quantize": "nnlogic.train.quantize",
    "tabulate": "nnlogic.tables.build",
    "minimize": "nnlogic.logic.build",
    "build": "nnlogic.design.build",
    "compile": "nnlogic.run",
    "check": "nnlogic.checks",
    "Target": "nnlogic.flows.targets",
    "NNLogicError": "nnlogic.core.errors",
}

__all__ = [
    "NNLogicError",
    "Target",
    "build",
    "check",
    "compile",
    "from_torch",
    "load",
    "minimize",
    "quantize",
    "tabulate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nnlogic' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
