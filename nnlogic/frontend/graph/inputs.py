"""What the inputs of a module are: codes of a stated format, or raw features."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray, IntFormat

FORMAT = re.compile(r"(u|i|q|uq)(\d{1,2})(?:\.(\d{1,2}))?", re.ASCII)
BIPOLAR = "bipolar"
"""Of inputs that are -1 or 1, codes 0 and 1."""
MOST = 16


@dataclass(frozen=True)
class InputFormat:
    """Codes, and the numbers they stand for: ``code * step + offset``.

    Attributes
    ----------
    format : IntFormat
    step, offset : float
    """

    format: IntFormat
    step: float
    offset: float = 0.0

    def numbers(self, codes: IntArray) -> NDArray[np.float64]:
        """Return what codes stand for, exactly."""
        return np.asarray(codes, np.float64) * self.step + self.offset

    def codes(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the codes of numbers, which are no integers where there is none."""
        return (numbers - self.offset) / self.step

    @property
    def every(self) -> NDArray[np.float64]:
        """What the codes stand for, from the least on."""
        return self.numbers(np.arange(self.format.lo, self.format.hi + 1))


def input_format(text: str) -> InputFormat:
    """Return the format of a code.

    Parameters
    ----------
    text : str
        ``u1``, ``i4``; ``q3.3``, signed, three bits before the point, the sign among them, and
        three after; ``uq1.3``; ``bipolar``, one bit that stands for -1 or 1.

    Raises
    ------
    UsageError
        Anything else.
    """
    if text.strip() == BIPOLAR:
        return InputFormat(IntFormat(1), 2.0, -1.0)
    found = FORMAT.fullmatch(text.strip())
    fixed = found is not None and "q" in found[1]
    if found is None or fixed != (found[3] is not None):
        raise UsageError(
            f"no input format {text[:40]!r}",
            fix="u1, i4, q3.3 (signed, 3 bits before the point and 3 after), uq1.3 or bipolar",
        )
    after = int(found[3] or 0)
    bits = int(found[2]) + after
    if not 1 <= bits <= MOST:
        raise UsageError(f"input format {text} of {bits} bits", why=f"1 to {MOST} are possible")
    return InputFormat(IntFormat(bits, "u" not in found[1]), 2.0**-after)
