"""Quantizers of raw features as thresholds: found by bisection over all float32 numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from nnlogic.frontend.graph.values import Coded, Pending, Raw
from nnlogic.frontend.wiring import Refusal

if TYPE_CHECKING:
    from nnlogic.frontend.graph.circuit import Circuit

FEATURES = 1 << 12
"""Most features whose thresholds are looked for, since the module takes all of them each time."""
LEVELS = 1 << 10
"""Most levels of a feature."""
TOP = 0x7F7F_FFFF
"""The largest finite float32, as an integer."""


def number(keys: np.ndarray) -> np.ndarray:
    """Return the float32 numbers in order: key 0 is zero, keys count one by one."""
    bits = np.abs(keys).astype(np.uint32) | np.where(keys < 0, 0x8000_0000, 0).astype(np.uint32)
    return bits.view(np.float32)


def code_raw(circuit: Circuit, x: Pending) -> Coded:
    """Return a function of raw features by their codes; thresholds that are new are noted."""
    base = x.base
    if not isinstance(base, Raw):
        raise TypeError("no raw features")
    if not x.monotone:
        raise Refusal(
            "a function of raw features that is not known to be monotone",
            "quantize first: torch.round(x * 8).clamp(-32, 31) / 8, say",
        )
    ids = x.ids.reshape(-1).numpy()
    features = int(np.prod(base.shape))
    if features > FEATURES:
        raise Refusal(
            f"{features:,} raw features, limit {FEATURES:,}",
            "quantize them before the module, and say inputs='q3.3' (--read inputs=q3.3)",
        )
    for p, feature in enumerate(ids.tolist()):
        circuit.raw[feature] |= _steps(x, base, p)
    if circuit.again:
        return Coded(x.ids, _values(x, base, [np.zeros(0, np.float32)] * features))
    known = [np.array(sorted(s), np.float32) for s in circuit.raw]
    first = circuit.first
    if any(circuit.wires[first[f]].count != len(t) + 1 for f, t in enumerate(known)):
        circuit.again = True
    return Coded(torch.tensor(first)[x.ids], _values(x, base, known))


def _at(x: Pending, base: Raw, rows: np.ndarray) -> torch.Tensor:
    given = torch.from_numpy(rows.astype(np.float32)).to(base.dtype).reshape(-1, *base.shape)
    return x.function(given)


def _values(x: Pending, base: Raw, known: list[np.ndarray]) -> torch.Tensor:
    longest = 1 + max(map(len, known))
    rows = np.zeros((longest, len(known)), np.float32)
    for f, t in enumerate(known):
        if len(t):
            column = np.concatenate([[np.nextafter(t[0], np.float32(-np.inf))], t])
            rows[:, f] = np.append(column, np.full(longest - len(column), t[-1]))
    return _at(x, base, rows)


def _steps(x: Pending, base: Raw, element: int) -> set[float]:
    """Return the least float32 of every level but the first."""
    size = int(np.prod(base.shape))

    def at(keys: np.ndarray) -> np.ndarray:
        rows = np.repeat(number(keys)[:, None], size, axis=1)
        return _at(x, base, rows).reshape(len(keys), -1)[:, element].double().numpy()

    low, high = np.array([-TOP]), np.array([TOP])
    v_low, v_high = at(low), at(high)
    if np.isnan(v_low).any() or np.isnan(v_high).any():
        raise Refusal("gives NaN for large features", "clamp before")
    while True:
        open_ = v_low != v_high
        low, high, v_low, v_high = low[open_], high[open_], v_low[open_], v_high[open_]
        if len(low) >= LEVELS:
            raise Refusal(
                "raw float features reach it without a quantizer",
                "say what they are, inputs='q3.3' (--read inputs=q3.3), or quantize first in the "
                "module: x = torch.round(x * 8).clamp(-32, 31) / 8",
            )
        if not (high - low > 1).any():
            return {float(v) for v in number(high)}
        middle = (low + high) // 2
        v_middle = at(middle)
        done = high - low <= 1
        low, high = (
            np.concatenate([low, middle[~done]]),
            np.concatenate([np.where(done, high, middle), high[~done]]),
        )
        v_low, v_high = (
            np.concatenate([v_low, v_middle[~done]]),
            np.concatenate([np.where(done, v_high, v_middle), v_high[~done]]),
        )
