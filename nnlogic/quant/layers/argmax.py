"""Argmax: which input is the largest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.quant.layer import Formats, Largest, Layer


@dataclass(frozen=True, eq=False)
class Argmax(Layer):
    """Index of the largest input; the lowest index wins a tie."""

    kind = "Argmax"
    name: str
    sources: tuple[str, ...]
    formats: Formats
    role: str = "output"

    def evaluate(self, x: IntArray) -> IntArray:
        """Return the winning index, shape (samples, 1)."""
        return np.argmax(x, axis=1)[:, None].astype(np.int64)

    def problems(self, x_formats: Formats) -> list[str]:
        """Return what breaks the layer's rules."""
        if len(self.formats) != 1 or self.formats[0].hi < len(x_formats) - 1:
            return [f"{len(x_formats)} candidates do not fit {self.formats}"]
        return []

    @property
    def arithmetic(self) -> Largest:
        """The layer itself."""
        return Largest()

    def text(self, x_formats: Formats) -> str:
        """Return the kind."""
        return "argmax"


LAYER = Argmax
