"""Networks of KANELE as tables, and how raw features become their codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.quant.ir import InputQuantizer

MOST_BITS = 14
"""Of a code: more than any table that is compiled has."""


@dataclass(frozen=True)
class Tables:
    """What the file says.

    Attributes
    ----------
    widths : tuple of int
        Wires of the inputs and of every layer.
    bits : tuple of int
        Of their codes.
    used : tuple of mapping of (input, output) to int64 array
        Per layer, the tables in use, by the code of the input plus half of its range.
    """

    widths: tuple[int, ...]
    bits: tuple[int, ...]
    used: tuple[Mapping[tuple[int, int], IntArray], ...]


@dataclass(frozen=True)
class Encoder:
    """Thresholds of raw features, whose count is a code, and the tables' index of every code.

    Attributes
    ----------
    thresholds : tuple of float32 arrays
        Of every feature, ascending.
    index : tuple of int64 arrays, shape (thresholds + 1,)
    rows : str
        ``"raw"``, or ``"standardized"`` where features were standardized before.
    """

    thresholds: tuple[NDArray[np.float32], ...]
    index: tuple[IntArray, ...]
    rows: str

    @property
    def quantizer(self) -> InputQuantizer:
        """The thresholds as a network has them."""
        return InputQuantizer(tuple(frozen(t, np.float32) for t in self.thresholds))

    @property
    def formats(self) -> tuple[IntFormat, ...]:
        """Of the codes."""
        return tuple(IntFormat.holding(0, max(1, len(t))) for t in self.thresholds)

    def recoded(self, used: Mapping[tuple[int, int], IntArray]) -> dict[tuple[int, int], IntArray]:
        """Return tables of the first layer, by these codes; ones that no row has as the last."""
        formats, out = self.formats, {}
        for (i, o), values in used.items():
            codes = np.minimum(np.arange(1 << formats[i].bits), len(self.thresholds[i]))
            out[i, o] = values[self.index[i][codes]]
        return out
