"""Stream beats of a DSP engine: what goes in for samples, and what must come out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.core import bits
from nnlogic.core.formats import IntArray

LANE_MASK = (1 << LANES) - 1


def groups_of(program: Program, samples: int) -> int:
    """Groups of 48 * contexts vectors that hold a number of samples."""
    return -(-samples // program.vectors)


def input_beats(program: Program, codes: IntArray) -> list[int]:
    """Return the beats of ``s_axis``, bank 0 in the lowest bits.

    Sample s is lane ``s % 48`` of batch ``s // 48``; batches fill the contexts of a group in
    order. Lanes without a sample, and rows that hold no input, are zero.

    Parameters
    ----------
    program : Program
    codes : int array, shape (samples, inputs)
        Port values.

    Raises
    ------
    InputError
        `codes` do not fit the ports.
    """
    codes = bits.check_codes(codes, program.inputs)
    words = bits.pack_ports(codes, program.inputs)
    lanes = lane_words(words, len(codes), groups_of(program, len(codes)) * program.contexts)
    batches = lanes.shape[1]
    rows = np.zeros((batches, program.input_rows, program.input_banks), dtype=np.uint64)
    used = np.flatnonzero(program.input_bank >= 0)
    rows[:, program.input_row[used], program.input_bank[used] - program.slices] = lanes[used].T
    return _join(rows)


def output_beats(
    program: Program, codes: IntArray, emitters: Sequence[int] | None = None
) -> tuple[list[int], list[int]]:
    """Return the beats of ``m_axis`` for given outputs, and a mask of the bits that matter.

    Parameters
    ----------
    program : Program
    codes : int array, shape (samples, outputs)
        Port values.
    emitters : sequence of int, optional
        Slices that have a place in a beat; default those that emit in `program`.
    """
    codes = bits.check_codes(codes, program.outputs)
    words = bits.pack_ports(codes, program.outputs)
    batches = groups_of(program, len(codes)) * program.contexts
    lanes = lane_words(words, len(codes), batches)
    there = lane_words(np.full_like(words[:1], ~np.uint64(0)), len(codes), batches)
    if emitters is None:
        emitters = np.flatnonzero(program.emit.any(axis=0)).tolist()
    place = np.searchsorted(emitters, program.output_slice)
    rows = np.zeros((batches, program.output_rows, len(emitters)), dtype=np.uint64)
    mask = np.zeros_like(rows)
    rows[:, program.output_index, place] = lanes.T
    mask[:, program.output_index, place] = there.T
    return _join(rows), _join(mask)


def output_codes(
    program: Program, beats: Sequence[int], samples: int, emitters: Sequence[int]
) -> IntArray:
    """Return the port values in beats of ``m_axis``: the inverse of `output_beats`."""
    rows = np.array(
        [[beat >> LANES * i & LANE_MASK for i in range(len(emitters))] for beat in beats],
        dtype=np.uint64,
    ).reshape(-1, program.output_rows, len(emitters))
    place = np.searchsorted(emitters, program.output_slice)
    words = np.ascontiguousarray(rows[:, program.output_index, place].T).astype("<u8")
    lanes = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    lanes = lanes.reshape(len(words), -1, 64)[:, :, :LANES].reshape(len(words), -1)
    return bits.unpack_ports(bits.pack(lanes[:, :samples].astype(bool)), program.outputs, samples)


def lane_words(words: bits.Words, samples: int, batches: int) -> NDArray[np.uint64]:
    """Regroup sample-packed words, shape (bits, words), as 48-lane words (bits, batches)."""
    flat = np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, bitorder="little")
    padded = np.zeros((len(words), batches, 64), dtype=np.uint8)
    lanes = np.zeros((len(words), batches * LANES), dtype=np.uint8)
    lanes[:, :samples] = flat[:, :samples]
    padded[:, :, :LANES] = lanes.reshape(len(words), batches, LANES)
    return np.packbits(padded, axis=2, bitorder="little").view("<u8")[:, :, 0].astype(np.uint64)


def _join(rows: NDArray[np.uint64]) -> list[int]:
    """One integer per (batch, row): its words side by side, the first lowest."""
    flat = rows.reshape(-1, rows.shape[2]).tolist()
    return [sum(word << (LANES * i) for i, word in enumerate(row)) for row in flat]
