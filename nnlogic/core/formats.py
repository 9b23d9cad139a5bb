"""Integer formats and ports: the types of every edge in a network."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import IRError

IntArray = NDArray[np.int64]
MAX_BITS = 62


@dataclass(frozen=True, slots=True)
class IntFormat:
    """A two's complement or unsigned integer of `bits` bits.

    Attributes
    ----------
    bits : int
        Width, 1 to 62.
    signed : bool
        Two's complement when true.
    """

    bits: int
    signed: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            why = f"{self.bits} bits, allowed 1 to {MAX_BITS}"
            raise IRError("integer format out of range", why=why)

    @property
    def lo(self) -> int:
        """Smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def hi(self) -> int:
        """Largest value."""
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    def contains(self, values: IntArray) -> bool:
        """Whether every value is representable."""
        return bool(np.all((values >= self.lo) & (values <= self.hi)))

    def to_raw(self, values: IntArray) -> IntArray:
        """Map values to their unsigned bit patterns."""
        return np.asarray(values, np.int64) & ((1 << self.bits) - 1)

    def from_raw(self, raw: IntArray) -> IntArray:
        """Map unsigned bit patterns to values."""
        raw = np.asarray(raw, np.int64)
        if not self.signed:
            return raw
        return raw - ((raw >> (self.bits - 1)) << self.bits)

    @staticmethod
    def holding(lo: int, hi: int) -> IntFormat:
        """Return the smallest format that holds all of ``lo..hi``."""
        if lo >= 0:
            return IntFormat(max(1, int(hi).bit_length()))
        return IntFormat(max(int(-lo - 1).bit_length(), int(max(hi, 0)).bit_length()) + 1, True)

    def __str__(self) -> str:
        return f"{'i' if self.signed else 'u'}{self.bits}"

    @staticmethod
    def parse(text: str) -> IntFormat:
        """Inverse of ``str``: ``u3`` or ``i8``.

        Raises
        ------
        ValueError
            Anything else.
        """
        found = re.fullmatch(r"([iu])([1-9]\d?)", text, re.ASCII)
        if found is None or int(found[2]) > MAX_BITS:
            raise ValueError(f"{text[:40]!r} is no format, u1 to u{MAX_BITS} or i1 to i{MAX_BITS}")
        return IntFormat(int(found[2]), found[1] == "i")


@dataclass(frozen=True, slots=True)
class Port:
    """A named integer at the boundary of a network."""

    name: str
    format: IntFormat

    def __str__(self) -> str:
        return f"{self.name}:{self.format}"


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """Name and role of a layer, carried through all stages for the report.

    Attributes
    ----------
    name : str
        As in the checkpoint.
    role : str
        ``"encoder"``, ``"network"`` or ``"output"``; the report counts each apart.
    """

    name: str
    role: str = "network"

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise IRError(
                "unknown layer role", where=self.name, why=f"{self.role!r} not in {ROLES}"
            )


ROLES = ("encoder", "network", "output")
