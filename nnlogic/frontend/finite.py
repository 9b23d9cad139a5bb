"""Arithmetic of models whose parameters may be anything that a file can hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from nnlogic.core.errors import CheckpointError


@contextmanager
def finite(path: Path) -> Iterator[None]:
    """Refuse a model whose arithmetic leaves the numbers of its type.

    Raises
    ------
    CheckpointError
        Something that was computed in the block is NaN, or too large.
    """
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            yield
    except FloatingPointError as error:
        raise CheckpointError(
            "parameters too large, or too small, to compute with",
            where=str(path),
            why=f"{error}: sums, scales or norms leave the range of float32",
            fix="compare the file with the one that training wrote",
        ) from error
