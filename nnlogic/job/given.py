"""What a user gives as rows: a file, or what a caller holds in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, eq=False)
class Held:
    """Rows that whoever calls nnlogic holds in memory: an array, or a frame."""

    rows: Any

    def __str__(self) -> str:
        kind = type(self.rows)
        return f"a {kind.__module__.partition('.')[0]} {kind.__name__}"


def source_of(given: Any) -> Path | Held | None:
    """Return what rows are read from."""
    if given is None or isinstance(given, Path | Held):
        return given
    return Path(given) if isinstance(given, str) else Held(given)


def source_name(source: Path | Held) -> str:
    """Return the name of a file without its folder, or what an object is."""
    return source.name if isinstance(source, Path) else str(source)
