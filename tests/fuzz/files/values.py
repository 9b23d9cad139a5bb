"""Values that programs do not expect."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

HUGE = 10**12
DEEP = 20_000
MOST = 20_000_000
"""Characters of a list."""


class Nested:
    """A value inside so many lists; encoders write it without recursion."""

    def __init__(self, depth: int) -> None:
        self.depth = depth

    def text(self) -> str:
        """Return it as JSON and TOML have it."""
        return "[" * self.depth + "]" * self.depth


NUMBERS = (
    0, 1, -1, 2, 3, 7, 8, 9, 62, 63, 64, 65, 127, 255, 256, 1000, 100_000, 2**31 - 1, 2**31, 2**32,
    2**53 + 1, 2**62, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**63) - 1, HUGE, -HUGE, 10**400,
    0.5, -0.0, 1e-320, 1e38, 3.5e38, 1e300, -1e300, float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
TEXTS = (
    "", " ", "x", "input", "argmax", "u0", "u1", "u62", "u63", "i1", "i99", "u1000000000000", "u",
    "u-1", "uNaN", "0", "1.5", "1e999", "nan", "true", "None", "../../x", "/dev/zero", "/", "a\nb",
    "a\0b", "\ud800", "\u202ex", "é" * 300, "x" * 100_000, "9" * 5000, "{}", "${x}", "'; x",
    "\x1b[2J",
)  # fmt: skip
DTYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")


def scalar(rng: Random) -> Any:
    """Return a value without parts."""
    return rng.choice([rng.choice(NUMBERS), rng.choice(TEXTS), rng.choice((None, True, False))])


def value(rng: Random) -> Any:
    """Return any value of JSON."""
    pick = rng.random()
    if pick < 0.8:
        return scalar(rng)
    if pick < 0.84:
        return Nested(rng.choice((50, 900, 3000, DEEP)))
    if pick < 0.88:
        one = scalar(rng)
        # Of long texts fewer: the fuzzer itself must hold the file.
        return [one] * min(rng.choice((1, 2, 1000, 200_000)), MOST // max(1, len(str(one))))
    return rng.choice(([], {}, [[]], [{}], [scalar(rng)], {"x": scalar(rng)}, {"": {}}))


def near(rng: Random, old: Any) -> Any:
    """Return a value that is almost the old one."""
    if isinstance(old, bool):
        return rng.choice((not old, int(old), str(old).lower(), None))
    if isinstance(old, int):
        return rng.choice(
            (old + 1, old - 1, -old, old * 1000, float(old), str(old), [old], old + 0.5)
        )
    if isinstance(old, float):
        return rng.choice(
            (
                -old,
                old * 1e30,
                str(old),
                [old],
                float("nan"),
                round(old) if old == old and abs(old) < 1e300 else 0,
            )
        )
    if isinstance(old, str):
        return rng.choice(
            (old.upper(), old + "x", old[:-1], old[::-1], [old], list(old[:50]), {old: old}, 0)
        )
    if isinstance(old, list):
        return rng.choice(
            (
                old[::-1],
                old + old,
                old[:-1],
                [old],
                dict(enumerate(old[:5])) and {str(i): x for i, x in enumerate(old[:9])},
                str(old)[:200],
            )
        )
    if isinstance(old, dict):
        return rng.choice((list(old), list(old.values()), [old], str(old)[:200], None))
    return value(rng)


def array(rng: Random, old: np.ndarray) -> tuple[np.ndarray, str]:
    """Return an array that is almost the old one, and what changed."""
    how = rng.choice(("dtype", "shape", "size", "values", "values", "all", "float"))
    if how == "dtype":
        dtype = rng.choice(DTYPES)
        with np.errstate(all="ignore"):
            return np.nan_to_num(old, posinf=0, neginf=0).astype(dtype), f"dtype {dtype}"
    if how == "float":
        # No float, and none that can be cast back, at once.
        dtype, number = rng.choice(DTYPES[:3]), rng.choice(("nan", "inf", "-inf", "0.5"))
        with np.errstate(all="ignore"):
            made = old.astype(dtype)
        made.reshape(-1)[: rng.choice((1, made.size))] = float(number)
        return made, f"{dtype} with {number}"
    if how == "shape":
        flat = old.reshape(-1)
        point = flat[:1].reshape(()) if old.size else old
        made = rng.choice((flat, old.T.copy(), old[None], old[..., None], flat[:0], point))
        made = rng.choice((made, made, made, np.zeros((0, 5), old.dtype)))
        return made, f"shape {made.shape}"
    if how == "size":
        flat = old.ravel()
        made = rng.choice(
            (flat[:-1], np.concatenate([flat, flat]), np.concatenate([flat, flat[:1]]))
        )
        return made, f"size {made.size}"
    return _values(rng, old, how == "all")


def _values(rng: Random, old: np.ndarray, everywhere: bool) -> tuple[np.ndarray, str]:
    number = rng.choice(NUMBERS)
    made = old.copy()
    if made.dtype.kind == "f":
        with np.errstate(all="ignore"):
            new = np.float64(min(number, 1e308) if number == number else number).astype(made.dtype)
    elif made.dtype.kind in "iu":
        info = np.iinfo(made.dtype)
        finite = number if number == number and abs(number) < 1e300 else 0
        new = min(max(int(finite), int(info.min)), int(info.max))
    else:
        new = 1
    if everywhere or not made.size:
        made[...] = new
        return made, f"all {new}"
    for _ in range(rng.choice((1, 1, 3))):
        made.reshape(-1)[rng.randrange(made.size)] = new
    return made, f"somewhere {new}"
