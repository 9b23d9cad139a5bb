"""The slice's two-input logic unit, as its vendor publishes it.

The rows are the vendor's: UG479 (7 Series DSP48E1), UG579 (UltraScale DSP48E2) and AM004 (Versal,
"Two-Input Logic Unit"), table "OPMODE and ALUMODE Control Bits Select Logic Unit Outputs". The
three agree. X is the concatenation A:B (OPMODE[1:0] = 11) and Z is C (OPMODE[6:4] = 011); Y is all
zeros (OPMODE[3:2] = 00) or all ones (10); in the DSP48E2, W is zero (OPMODE[8:7] = 00).
"""

from __future__ import annotations

from dataclasses import dataclass

LANES = 48
"""Bits of the logic unit: independent Boolean evaluations per cycle."""


@dataclass(frozen=True)
class LogicMode:
    """One row of the vendor's table.

    Attributes
    ----------
    opmode_3_2, alumode : int
    text : str
        The function in the vendor's words.
    table : int
        Truth table of four bits; bit ``x + 2 * z`` is the result for inputs x and z.
    """

    opmode_3_2: int
    alumode: int
    text: str
    table: int

    @property
    def opcode(self) -> int:
        """The five bits that vary between modes: ``{OPMODE[3], ALUMODE[3:0]}``."""
        return (self.opmode_3_2 >> 1) << 4 | self.alumode


LOGIC_MODES = (
    LogicMode(0b00, 0b0100, "X XOR Z", 0b0110),
    LogicMode(0b00, 0b0101, "X XNOR Z", 0b1001),
    LogicMode(0b00, 0b0110, "X XNOR Z", 0b1001),
    LogicMode(0b00, 0b0111, "X XOR Z", 0b0110),
    LogicMode(0b00, 0b1100, "X AND Z", 0b1000),
    LogicMode(0b00, 0b1101, "X AND (NOT Z)", 0b0010),
    LogicMode(0b00, 0b1110, "X NAND Z", 0b0111),
    LogicMode(0b00, 0b1111, "(NOT X) OR Z", 0b1101),
    LogicMode(0b10, 0b0100, "X XNOR Z", 0b1001),
    LogicMode(0b10, 0b0101, "X XOR Z", 0b0110),
    LogicMode(0b10, 0b0110, "X XOR Z", 0b0110),
    LogicMode(0b10, 0b0111, "X XNOR Z", 0b1001),
    LogicMode(0b10, 0b1100, "X OR Z", 0b1110),
    LogicMode(0b10, 0b1101, "X OR (NOT Z)", 0b1011),
    LogicMode(0b10, 0b1110, "X NOR Z", 0b0001),
    LogicMode(0b10, 0b1111, "(NOT X) AND Z", 0b0100),
)

OPCODE_BITS = 5


def opmode(bit3: int, bits: int) -> int:
    """Return the whole OPMODE for a value of its bit 3: X = A:B, Y = 0 or ones, Z = C, W = 0.

    Parameters
    ----------
    bit3 : int
        0 or 1.
    bits : int
        7 for the DSP48E1, 9 for the DSP48E2.
    """
    return (0b0110011 | bit3 << 3) & ((1 << bits) - 1)
