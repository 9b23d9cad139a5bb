"""What the inputs of a module are: codes of a stated format, or raw features."""

from __future__ import annotations

import re

import torch

from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntFormat

FORMAT = re.compile(r"(u|i|q|uq)(\d{1,2})(?:\.(\d{1,2}))?", re.ASCII)
MOST = 16


def input_format(text: str) -> tuple[IntFormat, int]:
    """Return the integer format of a code, and how many of its bits stand after the point.

    Parameters
    ----------
    text : str
        ``u1``, ``i4``; ``q3.3``, signed, three bits before the point, the sign among them, and
        three after; ``uq1.3``.

    Raises
    ------
    UsageError
        Anything else.
    """
    found = FORMAT.fullmatch(text.strip())
    fixed = found is not None and "q" in found[1]
    if found is None or fixed != (found[3] is not None):
        raise UsageError(
            f"no input format {text[:40]!r}",
            fix="u1, i4, q3.3 (signed, 3 bits before the point and 3 after) or uq1.3",
        )
    after = int(found[3] or 0)
    bits = int(found[2]) + after
    if not 1 <= bits <= MOST:
        raise UsageError(f"input format {text} of {bits} bits", why=f"1 to {MOST} are possible")
    return IntFormat(bits, "u" not in found[1]), after


def code_values(fmt: IntFormat, after: int, dtype: torch.dtype) -> torch.Tensor:
    """Return what the codes of a format stand for, from the least on."""
    codes = torch.arange(fmt.lo, fmt.hi + 1, dtype=torch.float64)
    return (codes / 2.0**after).to(dtype)
