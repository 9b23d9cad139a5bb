"""Pickles of BTHOWeN."""

from __future__ import annotations

from pathlib import Path

from tests.frontend import bloom

from .. import texts
from ..format import Format
from ..kit import made, reading


def make(folder: Path) -> None:
    """Write a small model."""
    (folder / "bloom.pickle").write_bytes(bloom.packed(bloom.model()))


FORMATS = (
    Format(
        "bthowen", "f.pickle", made("bloom.pickle"), reading("f.pickle"), texts.RAW, make=make
    ),
)  # fmt: skip
