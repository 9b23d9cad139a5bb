"""Comparisons of integer words as logic; bits least significant first."""

from __future__ import annotations

from collections.abc import Sequence

from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.logic.cone import ConeBuilder

AND, OR, XOR = 0b1000, 0b1110, 0b0110
LESS = 0b1101_0100
"""Of (a, b, less so far): ``b`` where the bits differ, else as before."""


def ordered(fmt: IntFormat, bits: Sequence[int], builder: ConeBuilder) -> list[int]:
    """Return bits of a number whose unsigned order is the order of the values."""
    out = list(bits)
    if fmt.signed:
        out[-1] = builder.lut((out[-1],), 0b01)
    return out


def less(builder: ConeBuilder, a: Sequence[int], b: Sequence[int]) -> int:
    """Return whether unsigned `a` is less than unsigned `b`, of equal length."""
    out = builder.constant(False)
    for x, y in zip(a, b, strict=True):
        out = builder.lut((x, y, out), LESS)
    return out


def differs(builder: ConeBuilder, a: Sequence[int], b: Sequence[int]) -> int:
    """Return whether two words differ."""
    return any_of(builder, [builder.lut(pair, XOR) for pair in zip(a, b, strict=True)])


def word(builder: ConeBuilder, value: int, bits: int) -> list[int]:
    """Return a constant word, of an unsigned value."""
    return [builder.constant(bool(value >> i & 1)) for i in range(bits)]


def any_of(builder: ConeBuilder, signals: Sequence[int]) -> int:
    """Return the OR of signals."""
    out = builder.constant(False)
    for s in signals:
        out = builder.lut((out, s), OR)
    return out


def all_of(builder: ConeBuilder, signals: Sequence[int]) -> int:
    """Return the AND of signals."""
    out = builder.constant(True)
    for s in signals:
        out = builder.lut((out, s), AND)
    return out


def inside(
    builder: ConeBuilder, ports: Sequence[Port], starts: Sequence[int], box: IntArray
) -> int:
    """Return whether each word is in its range; those that cannot be outside cost nothing."""
    out = []
    for port, start, (low, high) in zip(ports, starts, box.tolist(), strict=True):
        fmt = port.format
        bits = ordered(fmt, range(start, start + fmt.bits), builder)
        raw = [value - fmt.lo for value in (low, high)]
        if raw[0] > 0:
            below = less(builder, bits, word(builder, raw[0], fmt.bits))
            out.append(builder.lut((below,), 0b01))
        if raw[1] < (1 << fmt.bits) - 1:
            above = less(builder, word(builder, raw[1], fmt.bits), bits)
            out.append(builder.lut((above,), 0b01))
    return all_of(builder, out)
