"""Outputs that stand for quantities: how their codes become numbers in the user's units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlogic.core.formats import Port

FURTHEST = 512
"""Largest size of an exponent."""
EXACT = 1 << 53
"""Integers below this size are exact in float64."""
VALUE = "value_"
"""How output ports of quantities are called, before the name of the quantity."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """An output that stands for ``(code + offset) * 2**exponent``, exactly.

    Attributes
    ----------
    name : str
        Of the quantity, a column of the user's table.
    exponent, offset : int
    """

    name: str
    exponent: int
    offset: int

    @property
    def port(self) -> str:
        """Name of the output port."""
        return VALUE + self.name

    @property
    def step(self) -> float:
        """What one step of the code stands for."""
        return math.ldexp(1.0, self.exponent)

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Return the numbers that integer codes stand for; no rounding takes place."""
        whole = np.asarray(codes, np.int64) + self.offset
        return np.ldexp(whole.astype(np.float64), self.exponent)

    def problems(self, port: Port) -> list[str]:
        """Return why not every code of a port stands for a number that float64 holds."""
        fmt = port.format
        if max(abs(fmt.lo + self.offset), abs(fmt.hi + self.offset)) >= EXACT:
            return [f"{port} with offset {self.offset} exceeds the integers of float64"]
        return []

    def __str__(self) -> str:
        shift = f"({self.port} {self.offset:+d})" if self.offset else self.port
        return f"{self.name} = {shift} * 2**{self.exponent}"


def quantities_of(info: Mapping[str, Any]) -> tuple[Quantity, ...]:
    """Return the quantities that the information of a network states; it has been checked."""
    return tuple(Quantity(**item) for item in info.get("quantities", ()))


def stated(quantities: Sequence[Quantity]) -> dict[str, Any]:
    """Return the information of a network that states quantities."""
    return {"quantities": [asdict(q) for q in quantities]}


def quantity_like(value: Any) -> bool:
    """Whether JSON data are those of a quantity."""
    if not isinstance(value, Mapping) or set(value) != {"name", "exponent", "offset"}:
        return False
    whole = all(type(value[key]) is int for key in ("exponent", "offset"))
    return (
        isinstance(value["name"], str)
        and whole
        and abs(value["exponent"]) <= FURTHEST
        and abs(value["offset"]) < EXACT
    )


def error_figures(found: NDArray, wanted: NDArray) -> dict[str, float]:
    """Return the error of numbers against those wanted, in their units.

    Parameters
    ----------
    found, wanted : float arrays, shape (rows,)

    Returns
    -------
    dict of str to float
        ``"rmse"``, ``"mae"``, and quantiles of the absolute error: ``"p50"``, ``"p90"``, ``"p99"``;
        and ``"bias"``, the mean of what was found less what was wanted.
    """
    off = np.asarray(found, np.float64) - np.asarray(wanted, np.float64)
    size = np.abs(off)
    return {
        "rmse": float(np.sqrt(np.mean(off**2))),
        "mae": float(size.mean()),
        "bias": float(off.mean()),
        **{f"p{q}": float(np.quantile(size, q / 100)) for q in (50, 90, 99)},
    }
