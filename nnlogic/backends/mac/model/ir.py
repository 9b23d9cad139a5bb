"""MacNet: weighted sums on cascades of DSP slices, one input vector per clock.

*Fields.* The sums of several neurons that read the same inputs share a cascade: the constant on
port A holds their weights side by side, and P holds their sums side by side. Each sum ``S`` is kept
as an unsigned number ``F`` with ``S = scale * F + offset``: a sum that is never negative borrows
nothing from the field above it, so fields are read off P without correction.

*Slices.* A `MacSlice` adds a product. An `AddSlice` adds two words, or subtracts them, that are
wired from bits of the inputs: a weight is a few signed powers of two, so a product is a few shifted
copies of its input, and one word takes a copy for as many products as do not meet in a bit.

*Time.* All wires of a row arrive in one clock, and pass registers in fabric, at the port, after
the multiplier (of a `MacSlice`) and on P. Addition is modulo ``2**48``, so only the final values
have to fit, not those between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from nnlogic.core.formats import IntArray, Port

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
class Chain:
    """Slices in the order of the cascade, and what the last one's P holds.

    Attributes
    ----------
    slices : tuple of MacSlice or AddSlice
    constant : int
        Port C of the first slice, 0 .. ``2**48 - 1``.
    fields : tuple of Field
        From the lowest bit up.
    """

    slices: tuple[MacSlice | AddSlice, ...]
    constant: int
    fields: tuple[Field, ...]

    def after(self, k: int) -> int:
        """Clocks from P of slice `k` to P of the last slice."""
        return sum(1 + (s.addend == FABRIC_HOP) for s in self.slices[k + 1 :])


@dataclass(frozen=True, eq=False)
class MacNet:
    """The weighted sums of one layer.

    Attributes
    ----------
    name : str
    kind : str
        Key of `KINDS`.
    inputs : tuple of Port
        Codes of one row, all in the same clock.
    outputs : tuple of Port
        Fields, unsigned, in order of their neurons.
    chains : tuple of Chain
    latency : int
        Clocks from the edge that samples a row to the one at which its fields can be sampled.
    """

    name: str
    slice_kind: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    chains: tuple[Chain, ...]
    latency: int

    kind: ClassVar[str] = "MacNet"

    @cached_property
    def fields(self) -> tuple[tuple[int, Field], ...]:
        """Chain and field of every output, in output order."""
        pairs = [(i, field) for i, chain in enumerate(self.chains) for field in chain.fields]
        return tuple(sorted(pairs, key=lambda pair: pair[1].neuron))

    @property
    def slices(self) -> int:
        """Slices of all chains."""
        return sum(len(chain.slices) for chain in self.chains)

    @cached_property
    def input_bits(self) -> tuple[tuple[int, int], ...]:
        """Wire and place of every input bit."""
        return tuple((i, b) for i, p in enumerate(self.inputs) for b in range(p.format.bits))

    @cached_property
    def delays(self) -> tuple[int, ...]:
        """Registers in fabric after each input bit, shared by the slices that read it."""
        out = [0] * len(self.input_bits)
        number = {place: i for i, place in enumerate(self.input_bits)}
        for chain in self.chains:
            for s in chain.slices:
                if isinstance(s, MacSlice):
                    width = self.inputs[s.wire].format.bits
                    found = [(number[s.wire, b], s.delay) for b in range(width)]
                else:
                    found = [(i, s.delay) for i in s.ab if i >= 0]
                    found += [(i, s.delay + s.reg - 1) for i in s.c if i >= 0]
                for i, delay in found:
                    out[i] = max(out[i], delay)
        return tuple(out)

    def evaluate(self, codes: IntArray) -> IntArray:
        """Stream rows through the registers, one per clock, and collect the fields.

        Parameters
        ----------
        codes : int array, shape (samples, inputs)

        Returns
        -------
        int64 array, shape (samples, outputs)
        """
        from nnlogic.backends.mac.model.interpret import run_mac

        return run_mac(self, codes)

    def verify(self) -> None:
        """Raise IRError, with all problems, when slices of this kind cannot do what is asked."""
        from nnlogic.backends.mac.model.rules import verify_mac

        verify_mac(self)

    def stats(self) -> dict[str, int]:
        """Counts for the report."""
        slices = [s for chain in self.chains for s in chain.slices]
        return {
            "slices": self.slices,
            "multiplying": sum(isinstance(s, MacSlice) for s in slices),
            "chains": len(self.chains),
            "longest_chain": max((len(c.slices) for c in self.chains), default=0),
            "neurons": len(self.outputs),
            "latency_cycles": self.latency,
            "delay_ffs": sum(self.delays),
        }

    def text(self) -> str:
        """Return the stable printed form."""
        from nnlogic.backends.mac.model.text import mac_text

        return mac_text(self)

    def save(self, path: Path) -> None:
        """Write to a versioned file."""
        from nnlogic.backends.mac.model.store import save_mac

        save_mac(self, path)

    @staticmethod
    def load(path: Path) -> MacNet:
        """Read what `save` wrote, and verify it."""
        from nnlogic.backends.mac.model.store import load_mac

        return load_mac(path)
