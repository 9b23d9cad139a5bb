"""What flows along the edges of a graph while it is read.

Every tensor keeps the shape it has in the module, without the batch: its first size counts points
(codes of a wire, sums of a neuron), so that torch's own operations apply to all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from nnlogic.core.formats import IntArray
from nnlogic.frontend.wiring import Refusal

if TYPE_CHECKING:
    from nnlogic.frontend.graph.maps import Windows

Function = Callable[[torch.Tensor], torch.Tensor]


@dataclass(eq=False)
class Coded:
    """A tensor whose elements are functions of one wire each.

    Attributes
    ----------
    ids : int64 tensor, shape (1, ...)
        Number of the wire of each element.
    values : tensor, shape (codes, ...)
        Value of each element by code less `Wire.lo`; the last one again where a wire takes fewer.
    """

    ids: torch.Tensor
    values: torch.Tensor


@dataclass(eq=False)
class Raw:
    """Features before any quantizer.

    Attributes
    ----------
    dtype : torch.dtype
    shape : tuple of int
        Of one sample.
    """

    dtype: torch.dtype
    shape: tuple[int, ...]


@dataclass(eq=False)
class Sums:
    """Sums of wires: elements are ``unit * (weights @ codes) + offset``, in order of `points`.

    Attributes
    ----------
    dtype : torch.dtype
    shape : tuple of int
        Of one sample; `weights` and what follows count its elements in order.
    wires : list of int
    weights : int64 array, shape (elements, wires), or None
        None where an element's points are all codes of its wires, first wire in the low digits.
    unit, offset : float64 arrays, shape (elements,)
    error : float64 array, shape (elements,)
        How far torch's sum may lie from the exact one; zero where every order of adding is exact.
    lo, count : int64 arrays, shape (elements,)
        Least sum of weighted codes, and how many points there are.
    tables : list of (tuple of wires, float64 array)
        Of the elements without weights.
    """

    dtype: torch.dtype
    shape: tuple[int, ...]
    wires: list[int]
    weights: IntArray | None
    unit: NDArray[np.float64]
    offset: NDArray[np.float64]
    error: NDArray[np.float64]
    lo: IntArray
    count: IntArray
    tables: list[tuple[tuple[int, ...], NDArray[np.float64]]] = field(default_factory=list)

    def points(self, rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
        """Return bounds of what torch gives at some points, each of shape (points, *shape)."""
        at = np.minimum(np.arange(rows.start, rows.stop)[:, None], self.count - 1)
        if self.weights is None:
            middle = np.stack(
                [t[column] for (_, t), column in zip(self.tables, at.T, strict=True)], axis=1
            )
        else:
            middle = self.unit * (self.lo + at) + self.offset
        # Twice: the sums here are of float64, and were rounded themselves.
        spread = 2 * self.error
        low, high = middle - spread, middle + spread
        out = []
        for bound, away in ((low, -np.inf), (high, np.inf)):
            if self.dtype == torch.float32:
                short = bound.astype(np.float32)
                moved = np.nextafter(short, np.float32(away))
                bound = np.where((self.error == 0) | (short == bound), short, moved)
            out.append(torch.from_numpy(bound.reshape(-1, *self.shape)).to(self.dtype))
        return out[0], out[1]


@dataclass(eq=False)
class Pending:
    """Elements that are functions of raw features or of sums, not yet cut into codes.

    Attributes
    ----------
    base : Raw or Sums or Windows
    ids : int64 tensor, shape (1, ...)
        Element of the base that each element is a function of.
    function : callable
        From values of the base, shape (points, *base.shape), to those of the elements.
    monotone : bool
        Whether no rounding can make it anything else.
    plain : bool
        Whether it is the base itself, elements moved.
    steps : bool
        Whether it was rounded or compared.
    """

    base: Raw | Sums | Windows
    ids: torch.Tensor
    function: Function
    monotone: bool = True
    plain: bool = True
    steps: bool = False


@dataclass(eq=False)
class Lost:
    """What an operation that cannot be compiled would give."""


Value = Coded | Pending | Lost


def fits(values: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Return values expanded to a shape.

    Raises
    ------
    Refusal
        They do not fit.
    """
    if tuple(values.shape) != tuple(shape):
        try:
            return values.expand(shape)
        except RuntimeError as error:
            raise Refusal(
                f"gives shape {tuple(values.shape[1:])} for {tuple(shape[1:])}",
                "constants of the shape of what they meet",
            ) from error
    return values


def longer(values: torch.Tensor, length: int) -> torch.Tensor:
    """Return values by code with the last one repeated."""
    return torch.cat([values, values[-1:].expand(length - len(values), *values.shape[1:])])


def dtype_of(value: Any) -> torch.dtype | None:
    """Return a type, that of a tensor, or that of what flows; None of anything else."""
    if isinstance(value, torch.dtype):
        return value
    if isinstance(value, torch.Tensor):
        return value.dtype
    if isinstance(value, Coded):
        return value.values.dtype
    if isinstance(value, Pending):
        # Windows hold the sums of one of them.
        base: Any = getattr(value.base, "sums", value.base)
        if isinstance(base, Raw):
            return value.function(torch.zeros((1, *base.shape), dtype=base.dtype)).dtype
        return value.function(base.points(slice(0, 1))[0]).dtype
    return None
