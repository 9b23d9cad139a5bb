"""All formats: every module here has some, as `FORMATS`; a new one is found by itself."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from ..format import Format


@cache
def formats() -> dict[str, Format]:
    """Return all formats by name."""
    found: dict[str, Format] = {}
    for info in iter_modules(__path__):
        for fmt in import_module(f"{__name__}.{info.name}").FORMATS:
            if fmt.name in found:
                raise ValueError(f"two formats {fmt.name}")
            found[fmt.name] = fmt
    return found
