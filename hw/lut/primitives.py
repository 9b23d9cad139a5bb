"""LUT cells of devices, so that a vendor tool keeps the mapping."""

from __future__ import annotations

from collections.abc import Sequence

from nnlogic.hw.lut_cell import LutCell


def lut_instance(lut: LutCell, table: int, inputs: Sequence[str], output: str) -> str:
    """Return the instance of the cell that computes a truth table of one or more inputs.

    Parameters
    ----------
    lut : LutCell
    table : int
        Bit ``i`` for index ``i``.
    inputs : sequence of str
        Index bit 0 first; at most `lut.width`.
    output : str
        The instance is named after it.
    """
    cell = lut.cells[len(inputs) - 1]
    pins = len(lut.inputs) if cell == lut.cells[-1] else len(inputs)
    wide = list(inputs) + ["1'b0"] * (pins - len(inputs))
    for used in range(len(inputs), pins):
        table |= table << (1 << used)
    size = 1 << pins
    value = f"{size}'h{table:0{-(-size // 4)}x}"
    wired = [f".{pin}({text})" for pin, text in zip(lut.inputs, wide, strict=False)]
    wired.append(f".{lut.output}({output})")
    return f"{cell} #(.{lut.parameter}({value})) lut_{output} ({', '.join(wired)});"
