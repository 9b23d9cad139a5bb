"""What a device family calls its LUT cell."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.core.errors import UsageError


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
    """

    cells: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str
    parameter: str

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
