"""Files that are no networks nnlogic reads, and what to do about each: a module here per world.

Every module with ``KINDS`` is found by itself, and so are those that other packages name by entry
points of the group ``nnlogic.foreign``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from nnlogic.core.plugins import discover
from nnlogic.frontend.foreign.kind import Kind
from nnlogic.frontend.look import Look

__all__ = ["Kind", "by_content", "by_inside", "by_name", "kinds"]


@cache
def kinds() -> Sequence[Kind]:
    """Return all kinds, general ones last."""
    found = discover("nnlogic.frontend.foreign", "KINDS", "nnlogic.foreign")
    return sorted((kind for group in found for kind in group), key=lambda kind: kind.general)


def by_content(file: Look, *, general: bool) -> Kind | None:
    """Return what a file is by what it holds."""
    asked = (kind for kind in kinds() if general or not kind.general)
    return next((kind for kind in asked if kind.holds(file)), None)


def by_inside(file: Look) -> Kind | None:
    """Return what a container holds, where that is known better here than by its importer."""
    return next((kind for kind in kinds() if kind.inside and kind.holds(file)), None)


def by_name(path: Path) -> Kind | None:
    """Return what a file is by its name."""
    suffix = path.suffix.lower()
    return next((kind for kind in kinds() if suffix in kind.suffixes), None)
