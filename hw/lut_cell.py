"""What a device family calls its LUT cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nnlogic.core.errors import Problem, UsageError


@dataclass(frozen=True)
class LutCell:
    """How a device family names its LUT cell.

    Attributes
    ----------
    cells : tuple of str
        Cell for 1, 2, 3 ... inputs; the last entry is the widest.
    inputs : tuple of str
        Input pins, index bit 0 first.
    output : str
        Output pin.
    parameter : str
        Receives the table, bit ``i`` for index ``i``.
    dual : str
        Cell of two functions of all inputs but the last; empty where the family has none.
    dual_outputs : tuple of str
        Its outputs: the lower half of the table, and the half that the last input chooses.
    """

    cells: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str
    parameter: str
    dual: str = ""
    dual_outputs: tuple[str, ...] = ()

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, named by key."""
        if len(self.dual_outputs) != (2 if self.dual else 0):
            yield Problem("dual_outputs", f"{len(self.dual_outputs)} names", "two, beside dual")

    @property
    def width(self) -> int:
        """Most inputs of a LUT."""
        return len(self.cells)

    def check_width(self, k: int) -> None:
        """Raise UsageError when a network of `k`-input LUTs does not fit the cell."""
        if k > self.width:
            raise UsageError(
                f"the network does not fit {self.cells[-1]} cells",
                why=f"its LUTs have up to {k} inputs, the device's {self.width}",
                fix=f"minimize with k={self.width}",
            )
