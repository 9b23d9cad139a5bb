"""The two-input operations of a DSP slice's logic unit, and how each is asked for.

An operation is named by its truth table, four bits: bit ``x + 2 * z`` is the result for operand
bits x and z. The slice computes it bitwise on 48 lanes with X = A:B and Z = C (W = 0), chosen by
OPMODE[3:2] (Y = 0 or all ones) and ALUMODE: table "Two-input logic unit" of UG479
(DSP48E1) and UG579 (DSP48E2). Exactly the ten functions that depend on both operands exist, so
inverters are free: they are absorbed into the operation that drives or reads them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnlogic.core.archive import frozen

LANES = 48
"""Bits of a slice's word: independent input vectors, or positions of a convolution."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the logic unit.

    Attributes
    ----------
    name : str
    table : int
        Truth table, bit ``x + 2 * z``.
    y_ones : int
        OPMODE[3]; OPMODE[3:2] is 10 when set, else 00. OPMODE[1:0] is 11 (X = A:B),
        OPMODE[6:4] is 011 (Z = C).
    alumode : int
        ALUMODE[3:0].
    """

    name: str
    table: int
    y_ones: int
    alumode: int

    @property
    def opcode(self) -> int:
        """Five bits: {OPMODE[3], ALUMODE[3:0]}."""
        return self.y_ones << 4 | self.alumode

    @property
    def opmode(self) -> int:
        """OPMODE[6:0]; a DSP48E2 has OPMODE[8:7] = 00 (W = 0) above it."""
        return 0b011_00_11 | self.y_ones << 3


OPERATIONS = (
    Operation("and", 0b1000, 0, 0b1100),
    Operation("andn", 0b0010, 0, 0b1101),  # x and not z
    Operation("nand", 0b0111, 0, 0b1110),
    Operation("orn_x", 0b1101, 0, 0b1111),  # not x or z
    Operation("xor", 0b0110, 0, 0b0100),
    Operation("xnor", 0b1001, 0, 0b0101),
    Operation("or", 0b1110, 1, 0b1100),
    Operation("orn", 0b1011, 1, 0b1101),  # x or not z
    Operation("nor", 0b0001, 1, 0b1110),
    Operation("andn_x", 0b0100, 1, 0b1111),  # not x and z
)

BY_TABLE = {op.table: op for op in OPERATIONS}
BY_NAME = {op.name: op for op in OPERATIONS}
BY_OPCODE = {op.opcode: op for op in OPERATIONS}

AND, NAND, XOR, XNOR = (BY_NAME[name].table for name in ("and", "nand", "xor", "xnor"))
"""With both operands the same: copy, inverter, constant 0, constant 1."""

IDLE = BY_NAME["xor"].opcode
"""Opcode of a slice with nothing to do; a logic operation, so that the mode never changes."""

ILLEGAL = 0xFF

OPCODE_OF_TABLE = frozen(
    [BY_TABLE[t].opcode if t in BY_TABLE else ILLEGAL for t in range(16)], np.uint8
)
"""uint8, shape (16,): opcode of a truth table, ILLEGAL for those that ignore an operand."""

TABLE_OF_OPCODE = frozen(
    [BY_OPCODE[c].table if c in BY_OPCODE else ILLEGAL for c in range(32)], np.uint8
)
"""uint8, shape (32,): truth table of an opcode, ILLEGAL for opcodes the compiler never uses."""


def swapped(table: int) -> int:
    """Return the operation with its operands exchanged."""
    return (table & 0b1001) | (table & 0b0010) << 1 | (table & 0b0100) >> 1
