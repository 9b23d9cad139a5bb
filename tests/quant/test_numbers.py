"""Number formats: every code against definitions that are not ours."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import ml_dtypes
import numpy as np
import pytest

from nnlogic.core.errors import UsageError
from nnlogic.quant.numbers import kinds, numbers
from nnlogic.quant.numbers.posit import Posit


def posits(n, exponent):
    """All positive posits in order, by Gustafson's rule that appends a bit: no code is decoded.

    Between two neighbours of n bits lies, with n + 1, their mean within a binade, else the power of
    two half way between their exponents; beyond the largest its product with useed, before the
    least a quotient.
    """
    useed = 2 ** (2**exponent)
    values = [Fraction(1)]
    for _ in range(n - 2):
        longer = [values[0] / useed]
        for low, high in pairwise(values):
            longer += [low, between(low, high)]
        values = [*longer, values[-1], values[-1] * useed]
    return values


def between(low, high):
    if high / low > 2:  # two powers of two: the exponent is not written out yet
        steps = 0
        while low * 2**steps < high:
            steps += 1
        return low * 2 ** (steps // 2)
    return (low + high) / 2


@pytest.mark.parametrize("exponent", range(3))
@pytest.mark.parametrize("n", range(2, 9))
def test_posits_are_those_of_the_rule_that_appends_bits(n, exponent):
    made = Posit(n, exponent)
    positive = posits(n, exponent)
    top = 1 << (n - 1)
    assert [made.decode(code) for code in range(1, top)] == positive
    assert made.decode(0) == 0
    assert made.decode(top) is None
    assert [made.decode(code) for code in range(2 * top - 1, top, -1)] == [-v for v in positive]


def test_the_rule_finds_a_wrong_decoder():
    class Wrong(Posit):
        """Exponent bits that are cut off count at the low end."""

        def _positive(self, code):
            out = super()._positive(code)
            return out * 2 if code == 1 else out

    assert [Wrong(6, 1).decode(c) for c in range(1, 32)] != posits(6, 1)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("minifloat(2,1)", ml_dtypes.float4_e2m1fn),
        ("minifloat(2,3)", ml_dtypes.float6_e2m3fn),
        ("minifloat(3,2)", ml_dtypes.float6_e3m2fn),
    ],
)
def test_minifloats_are_those_of_the_ocp_standard(name, dtype):
    made = numbers(name)
    want = np.arange(1 << made.bits, dtype=np.uint8).view(dtype).astype(float)
    assert [float(made.decode(code)) for code in range(1 << made.bits)] == want.tolist()


@pytest.mark.parametrize(("exponent", "mantissa"), [(4, 3), (3, 4), (1, 2), (2, 0)])
def test_minifloats_are_ieee_but_for_the_largest_exponent(exponent, mantissa):
    made = numbers(f"minifloat({exponent},{mantissa})")
    for code in range(1 << made.bits):
        sign, rest = code >> (made.bits - 1), code & ((1 << (made.bits - 1)) - 1)
        power, part = rest >> mantissa, rest % (1 << mantissa)
        bias = 2 ** (exponent - 1) - 1
        low = Fraction(2) ** (1 - bias - mantissa)
        want = part * low if power == 0 else (part + 2**mantissa) * low * 2 ** (power - 1)
        assert made.decode(code) == (-want if sign else want)


def test_other_formats():
    assert numbers("fixed(4,2)").values == tuple(Fraction(k, 4) for k in range(-8, 8))
    assert numbers("shift(3)").values == tuple(
        sorted(s * Fraction(1, 2**k) for s in (1, -1) for k in range(4))
    )
    assert [int(v) for v in numbers("power(4,2)").values] == [
        *(-(k**2) for k in range(7, 0, -1)),
        *(k**2 for k in range(8)),
    ]
    assert numbers("ternary()").values == (-1, 0, 1)
    assert numbers("ternary()").decode(2) is None
    assert numbers("binary()").values == (-1, 1)


def test_units_and_names():
    for name in ("posit(4,1)", "minifloat(2,1)", "fixed(4,2)", "shift(3)", "power(3,2)"):
        made = numbers(name)
        assert str(made) == name
        assert tuple(int(i) * made.unit for i in made.integers) == made.values
        assert np.gcd.reduce(made.integers) == 1
    assert set(kinds()) >= {"binary", "fixed", "minifloat", "posit", "power", "shift", "ternary"}
    assert replace(Posit(4, 1), n=5) == numbers(" posit(5, 1) ")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("posit", "known are"),
        ("posits(4,1)", "known are"),
        ("posit(4)", "1 arguments"),
        ("posit(1,0)", "has 2 or more"),
        ("posit(9,3)", "9 bits, 1 to 8; 3 exponent bits, 0 to 2"),
        ("minifloat(5,2)", "5 exponent bits"),
        ("minifloat(2,-1)", "0 or more"),
        ("shift(9)", "2 to 5"),
        ("fixed(4,99)", "point 99"),
        ("power(4,0)", "exponent 0"),
        ("fixed(4,-)", "'fixed(4,-)'"),
    ],
)
def test_mistakes_are_told(name, why):
    with pytest.raises(UsageError) as found:
        numbers(name)
    assert why in str(found.value)
