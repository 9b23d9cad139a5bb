"""A trained LUT-native network as plain arrays: what a population gives back, and exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.formats import IntArray


@dataclass(frozen=True, eq=False)
class Part:
    """A group of tables that read the wires of the group before.

    Attributes
    ----------
    name, role : str
    pins : int64 array, shape (tables, fan_in)
        Wires read, the first in the low bits of the index.
    tables : int64 array, shape (tables, 2 ** bits read)
        Values; of one bit unless the part feeds a sum.
    """

    name: str
    role: str
    pins: IntArray
    tables: IntArray


@dataclass(frozen=True, eq=False)
class LutNetwork:
    """One network: codes -> encoder -> LUT layers -> weighted sums -> argmax.

    Attributes
    ----------
    parts : tuple of Part
        The first reads input codes, one per table unless the inputs are single bits.
    sums : tuple
        Per part, None or ``(weights, bias, shift, levels)``: integer sums of its tables,
        int64 arrays of shape (sums, tables) and (sums,), cut to codes
        ``clip(floor(sum / 2**shift), 0, levels - 1)``; without cut when `levels` is 0.
    meta : mapping
    """

    parts: tuple[Part, ...]
    sums: tuple[tuple[IntArray, IntArray, int, int] | None, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def to_arrays(self) -> dict[str, NDArray]:
        """Return the arrays by name, for an archive."""
        out: dict[str, NDArray] = {}
        for i, (part, total) in enumerate(zip(self.parts, self.sums, strict=True)):
            out[f"{i}.pins"], out[f"{i}.tables"] = part.pins, part.tables
            if total is not None:
                out[f"{i}.weights"], out[f"{i}.bias"] = total[0], total[1]
                out[f"{i}.cut"] = np.array(total[2:], dtype=np.int64)
        return out

    def labels(self) -> list[list[str]]:
        """Return name and role of the parts."""
        return [[part.name, part.role] for part in self.parts]

    @staticmethod
    def from_arrays(
        arrays: Mapping[str, NDArray], labels: list[list[str]], meta: Mapping[str, Any]
    ) -> LutNetwork:
        """Inverse of `to_arrays` and `labels`."""
        parts: list[Part] = []
        sums: list[tuple[IntArray, IntArray, int, int] | None] = []
        for i, (name, role) in enumerate(labels):
            pins, tables = arrays[f"{i}.pins"], arrays[f"{i}.tables"]
            parts.append(Part(name, role, pins.astype(np.int64), tables.astype(np.int64)))
            if f"{i}.weights" in arrays:
                shift, levels = (int(v) for v in arrays[f"{i}.cut"])
                sums.append((arrays[f"{i}.weights"], arrays[f"{i}.bias"], shift, levels))
            else:
                sums.append(None)
        return LutNetwork(tuple(parts), tuple(sums), dict(meta))
