"""What all cocotb benches share."""

from __future__ import annotations

from typing import Any

HALF_PERIOD_NS = 5


def number(handle: Any, what: str) -> int:
    """Return the value of a signal; X and Z are failures."""
    value = handle.value
    assert value.is_resolvable, f"{what} is {value}"
    return int(value)
