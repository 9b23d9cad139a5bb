"""Every single fault of a network, from one simulation for each signal.

Where a signal is inverted, a sample's outputs change or not. All faults of the node that drives it
follow: stuck at 0 inverts the samples in which it is 1; a bit of its table that flips inverts those
that read this bit. So one pass over the network for each signal, bit-parallel over the samples,
gives the effect of all of them exactly.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.ir import LogicNet

UPSET, STUCK_0, STUCK_1, TABLE_BIT = "upset", "stuck at 0", "stuck at 1", "table bit"
CHUNK = 256
"""Signals between two steps of the progress bar."""


@dataclass(frozen=True)
class Kind:
    """All faults of one kind; arrays have one entry for each fault.

    Attributes
    ----------
    signals : int64 array
        The signal that the fault is at.
    bits : int64 array
        Index of the table bit; -1 for other kinds.
    any_output : int64 array
        Samples in which any output differs.
    answers : int64 array
        Samples whose answer differs.
    lost : int64 array
        Right answers lost, less wrong ones that became right; all 0 without labels.
    """

    signals: IntArray
    bits: IntArray
    any_output: IntArray
    answers: IntArray
    lost: IntArray

    @property
    def count(self) -> int:
        """Number of faults."""
        return len(self.signals)


@dataclass(frozen=True)
class Effects:
    """What faults do.

    Attributes
    ----------
    samples : int
    right : int or None
        Right answers without a fault; None without labels.
    kinds : mapping of str to Kind
        ``"upset"`` (the signal is inverted for one sample, as by an upset of the register that
        holds it), ``"stuck at 0"``, ``"stuck at 1"``, ``"table bit"`` (a configuration bit).
    """

    samples: int
    right: int | None
    kinds: Mapping[str, Kind]

    def criticality(self, signals: int) -> NDArray[np.float64]:
        """Return the harm that table bits of each node do, summed: lost or changed answers.

        Parameters
        ----------
        signals : int
            Signals of the network.

        Returns
        -------
        float64 array, shape (signals,)
        """
        kind = self.kinds[TABLE_BIT]
        harm = kind.answers if self.right is None else np.maximum(kind.lost, 0)
        return np.bincount(kind.signals, weights=harm, minlength=signals).astype(np.float64)


def inject(
    net: LogicNet,
    codes: IntArray,
    *,
    chosen: int | None = None,
    labels: IntArray | None = None,
    jobs: int | None = None,
    progress: Progress = SILENT,
) -> Effects:
    """Return the effect of every single fault on samples.

    Parameters
    ----------
    net : LogicNet
    codes : int array, shape (samples, inputs)
    chosen : int, optional
        Place of the output that is the answer; all outputs are when None.
    labels : int array, shape (samples,), optional
        Right values of that output.
    jobs : int, optional
        Threads; all cores when None.
    progress : Progress
    """
    from nnlogic.faults.kernel import inverted

    samples = len(codes)
    values = net.trace_words(bits.pack_ports(codes, net.inputs))
    outputs = np.array(net.output_signals, np.int64)
    places = _places(net, chosen)
    wanted = _labels(net, values, outputs[places], chosen, labels)
    signals = np.arange(len(values))
    found = np.empty((3, len(signals), values.shape[1]), np.uint64)
    pieces = [slice(at, at + CHUNK) for at in range(0, len(signals), CHUNK)]

    def run(piece: slice) -> None:
        inverted(net.n_inputs, net.fanins, net.tables, outputs, places, wanted, values,
                 signals[piece], found[:, piece])  # fmt: skip

    with (
        progress.step("inject faults", len(pieces)) as step,
        ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool,
    ):
        for _ in pool.map(run, pieces):
            step.advance()
    before = values[outputs[places]] ^ wanted
    right = ~np.bitwise_or.reduce(before, axis=0) if len(before) else np.zeros(0, np.uint64)
    return _effects(net, values, found, right, samples, labels is not None)


def _places(net: LogicNet, chosen: int | None) -> IntArray:
    if chosen is None:
        return np.arange(len(net.output_signals))
    at = bits.total_bits(net.outputs[:chosen])
    return np.arange(at, at + net.outputs[chosen].format.bits)


def _labels(
    net: LogicNet,
    values: bits.Words,
    signals: IntArray,
    chosen: int | None,
    labels: IntArray | None,
) -> bits.Words:
    """Return the bits of right answers; without labels what the network answers is right."""
    if labels is None or chosen is None:
        return values[signals]
    fmt = net.outputs[chosen].format
    raw = fmt.to_raw(labels)[:, None]
    return bits.pack(bits.raw_to_bits(raw, [fmt.bits]))


def _effects(
    net: LogicNet,
    values: bits.Words,
    found: NDArray[np.uint64],
    right: bits.Words,
    samples: int,
    labelled: bool,
) -> Effects:
    """Derive the counts of all kinds of faults, signal by signal."""
    base = bits.unpack(right[None], samples)[0]
    rows: dict[str, list[NDArray[np.int64]]] = {k: [] for k in (UPSET, STUCK_0, STUCK_1, TABLE_BIT)}
    for s in range(len(values)):
        changed, other, now = bits.unpack(np.ascontiguousarray(found[:, s]), samples)
        value = bits.unpack(values[s][None], samples)[0]
        change = (base & ~now).astype(np.int64) - (~base & now)
        weights = np.stack([changed, other, np.where(other, change, 0)]).astype(np.int64)
        for kind, mask in ((UPSET, None), (STUCK_0, value), (STUCK_1, ~value)):
            counts = weights.sum(axis=1) if mask is None else weights[:, mask].sum(axis=1)
            rows[kind].append(np.array([[s, -1, *counts]]))
        if s >= net.n_inputs:
            rows[TABLE_BIT].append(_table_bits(net, s, values, weights, samples))
    kinds = {}
    for kind, parts in rows.items():
        table = np.concatenate(parts) if parts else np.zeros((0, 5), np.int64)
        kinds[kind] = Kind(*(np.ascontiguousarray(column) for column in table.T))
    return Effects(samples, int(base.sum()) if labelled else None, kinds)


def _table_bits(
    net: LogicNet, s: int, values: bits.Words, weights: IntArray, samples: int
) -> NDArray[np.int64]:
    fanin = net.fanins[s - net.n_inputs]
    fanin = fanin[fanin >= 0]
    reads: Bools = bits.unpack(values[fanin], samples)
    index = (reads.astype(np.int64) << np.arange(len(fanin))[:, None]).sum(axis=0)
    size = 1 << len(fanin)
    counts = [np.bincount(index, weights=w, minlength=size).astype(np.int64) for w in weights]
    return np.stack([np.full(size, s), np.arange(size), *counts], axis=1)
