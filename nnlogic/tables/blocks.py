"""What a TableNet is made of: shared truth tables with their uses, and arithmetic blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import digest
from nnlogic.core.bits import Bools, Words
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntFormat

MAX_INPUTS = 16
JUSTIFICATIONS = ("exact SDC", "exact ODC", "observed data")


@dataclass(frozen=True, eq=False)
class Function:
    """A Boolean function of several outputs, with the inputs that matter.

    Attributes
    ----------
    n_inputs : int
        0 to `MAX_INPUTS`.
    bits : uint64 array, shape (outputs, words_for(2**n_inputs))
        Table-packed (see `nnlogic.core.bits`); zero where the care set is zero.
    care : uint64 array, shape (words,), or None
        Inputs that can occur and matter; None means all.
    justification : str
        Why the others do not matter: one of `JUSTIFICATIONS`; empty when `care` is None.
    """

    n_inputs: int
    bits: Words = field(metadata=stored(dims=2))
    care: Words | None = field(default=None, metadata=stored(dims=1))
    justification: str = ""

    @property
    def n_outputs(self) -> int:
        """Number of output bits."""
        return len(self.bits)

    @cached_property
    def digest(self) -> str:
        """Content hash of table and care set; equal functions share it."""
        care = self.care if self.care is not None else np.zeros(0, np.uint64)
        return digest(self.n_inputs, self.bits, care)

    def care_bools(self) -> Bools:
        """Return the care set as bool, shape (2**n_inputs,)."""
        size = 1 << self.n_inputs
        return np.ones(size, bool) if self.care is None else bits.unpack(self.care, size)

    def table(self) -> Bools:
        """Return the table as bool, shape (outputs, 2**n_inputs)."""
        return bits.unpack(self.bits, 1 << self.n_inputs)

    def problems(self) -> list[str]:
        """Return what breaks the rules of a function."""
        if not 0 <= self.n_inputs <= MAX_INPUTS:  # before anything grows with it
            return [f"{self.n_inputs} inputs, limit {MAX_INPUTS}"]
        out = []
        words = bits.words_for(1 << self.n_inputs)
        if self.bits.ndim != 2 or self.bits.shape[1] != words or not len(self.bits):
            return [f"table of shape {self.bits.shape}, need (outputs, {words})"]
        tail = (1 << self.n_inputs) % 64
        if tail and np.any(self.bits >> np.uint64(tail)):
            out.append("bits set beyond the end of the table")
        if (self.care is None) == bool(self.justification):
            out.append("a care set and its justification come together")
        if self.justification and self.justification not in JUSTIFICATIONS:
            out.append(f"justification {self.justification!r} not in {JUSTIFICATIONS}")
        if self.care is not None:
            if self.care.shape != (words,):
                out.append(f"care set of shape {self.care.shape}, need ({words},)")
            elif np.any(self.bits & ~self.care):
                out.append("table bits set outside the care set")
        return out


@dataclass(frozen=True)
class Instance:
    """A use of a shared function. `origin` is ``layer/neuron<i>``."""

    function: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    origin: str
    layer: int


@dataclass(frozen=True)
class Word:
    """Bits of one integer, LSB first."""

    signals: tuple[int, ...]
    signed: bool = False

    @property
    def format(self) -> IntFormat:
        """Format of the integer."""
        return IntFormat(len(self.signals), self.signed)


@dataclass(frozen=True)
class Sum:
    """Exact ``sum(weights[i] * words[i]) + bias``, in the format of `result`."""

    words: tuple[Word, ...]
    weights: tuple[int, ...]
    bias: int
    result: Word
    origin: str
    layer: int

    @property
    def outputs(self) -> tuple[int, ...]:
        """Signals this block defines."""
        return self.result.signals


@dataclass(frozen=True)
class Threshold:
    """Number of `thresholds` not above the weighted sum: a linear neuron too wide for a table."""

    words: tuple[Word, ...]
    weights: tuple[int, ...]
    bias: int
    thresholds: tuple[int, ...]
    result: Word
    origin: str
    layer: int

    @property
    def outputs(self) -> tuple[int, ...]:
        """Signals this block defines."""
        return self.result.signals


@dataclass(frozen=True)
class ArgmaxBlock:
    """Index of the largest word; the lowest index wins a tie."""

    stored_as: ClassVar[str] = "Argmax"

    words: tuple[Word, ...]
    result: Word
    origin: str
    layer: int

    @property
    def outputs(self) -> tuple[int, ...]:
        """Signals this block defines."""
        return self.result.signals


Block = Instance | Sum | Threshold | ArgmaxBlock


def block_inputs(block: Block) -> tuple[int, ...]:
    """Signals a block reads, in order."""
    if isinstance(block, Instance):
        return block.inputs
    return tuple(s for word in block.words for s in word.signals)


def bit_weights(block: Sum | Threshold) -> dict[int, int]:
    """Return what each input bit adds to the sum when it is one, by signal."""
    out: dict[int, int] = {}
    for word, weight in zip(block.words, block.weights, strict=True):
        last = len(word.signals) - 1
        for b, signal in enumerate(word.signals):
            sign = -1 if word.signed and b == last else 1
            out[signal] = out.get(signal, 0) + weight * (sign << b)
    return out
