"""LUT cells of devices, so that a vendor tool keeps the mapping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nnlogic.hw.lut_cell import LutCell


class Half(NamedTuple):
    """One of the functions of a cell with two outputs."""

    table: int
    inputs: Sequence[str]
    output: str


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
    wired = zip((*lut.inputs[:pins], lut.output), (*wide, output), strict=True)
    wide_table = spread(table, range(len(inputs)), pins)
    return _instance(cell, lut.parameter, pins, wide_table, wired, output)


def dual_instance(lut: LutCell, low: Half, high: Half) -> str:
    """Return the instance of the cell with two outputs that computes two truth tables.

    Parameters
    ----------
    lut : LutCell
        With a `dual` cell.
    low, high : Half
        Together they read at most ``lut.width - 1`` inputs. The instance is named after `low`.
    """
    pins = lut.width - 1
    inputs = list(dict.fromkeys((*low.inputs, *high.inputs)))
    tables = [
        spread(half.table, [inputs.index(name) for name in half.inputs], pins)
        for half in (low, high)
    ]
    wide = [*inputs, *["1'b0"] * (pins - len(inputs)), "1'b1"]
    wired = zip((*lut.inputs, *lut.dual_outputs), (*wide, low.output, high.output), strict=True)
    table = tables[0] | tables[1] << (1 << pins)
    return _instance(lut.dual, lut.parameter, lut.width, table, wired, low.output)


def spread(table: int, places: Sequence[int], pins: int) -> int:
    """Return a table of `pins` inputs in which input ``i`` of the old one is ``places[i]``."""
    out = 0
    for index in range(1 << pins):
        old = sum(((index >> place) & 1) << i for i, place in enumerate(places))
        out |= ((table >> old) & 1) << index
    return out


def _instance(
    cell: str, parameter: str, pins: int, table: int, wired: Iterable[tuple[str, str]], name: str
) -> str:
    size = 1 << pins
    value = f"{size}'h{table:0{-(-size // 4)}x}"
    ports = ", ".join(f".{pin}({text})" for pin, text in wired)
    return f"{cell} #(.{parameter}({value})) lut_{name} ({ports});"
