"""Bit-parallel evaluation of a LogicNet, 64 samples per word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnlogic.core.bits import Words
from nnlogic.core.errors import InputError

if TYPE_CHECKING:
    from nnlogic.logic.ir import LogicNet

CACHE_BYTES = 1 << 20
"""Size of a block of all live signals, to stay in a core's own cache."""
MIN_BLOCK, MAX_BLOCK = 64, 256
"""Words per block; short blocks spend their time outside the vector loop."""


def evaluate_words(net: LogicNet, words: Words) -> Words:
    """Evaluate sample-packed words block by block.

    Parameters
    ----------
    net : LogicNet
    words : uint64 array, shape (n_inputs, words)
        Bit ``j`` of word ``w`` is sample ``64 * w + j``.

    Returns
    -------
    uint64 array, shape (len(output_signals), words)

    Raises
    ------
    InputError
        Wrong number of input rows.
    """
    from nnlogic.logic.kernel import assign_slots, run_nodes

    words = _checked(net, words)
    outputs = np.array(net.output_signals, dtype=np.int64)
    slots, n_slots = assign_slots(net.n_inputs, net.fanins, outputs)
    total = words.shape[1]
    fit = CACHE_BYTES // (8 * max(1, n_slots)) // MIN_BLOCK * MIN_BLOCK
    block = max(1, min(total, max(MIN_BLOCK, min(MAX_BLOCK, fit))))
    out = np.empty((len(outputs), total), dtype=np.uint64)
    values = np.empty((n_slots, block), dtype=np.uint64)
    rows = slots[outputs]
    for at in range(0, total, block):
        width = min(block, total - at)
        if width < block:
            values = np.empty((n_slots, width), dtype=np.uint64)
        values[: net.n_inputs] = words[:, at : at + width]
        run_nodes(net.n_inputs, net.fanins, net.tables, slots, values)
        out[:, at : at + width] = values[rows]
    return out


def trace_words(net: LogicNet, words: Words) -> Words:
    """Like `evaluate_words`, but return every signal, uint64, shape (signals, words)."""
    from nnlogic.logic.kernel import run_nodes

    words = _checked(net, words)
    signals = net.n_inputs + net.n_nodes
    values = np.empty((signals, words.shape[1]), dtype=np.uint64)
    values[: net.n_inputs] = words
    run_nodes(net.n_inputs, net.fanins, net.tables, np.arange(signals), values)
    return values


def _checked(net: LogicNet, words: Words) -> Words:
    words = np.asarray(words, dtype=np.uint64)
    if words.ndim != 2 or words.shape[0] != net.n_inputs:
        raise InputError(
            "input words have the wrong shape",
            where=net.name,
            why=f"got shape {words.shape}, need ({net.n_inputs}, words)",
        )
    return words
