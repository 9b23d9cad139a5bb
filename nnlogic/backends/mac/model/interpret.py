"""Cycle-exact evaluation of a MacNet: every register is a shift in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnlogic.backends.mac.model.slices import (
    B_BITS,
    CASCADE,
    FABRIC_HOP,
    KINDS,
    P_BITS,
    AddSlice,
)
from nnlogic.core import bits
from nnlogic.core.errors import InputError
from nnlogic.core.formats import IntArray

if TYPE_CHECKING:
    from nnlogic.backends.mac.model.ir import MacNet

JUNK_SEED = 48


def run_mac(mac: MacNet, codes: IntArray) -> IntArray:
    """Stream rows through a MacNet at one row per clock.

    What stands before and after the rows is noise, so that a value taken in the wrong clock
    shows.

    Parameters
    ----------
    mac : MacNet
    codes : int array, shape (samples, inputs)

    Returns
    -------
    int64 array, shape (samples, outputs)

    Raises
    ------
    InputError
        Codes do not fit the ports, or an operand does not fit the multiplier.
    """
    codes = bits.check_codes(codes, mac.inputs)
    noise = bits.random_codes(mac.inputs, 2 * (mac.latency + 1), seed=JUNK_SEED)
    lead = mac.latency + 1
    rows = np.concatenate([noise[:lead], codes, noise[lead:]])
    at = slice(lead + mac.latency, lead + mac.latency + len(codes))
    totals = [_chain(mac, index, rows) for index in range(len(mac.chains))]
    columns = [(totals[i][at] >> field.shift) & ((1 << field.bits) - 1) for i, field in mac.fields]
    return np.stack(columns, axis=1)


def _chain(mac: MacNet, index: int, rows: IntArray) -> IntArray:
    """Values of the last P over time, modulo 2**48."""
    chain, a_bits = mac.chains[index], KINDS[mac.slice_kind].a_bits
    p = np.zeros(len(rows), np.int64)
    for k, s in enumerate(chain.slices):
        if isinstance(s, AddSlice):
            term = _after(_word(mac, s.ab, rows) + _word(mac, s.c, rows), s.delay + s.reg)
            term = -term if s.negative else term
        else:
            b = _after(rows[:, s.wire], s.delay + s.breg)
            _fits(b, B_BITS, f"chain {index}, slice {k}, port B")
            _fits(np.array([s.weight]), a_bits, f"chain {index}, slice {k}, port A")
            term = _after(s.weight * b, 1)
        if s.addend == FABRIC_HOP:
            addend = _after(p, 1)
        elif s.addend == CASCADE:
            addend = p
        else:
            addend = np.full(len(rows), chain.constant, np.int64)
        p = _after((term + addend) & ((1 << P_BITS) - 1), 1)
    return p


def _word(mac: MacNet, bits_of: tuple[int, ...], rows: IntArray) -> IntArray:
    """Values of a word wired from input bits."""
    out = np.zeros(len(rows), np.int64)
    for place, number in enumerate(bits_of):
        if number >= 0:
            wire, b = mac.input_bits[number]
            out += (mac.inputs[wire].format.to_raw(rows[:, wire]) >> b & 1) << place
    return out


def _after(values: IntArray, clocks: int) -> IntArray:
    """Return values `clocks` later; the first ones are zero, as after configuration."""
    out = np.zeros_like(values)
    out[clocks:] = values[: len(values) - clocks]
    return out


def _fits(values: IntArray, width: int, where: str) -> None:
    low, high = int(values.min()), int(values.max())
    if low < -(1 << width - 1) or high >= 1 << width - 1:
        raise InputError(
            "an operand does not fit the multiplier",
            where=where,
            why=f"{low}..{high} in {width} signed bits",
        )
