"""Operations as the versions of alkaid, and da4ml, write them."""

from __future__ import annotations

import math
from typing import Any

from nnlogic.frontend.alir.program import (
    ADD_CONST,
    BINARY,
    CONST,
    CUT,
    INPUT,
    MUL,
    MUX,
    NEG,
    RELU,
    SHAPES,
    Interval,
    Op,
)  # fmt: skip

MOST_EXPONENT = 64
"""Of a shift, or a step."""
MOST_WIDTH = 62


class Wrong(ValueError):
    """A part of a file is not what it must be."""


def as_integer(value: Any, lo: int, hi: int, what: str) -> int:
    """Return an integer within bounds, which may be written as a number with a point."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not lo <= value <= hi:
        raise Wrong(f"{what} is {str(value)[:40]}")
    return value


def as_shift(value: Any) -> int:
    """Return the exponent of a power of two."""
    return as_integer(value, -MOST_EXPONENT, MOST_EXPONENT, "a shift")


def _data(value: Any) -> int:
    return as_integer(value, -(1 << 63), (1 << 63) - 1, "a number")


def as_interval(found: Any) -> Interval:
    """Return an interval from least, largest value and step."""
    if isinstance(found, dict):
        found = [found.get(key) for key in ("min", "max", "step")]
    if not isinstance(found, list) or len(found) != 3:
        raise Wrong("its interval is not [min, max, step]")
    if not all(type(v) in (int, float) and abs(v) < 2.0**MOST_WIDTH for v in found):
        raise Wrong(f"its interval is {str(found)[:80]}")
    lo, hi, step = map(float, found)
    mantissa, exponent = math.frexp(step)
    if mantissa != 0.5 or abs(exponent) > MOST_EXPONENT or lo > hi:
        raise Wrong(f"its interval is {str(found)[:80]}: the step must be a power of two")
    if lo == hi == 0:
        return Interval(0, 0, 0)
    ends = [round(v / step) for v in (lo, hi)]
    if max(map(abs, ends)) >= 1 << MOST_WIDTH:
        raise Wrong(f"its interval is {str(found)[:80]}: more than {MOST_WIDTH} bits")
    return Interval(ends[0], ends[1], 1 - exponent)


def record3(item: Any, number: int) -> list[Op]:
    """Return the operation of a record of alkaid, versions 3 and 4."""
    if not isinstance(item, list) or len(item) != 6:
        raise Wrong("is no list of six parts")
    args, code, data, interval = item[:4]
    if not isinstance(args, list) or not isinstance(data, list):
        raise Wrong("its addresses and numbers are no lists")
    code = as_integer(code, -99, 99, "its code")
    numbers = [_data(d) for d in data]
    if code == CUT and not numbers:
        numbers = [0]
    return [Op(code, _addresses(args, number), tuple(numbers), as_interval(interval))]


def _addresses(args: list[Any], number: int) -> tuple[int, ...]:
    return tuple(as_integer(a, 0, number - 1, "an address") for a in args)


def record2(item: Any, number: int) -> list[Op]:
    """Return the operation of a record of alkaid, version 2: numbers packed in 64 bits."""
    code, first, second, data, out = _packed(item)
    low, high = _signed32(data), _signed32(data >> 32)
    args: dict[int, tuple[int, ...]] = {INPUT: (), CONST: (), MUX: (first, second, low)}
    numbers: dict[int, tuple[int, ...]] = {
        NEG: (), INPUT: (first,), RELU: (), CUT: (0,), ADD_CONST: (low, high), MUX: (high,),
        MUL: (), BINARY: (low, data >> 56 & 0xFF),
    }  # fmt: skip
    reads = args.get(code, (first, second)[: SHAPES.get(code, (0, 0))[0]])
    return [Op(code, _addresses(list(reads), number), numbers.get(code, (data,)), out)]


def record0(item: Any, number: int) -> list[Op]:
    """Return the operations of a record of da4ml, whose codes below -1 negate what they read."""
    code, first, second, data, out = _packed(item)
    low, high = _signed32(data), _signed32(data >> 32)
    negated = code in (-2, -3, -6)
    if code < INPUT and not negated:
        raise Wrong(f"operation code {code} of da4ml is not supported")
    code = abs(code) if negated else code
    numbers: dict[int, tuple[int, ...]] = {
        INPUT: (first,), RELU: (), CUT: (0,), ADD_CONST: (data, out.frac), MUX: (high,), MUL: (),
        BINARY: (low, data >> 56 & 0xFF),
    }  # fmt: skip
    reads: tuple[int, ...] = (first, second)[: SHAPES.get(code, (0, 0))[0]]
    before: list[Op] = []
    if negated:
        # A mux negates its second value, the others their first.
        last = second if code == MUX else first
        (source,) = _addresses([last], number)
        before = [Op(NEG, (source,), (), Interval(0, 0, 0))]
        reads = (*reads[:-1], -1) if code == MUX else (-1,)
    if code == MUX:
        reads = (first, -1 if negated else second, low)
    checked = tuple(a if a == -1 and negated else _addresses([a], number)[0] for a in reads)
    return [*before, Op(code, checked, numbers.get(code, (data,)), out)]


def _packed(item: Any) -> tuple[int, int, int, int, Interval]:
    if not isinstance(item, list) or len(item) != 7:
        raise Wrong("is no list of seven parts")
    first, second, code, data = (
        as_integer(v, -(1 << 63), (1 << 64) - 1, "a number") for v in item[:4]
    )
    data -= (data >= 1 << 63) << 64
    return code, first, second, data, as_interval(item[4])


def _signed32(value: int) -> int:
    value &= 0xFFFF_FFFF
    return value - ((value >> 31) << 32)
