"""A stream against the network: the cut by structure, whole frames by value."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from nnlogic.backends.stream.checks.sums import other_sums
from nnlogic.backends.stream.model.cut import Cut
from nnlogic.backends.stream.model.cycles import run_frames
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.checks.verdict import Verdict
from nnlogic.core.bits import total_bits
from nnlogic.core.formats import IntArray
from nnlogic.core.windows import PADDING
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import INPUT, QuantNet

FRAMES = 64
"""Frames sent through the cycle model."""
CUT_FRAMES = 16


def check_cut(net: QuantNet, parts: Cut, codes: IntArray) -> Verdict:
    """Compare the parts, applied window by window, with the network.

    Every layer of the network is in exactly one part, unchanged but for global sums row by row;
    then the maps and outputs of some frames are compared with what the parts give on windows
    gathered here.

    Parameters
    ----------
    net : QuantNet
    parts : Cut
    codes : int array, shape (frames, inputs)
    """
    started = time.monotonic()
    codes = codes[:CUT_FRAMES]
    where = other_sums(net, parts.net) or _missing(parts.net, parts)
    trace = parts.net.trace(codes)
    source = INPUT
    for number, layer in enumerate(parts.layers if not where else ()):
        kernels = [p.net for p in parts.parts if p.layer == number]
        padded = np.concatenate(
            [trace[source], np.full((len(codes), 1), layer.window.padding_code)], axis=1
        )
        taps = layer.window.taps_at(layer.frame)
        size = layer.frame.channels // layer.groups
        out = []
        for group in range(layer.groups):
            channels = np.arange(group * size, (group + 1) * size)
            wires = taps[:, :, None] * layer.frame.channels + channels
            wires = np.where(taps[:, :, None] == PADDING, -1, wires).reshape(len(taps), -1)
            read = padded[:, wires]
            got = kernels[group % len(kernels)].evaluate(read.reshape(-1, wires.shape[1]))
            out.append(got.reshape(len(codes), len(taps), -1))
        found = np.concatenate(out, axis=2).reshape(len(codes), -1)
        if not np.array_equal(found, trace[layer.name]):
            where = layer.name
            break
        source = layer.name
    dense = [p.net for p in parts.parts if p.layer is None]
    if dense and not where:
        wrong = (dense[0].evaluate(trace[source]) != net.evaluate(codes)).any()
        where = "dense layers" if wrong else ""
    detail = f"{len(parts.layers)} windowed layers, {len(parts.parts)} parts"
    how = f"sampled n={len(codes)}"
    return Verdict("QuantNet", "parts", not where, how, detail, where).timed(started)


def _missing(net: QuantNet, parts: Cut) -> str:
    """Return the first layer that no part has, or that is another one there."""
    for number, layer in enumerate(parts.layers):
        own = [p.net.layers for p in parts.parts if p.layer == number]
        if own != [kernel.layers for kernel in layer.kernels]:
            return layer.name
    dense = [layer.name for p in parts.parts if p.layer is None for layer in p.net.layers]
    if [layer.name for layer in (*parts.layers,)] + dense != [layer.name for layer in net.layers]:
        return "layers"
    return ""


def check_frames(
    net: QuantNet, design: StreamDesign, cores: Mapping[str, LogicNet], codes: IntArray
) -> Verdict:
    """Send frames through the cycle model, back to back, and compare the results.

    Parameters
    ----------
    net : QuantNet
    design : StreamDesign
    cores : mapping of str to LogicNet
    codes : int array, shape (frames, inputs)
    """
    started = time.monotonic()
    strange = strange_core(design, cores)
    if strange:
        why = "its ports are not those of its place in the stream"
        return Verdict("QuantNet", design.kind, False, "exhaustive", why, strange).timed(started)
    codes = codes[:FRAMES]
    wrong = (run_frames(design, cores, codes) != net.evaluate(codes)).any(axis=1)
    how, detail = f"sampled n={len(codes)}", f"{int(wrong.sum())} frames differ"
    where = f"frame {int(wrong.argmax())}" if wrong.any() else ""
    detail = detail if wrong.any() else "frames back to back, shift by shift"
    return Verdict("QuantNet", design.kind, not where, how, detail, where).timed(started)


def strange_core(design: StreamDesign, cores: Mapping[str, LogicNet]) -> str:
    """Return the first module whose core has other ports than the design places it with."""
    wanted = {
        kernel.module: (len(layer.group_bits(0)), sum(kernel.outputs))
        for layer in design.layers
        for kernel in layer.kernels
    }
    if design.dense is not None:
        frame = design.map_width * design.layers[-1].scan.output_beats
        wanted[design.dense.module] = (frame, total_bits(design.outputs))
    for module, widths in wanted.items():
        core = cores.get(module)
        if core is None or (core.n_inputs, total_bits(core.outputs)) != widths:
            return module
    return ""
