"""Exact evaluation of a TableNet by table look-up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.tables.blocks import ArgmaxBlock, Block, Instance, Sum, Threshold, Word

if TYPE_CHECKING:
    from nnlogic.tables.ir import TableNet


def trace_bits(net: TableNet, inputs: Bools) -> Bools:
    """Evaluate every signal.

    Parameters
    ----------
    net : TableNet
    inputs : bool array, shape (n_inputs, samples)

    Returns
    -------
    bool array, shape (n_signals, samples)
    """
    values = np.zeros((net.n_signals, inputs.shape[1]), dtype=bool)
    values[: net.n_inputs] = inputs
    run_blocks(net.blocks, [f.table() for f in net.functions], values)
    return values


def run_blocks(blocks: Iterable[Block], tables: Sequence[Bools], values: Bools) -> None:
    """Evaluate blocks in order, writing their outputs into `values`.

    Parameters
    ----------
    blocks : iterable of Block
    tables : sequence of bool array, shape (outputs, 2**n_inputs)
        The functions that instances refer to, unpacked.
    values : bool array, shape (signals, samples)
        Changed in place.
    """
    for block in blocks:
        if isinstance(block, Instance):
            index = gather_index(values, block.inputs)
            values[list(block.outputs)] = tables[block.function][:, index]
        else:
            raw = block.result.format.to_raw(block_values(block, values))
            for b, signal in enumerate(block.result.signals):
                values[signal] = (raw >> b) & 1


def output_values(net: TableNet, values: Bools) -> IntArray:
    """Return the port values that signals carry; bool (signals, samples) in, int64 out.

    Returns
    -------
    int64 array, shape (samples, outputs)
    """
    raw = bits.bits_to_raw(values[list(net.output_signals)], [p.format.bits for p in net.outputs])
    columns = [p.format.from_raw(raw[:, i]) for i, p in enumerate(net.outputs)]
    return np.stack(columns, axis=1)


def gather_index(values: Bools, signals: tuple[int, ...]) -> IntArray:
    """Return table indices from signal rows, first signal in bit 0; shape (samples,)."""
    index = np.zeros(values.shape[1], dtype=np.int64)
    for b, signal in enumerate(signals):
        index |= values[signal].astype(np.int64) << b
    return index


def word_values(word: Word, values: Bools) -> IntArray:
    """Return the integer a word carries; shape (samples,)."""
    return word.format.from_raw(gather_index(values, word.signals))


def block_values(block: Sum | Threshold | ArgmaxBlock, values: Bools) -> IntArray:
    """Return the result of an arithmetic block; shape (samples,)."""
    words = [word_values(word, values) for word in block.words]
    if isinstance(block, ArgmaxBlock):
        return np.argmax(np.stack(words), axis=0).astype(np.int64)
    total = np.full(values.shape[1], block.bias, dtype=np.int64)
    for weight, word in zip(block.weights, words, strict=True):
        total += weight * word
    if isinstance(block, Sum):
        return total
    thresholds = np.array(block.thresholds, dtype=np.int64)
    return np.searchsorted(thresholds, total, side="right").astype(np.int64)
