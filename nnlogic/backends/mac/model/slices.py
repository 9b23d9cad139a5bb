"""What a MacNet is made of: slices that multiply or add, in chains, and fields of their sums."""

from __future__ import annotations

from dataclasses import dataclass, field

from nnlogic.core.fields import stored

P_BITS = 48
B_BITS = 18
CONSTANT, CASCADE, FABRIC_HOP = "constant", "cascade", "hop"
"""Where a slice's addend comes from: port C with a constant, PCIN, or port C with P of the slice
before it, through fabric and register C; the last starts a new column of slices."""


@dataclass(frozen=True)
class SliceKind:
    """A generation of DSP slices.

    Attributes
    ----------
    a_bits : int
        Bits of the signed multiplier operand that holds the weights.
    column : int
        Most slices a cascade may have; the part of a target may have shorter columns.
    """

    a_bits: int
    column: int


KINDS = {
    "dsp48e1": SliceKind(25, 60),
    "dsp48e2": SliceKind(27, 120),
    "fabric": SliceKind(27, 120),
}


@dataclass(frozen=True, slots=True)
class MacSlice:
    """One multiply-add.

    Attributes
    ----------
    wire : int
        Input wire on port B.
    weight : int
        Constant on port A: the weights of all fields, each shifted to its place.
    delay : int
        Registers in fabric before port B.
    breg : int
        Registers of the slice on port B, 1 or 2.
    addend : str
        `CONSTANT`, `CASCADE` or `FABRIC_HOP`.
    """

    wire: int
    weight: int
    delay: int
    breg: int
    addend: str


@dataclass(frozen=True, slots=True)
class AddSlice:
    """Two words of input bits, added or subtracted; the multiplier is off.

    Attributes
    ----------
    ab : tuple of int
        For each bit of A:B, lowest first, the input bit on it (numbered port by port, LSB first),
        or -1 for 0; trailing zeros are left out.
    c : tuple of int
        The same for port C; empty unless the addend is `CASCADE`, for C has another use then.
    negative : bool
        ``P = addend - (A:B + C)`` in place of ``addend + A:B + C``.
    delay : int
        Registers in fabric before ports A and B.
    reg : int
        Registers of the slice on ports A and B, 1 or 2; C has one, with `delay` + `reg` - 1
        registers before it.
    addend : str
    """

    ab: tuple[int, ...]
    c: tuple[int, ...]
    negative: bool
    delay: int
    reg: int
    addend: str


@dataclass(frozen=True, slots=True)
class Field:
    """Where a neuron's sum lies in P: ``S = scale * F + offset``, ``0 <= F < 2**bits``.

    Attributes
    ----------
    neuron : int
    shift, bits : int
    scale : int
        Common divisor of the weights, positive.
    offset : int
    """

    neuron: int
    shift: int
    bits: int
    scale: int
    offset: int


@dataclass(frozen=True, slots=True)
class SliceChain:
    """Slices in the order of the cascade, and what the last one's P holds.

    Attributes
    ----------
    slices : tuple of MacSlice or AddSlice
    constant : int
        Port C of the first slice, 0 .. ``2**48 - 1``.
    fields : tuple of Field
        From the lowest bit up.
    """

    slices: tuple[MacSlice | AddSlice, ...] = field(metadata=stored(rows=True))
    constant: int
    fields: tuple[Field, ...]

    def after(self, k: int) -> int:
        """Clocks from P of slice `k` to P of the last slice."""
        return sum(1 + (s.addend == FABRIC_HOP) for s in self.slices[k + 1 :])
