"""Cycle model of a HardwareDesign: every register is modelled, none is assumed.

`run_cycles` keeps one waveform per signal and per register, packed 64 clock cycles to a word; a
register is its source one cycle later. `CycleModel` steps clock edge by clock edge, with bubbles
and resets. Neither shares code with LogicNet.evaluate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nnlogic.core import bits
from nnlogic.core.bits import Bools, Words
from nnlogic.core.formats import IntArray

if TYPE_CHECKING:
    from nnlogic.design.ir import HardwareDesign

ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True)
class _Batch:
    """Nodes of equal depth and fan-in: their signals, the taps they read, their tables."""

    signals: IntArray
    reads: IntArray
    tables: Words


@dataclass(frozen=True)
class _Plan:
    """Taps are numbered signal by signal: the signal itself, then its registers in order.

    Attributes
    ----------
    first : int64 array, shape (signals + 1,)
        Tap of each signal; the last entry is the number of taps.
    ranks : int64 array, shape (signals,)
        Registers of each signal.
    batches : tuple of _Batch
        In an order that respects dependence.
    outputs : int64 array
        Taps of the output bits.
    """

    first: IntArray
    ranks: IntArray
    batches: tuple[_Batch, ...]
    outputs: IntArray


def _plan(design: HardwareDesign) -> _Plan:
    logic, n_in = design.logic, design.logic.n_inputs
    segment = design.signal_segments.astype(np.int64)
    ranks = design.signal_registers.astype(np.int64)
    first = np.concatenate([[0], np.cumsum(ranks + 1)])

    def taps(signals: IntArray, reader: IntArray | int) -> IntArray:
        # A reader in an earlier segment than its source gets no register, as in the hardware.
        return first[signals] + np.clip(reader - segment[signals], 0, ranks[signals])

    level, count = logic.levels[n_in:], logic.fan_in_counts
    batches = []
    for depth, fan_in in sorted({*zip(level.tolist(), count.tolist(), strict=True)}):
        nodes = np.flatnonzero((level == depth) & (count == fan_in))
        reads = logic.fanins[nodes, :fan_in].T.astype(np.int64)
        signals = n_in + nodes
        batches.append(_Batch(signals, taps(reads, segment[signals]), logic.tables[nodes]))
    outputs = taps(np.array(logic.output_signals, dtype=np.int64), design.n_segments)
    return _Plan(first, ranks, tuple(batches), outputs)


def run_cycles(design: HardwareDesign, codes: IntArray) -> IntArray:
    """Stream rows through the pipeline, one per clock cycle, and collect the results.

    Parameters
    ----------
    design : HardwareDesign
    codes : int array, shape (samples, inputs)

    Returns
    -------
    int64 array, shape (samples, outputs)
        What the output ports carry ``design.latency`` cycles after each row.

    Raises
    ------
    InputError
        Wrong shape or values out of range.
    """
    plan = _plan(design)
    cycles = len(codes) + design.latency
    packed = bits.pack_ports(codes, design.inputs)
    waves = np.zeros((int(plan.first[-1]), bits.words_for(cycles)), dtype=np.uint64)
    inputs = np.arange(design.logic.n_inputs)
    waves[plan.first[inputs], : packed.shape[1]] = packed
    if design.input_register:
        waves[plan.first[inputs]] = _one_later(waves[plan.first[inputs]])
    _fill_registers(plan, waves, inputs)
    for batch in plan.batches:
        waves[plan.first[batch.signals]] = _look_up(batch.tables, waves[batch.reads])
        _fill_registers(plan, waves, batch.signals)
    result = bits.unpack(waves[plan.outputs], cycles)[:, design.latency :]
    return _port_values(design, result)


def _fill_registers(plan: _Plan, waves: Words, signals: IntArray) -> None:
    for rank in range(1, int(plan.ranks[signals].max(initial=0)) + 1):
        taps = plan.first[signals[plan.ranks[signals] >= rank]] + rank
        waves[taps] = _one_later(waves[taps - 1])


def _one_later(waves: Words) -> Words:
    """Delay waveforms, shape (..., words), by one cycle."""
    out = waves << np.uint64(1)
    out[..., 1:] |= waves[..., :-1] >> np.uint64(63)
    return out


def _look_up(tables: Words, inputs: Words) -> Words:
    """Evaluate LUTs bit-parallel.

    Parameters
    ----------
    tables : uint64 array, shape (nodes,)
    inputs : uint64 array, shape (fan-in, nodes, words)

    Returns
    -------
    uint64 array, shape (nodes, words)
    """
    fan_in, _, words = inputs.shape
    entries = [
        (ALL * ((tables >> np.uint64(i)) & np.uint64(1)))[:, None] for i in range(1 << fan_in)
    ]
    for x in inputs:
        # Multiplexer by input x: low ^ (x & (low ^ high)).
        entries = [
            low ^ (x & (low ^ high)) for low, high in zip(entries[::2], entries[1::2], strict=True)
        ]
    return np.broadcast_to(entries[0], (len(tables), words))


def _port_values(design: HardwareDesign, values: Bools) -> IntArray:
    raw = bits.bits_to_raw(values, [p.format.bits for p in design.outputs])
    columns = [p.format.from_raw(raw[:, i]) for i, p in enumerate(design.outputs)]
    return np.stack(columns, axis=1)


class CycleModel:
    """The core, clock edge by clock edge.

    Parameters
    ----------
    design : HardwareDesign
    """

    def __init__(self, design: HardwareDesign) -> None:
        self.design = design
        self._plan = _plan(design)
        n_taps = int(self._plan.first[-1])
        is_register = np.ones(n_taps, dtype=bool)
        is_register[self._plan.first[:-1]] = False
        self._registers = np.flatnonzero(is_register)
        self._values = np.zeros(n_taps, dtype=bool)
        self._inputs = np.zeros(design.logic.n_inputs, dtype=bool)
        self._valid = [False] * design.latency

    def step(
        self, valid: bool, codes: IntArray | None = None, *, reset: bool = False
    ) -> tuple[bool, IntArray]:
        """Apply one rising clock edge.

        Parameters
        ----------
        valid : bool
            ``in_valid`` at this edge.
        codes : int array, shape (inputs,), optional
            Values of the input ports at this edge; zero when absent.
        reset : bool
            ``rst`` at this edge: clears the valid chain, not the data.

        Returns
        -------
        out_valid : bool
        outputs : int64 array, shape (outputs,)
            Output ports as sampled at this same edge; meaningless unless `out_valid`.
        """
        plan, values = self._plan, self._values
        incoming = self._bits(codes)
        n_in = len(incoming)
        values[plan.first[:n_in]] = self._inputs if self.design.input_register else incoming
        for batch in plan.batches:
            index = np.zeros(len(batch.signals), dtype=np.uint64)
            for b, taps in enumerate(batch.reads):
                index |= values[taps].astype(np.uint64) << np.uint64(b)
            values[plan.first[batch.signals]] = (batch.tables >> index) & np.uint64(1) != 0
        out = self._valid[-1], _port_values(self.design, values[plan.outputs][:, None])[0]
        values[self._registers] = values[self._registers - 1]
        self._inputs = incoming
        chain = [bool(valid), *self._valid[:-1]]
        self._valid = [False] * len(chain) if reset else chain
        return out

    def _bits(self, codes: IntArray | None) -> Bools:
        ports = self.design.inputs
        row = np.zeros(len(ports), np.int64) if codes is None else np.asarray(codes)
        return bits.unpack(bits.pack_ports(row[None, :], ports), 1)[:, 0]
