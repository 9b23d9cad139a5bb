"""Bits, codes and truth tables as arrays. Bit order is LSB first everywhere.

Two packings are used. *Sample-packed*: one row of uint64 words per signal, bit ``j`` of word
``w`` is sample ``64 * w + j``. *Table-packed*: one truth table, bit ``i`` is the output for
input index ``i``; bit ``b`` of the index is input ``b``. Both are the same layout, so evaluating
a network on `index_words` yields its truth tables.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, Problem
from nnlogic.core.formats import IntArray, IntFormat, Port

Words = NDArray[np.uint64]
Bools = NDArray[np.bool_]
MOST_VALUES = 1 << 22
"""Random values that are drawn at once."""


def words_for(count: int) -> int:
    """Return the number of 64-bit words that hold `count` bits, at least one."""
    return max(1, -(-count // 64))


def pack(bits: Bools) -> Words:
    """Pack the last axis of a bool array into uint64 words, zero padded.

    Parameters
    ----------
    bits : bool array, shape (..., n)

    Returns
    -------
    uint64 array, shape (..., ceil(n / 64))
    """
    bits = np.asarray(bits, dtype=bool)
    n = bits.shape[-1]
    packed = np.packbits(bits, axis=-1, bitorder="little")
    out = np.zeros((*bits.shape[:-1], words_for(n) * 8), dtype=np.uint8)
    out[..., : packed.shape[-1]] = packed
    return out.view("<u8").astype(np.uint64, copy=False)


def unpack(words: Words, n: int) -> Bools:
    """Inverse of `pack`: the first `n` bits of the last axis, as bool."""
    raw = np.ascontiguousarray(words, dtype="<u8").view(np.uint8)
    return np.unpackbits(raw, axis=-1, count=n, bitorder="little").astype(bool)


def index_words(n: int) -> Words:
    """Sample-packed input words that enumerate all ``2**n`` input combinations.

    Returns
    -------
    uint64 array, shape (n, words_for(2**n))
        Row ``b`` is bit ``b`` of the index; the tail of a short word is zero.
    """
    index = np.arange(1 << n, dtype=np.uint32)
    return (
        pack(np.stack([(index >> b) & 1 for b in range(n)]).astype(bool))
        if n
        else (np.zeros((0, 1), np.uint64))
    )


def raw_to_bits(raw: IntArray, widths: Sequence[int]) -> Bools:
    """Split unsigned codes into bits.

    Parameters
    ----------
    raw : int array, shape (samples, wires)
    widths : sequence of int
        Bits of each wire.

    Returns
    -------
    bool array, shape (sum(widths), samples)
        Bits of wire 0 first, LSB first.
    """
    rows = [(raw[:, i] >> b) & 1 for i, width in enumerate(widths) for b in range(width)]
    return np.array(rows, dtype=bool).reshape(sum(widths), len(raw))


def bits_to_raw(bits: Bools, widths: Sequence[int]) -> IntArray:
    """Inverse of `raw_to_bits`."""
    out = np.zeros((bits.shape[1], len(widths)), dtype=np.int64)
    at = 0
    for i, width in enumerate(widths):
        for b in range(width):
            out[:, i] |= bits[at + b].astype(np.int64) << b
        at += width
    return out


def pack_ports(codes: IntArray, ports: Sequence[Port]) -> Words:
    """Sample-packed words of the bits of port values; raises InputError on values out of range.

    Parameters
    ----------
    codes : int array, shape (samples, len(ports))
    ports : sequence of Port

    Returns
    -------
    uint64 array, shape (total bits, words_for(samples))
    """
    codes = check_codes(codes, ports)
    raw = np.stack([p.format.to_raw(codes[:, i]) for i, p in enumerate(ports)], axis=1)
    return pack(raw_to_bits(raw, [p.format.bits for p in ports]))


def unpack_ports(words: Words, ports: Sequence[Port], samples: int) -> IntArray:
    """Inverse of `pack_ports`: values of shape (samples, len(ports))."""
    raw = bits_to_raw(unpack(words, samples), [p.format.bits for p in ports])
    return np.stack([p.format.from_raw(raw[:, i]) for i, p in enumerate(ports)], axis=1)


def check_codes(codes: IntArray, ports: Sequence[Port]) -> IntArray:
    """Return `codes` as int64 of shape (samples, len(ports)), or raise InputError naming why."""
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.shape[1] != len(ports):
        raise InputError(
            "input rows have the wrong shape",
            why=f"got shape {codes.shape}, need (rows, {len(ports)})",
            fix="one column per input port, in the order `nnlogic inspect` prints",
        )
    if codes.dtype.kind not in "iub":
        raise InputError(
            "input codes must be integers",
            why=f"got {codes.dtype}",
            fix="quantize raw features with QuantNet.encode first",
        )
    if codes.dtype == np.uint64:
        codes = np.minimum(codes, np.uint64(1 << 62))  # no port is that wide; the sign stays
    codes = codes.astype(np.int64, copy=False)
    problems = []
    for i, port in enumerate(ports):
        column, fmt = codes[:, i], port.format
        bad = np.flatnonzero((column < fmt.lo) | (column > fmt.hi))
        if bad.size:
            row = int(bad[0])
            problems.append(
                Problem(
                    port.name,
                    f"row {row} is {column[row]}, outside {fmt.lo}..{fmt.hi} "
                    f"({bad.size} rows in all)",
                )
            )
    if problems:
        raise InputError("input codes out of range", problems=problems)
    return codes


def random_codes(ports: Sequence[Port], samples: int, seed: int = 0) -> IntArray:
    """Uniform random port values, shape (samples, len(ports)); the same for the same seed."""
    rng = np.random.default_rng(seed)
    codes = np.empty((samples, len(ports)), np.int64)
    for i, port in enumerate(ports):
        codes[:, i] = rng.integers(port.format.lo, port.format.hi + 1, samples)
    return codes


def sample_count(ports: int, samples: int) -> int:
    """Return how many samples to draw: fewer, but 64 at least, where ports are very many."""
    return min(samples, max(64, MOST_VALUES // max(1, ports) & -64))


def total_bits(formats: Sequence[IntFormat] | Sequence[Port]) -> int:
    """Sum of the widths of formats or ports."""
    return sum(f.format.bits if isinstance(f, Port) else f.bits for f in formats)
