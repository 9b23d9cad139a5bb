"""What a continuous stream gives: by definition, and shift by shift."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nnlogic.backends.stream.model.continuous import ContinuousDesign, lengthened
from nnlogic.backends.stream.model.cycles import evaluate_reads, run_layer
from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet

CHUNK = 1 << 22
"""Codes of pieces evaluated at a time."""


def samples_of(design: ContinuousDesign, codes: IntArray) -> IntArray:
    """Return rows one after another, shape (samples, channels)."""
    return codes.reshape(-1, len(design.inputs))


def results_of(net: QuantNet, design: ContinuousDesign, samples: IntArray) -> IntArray:
    """Return what must come out: the network on every piece of its own length, alone.

    This is the definition. Nothing before a piece is known to the network, so a result depends on
    the last `Reach.samples` samples only.

    Parameters
    ----------
    net : QuantNet
    design : ContinuousDesign
    samples : int array, shape (samples, channels)

    Returns
    -------
    int array, shape (results, outputs)
    """
    frame, reach = design.layers[0].frame, design.reach
    # What no window of the network reads may lie behind the last sample.
    spare = np.zeros((frame.width - reach.samples, frame.channels), samples.dtype)
    padded = np.concatenate([samples, spare])
    if len(padded) < frame.width:
        return np.zeros((0, len(design.outputs)), np.int64)
    pieces = sliding_window_view(padded, frame.width, axis=0)[:: reach.hop].transpose(0, 2, 1)
    step = max(1, CHUNK // frame.wires)
    out = [
        net.evaluate(pieces[at : at + step].reshape(-1, frame.wires))[:, : len(design.outputs)]
        for at in range(0, len(pieces), step)
    ]
    return np.concatenate(out)


def sample_bits(design: ContinuousDesign, samples: IntArray) -> Bools:
    """Return the bits of samples, shape (samples, bits)."""
    return bits.unpack(bits.pack_ports(samples, design.inputs), len(samples)).T


def result_bits(design: ContinuousDesign, results: IntArray) -> Bools:
    """Return the bits of results, shape (results, bits)."""
    return bits.unpack(bits.pack_ports(results, design.outputs), len(results)).T


def run_samples(
    design: ContinuousDesign, cores: Mapping[str, LogicNet], samples: IntArray
) -> IntArray:
    """Shift samples through a design, and collect the results.

    Parameters
    ----------
    design : ContinuousDesign
    cores : mapping of str to LogicNet
        Kernels and dense layers, by module.
    samples : int array, shape (samples, channels)

    Returns
    -------
    int64 array, shape (results, outputs)
    """
    values = sample_bits(design, samples)
    for layer in design.layers:
        values = run_layer(lengthened(layer, len(values)), cores, values[None])[0]
    if design.dense is not None:
        slid = sliding_window_view(values, design.map.width, axis=0).transpose(0, 2, 1)
        flat = slid.reshape(len(slid), -1)
        values = evaluate_reads(cores[design.dense.module], flat, design.dense.reads)
    widths = [port.format.bits for port in design.outputs]
    raw = bits.bits_to_raw(values.T, widths)
    columns = [p.format.from_raw(raw[:, i]) for i, p in enumerate(design.outputs)]
    return np.stack(columns, axis=1)
