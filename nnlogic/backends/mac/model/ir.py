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

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from nnlogic.backends.mac.model.interpret import run_mac
from nnlogic.backends.mac.model.rules import verify_mac
from nnlogic.backends.mac.model.slices import (
    B_BITS,
    CASCADE,
    CONSTANT,
    FABRIC_HOP,
    KINDS,
    P_BITS,
    AddSlice,
    Field,
    MacSlice,
    SliceChain,
    SliceKind,
)
from nnlogic.backends.mac.model.text import mac_text
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.stored import Stored

__all__ = [
    "B_BITS",
    "CASCADE",
    "CONSTANT",
    "FABRIC_HOP",
    "KINDS",
    "P_BITS",
    "AddSlice",
    "Field",
    "MacNet",
    "MacSlice",
    "SliceChain",
    "SliceKind",
]


@dataclass(frozen=True, eq=False)
class MacNet(Stored):
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
    chains : tuple of SliceChain
    latency : int
        Clocks from the edge that samples a row to the one at which its fields can be sampled.
    """

    name: str
    slice_kind: str = field(metadata=stored("kind"))
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    chains: tuple[SliceChain, ...]
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
        return run_mac(self, codes)

    def verify(self) -> None:
        """Raise IRError, with all problems, when slices of this kind cannot do what is asked."""
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
        return mac_text(self)
