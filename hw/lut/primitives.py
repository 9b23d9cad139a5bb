"""LUT cells of devices, so that a vendor tool keeps the mapping."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Const, Instance, Value

from nnlogic.hw.lut_cell import LutCell


def lut_instance(lut: LutCell, table: int, inputs: Sequence[Value], output: Value) -> Instance:
    """Return the cell that computes a truth table of one or more inputs.

    Parameters
    ----------
    lut : LutCell
    table : int
        Bit ``i`` for index ``i``.
    inputs : sequence of Value
        Index bit 0 first; at most `lut.width`.
    output : Value
    """
    cell = lut.cells[len(inputs) - 1]
    pins = len(lut.inputs) if cell == lut.cells[-1] else len(inputs)
    wide = list(inputs) + [Const(0, 1)] * (pins - len(inputs))
    for used in range(len(inputs), pins):
        table |= table << (1 << used)
    return Instance(
        cell,
        **{f"p_{lut.parameter}": Const(table, 1 << pins)},
        **{f"i_{pin}": value for pin, value in zip(lut.inputs, wide, strict=False)},
        **{f"o_{lut.output}": output},
    )
