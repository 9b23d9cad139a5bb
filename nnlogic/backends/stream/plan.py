"""From a network's parts to the design: widths, line buffers, and what the target has room for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np

from nnlogic.backends.stream.model.continuous import refuse_framed, refuse_rate
from nnlogic.backends.stream.model.cut import Cut, cut, rates
from nnlogic.backends.stream.model.ir import DenseCore, KernelCore, MapLayer, StreamDesign
from nnlogic.backends.stream.model.memory import BLOCK, LUT_MEMORY, REGISTERS, blocks, choose
from nnlogic.backends.stream.model.memory import lut_memory_luts as memory_luts
from nnlogic.backends.stream.options import AUTO, StreamOptions
from nnlogic.backends.stream.segments import reads_of
from nnlogic.core.errors import Problem, TargetMissed
from nnlogic.core.names import identifier
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.targets import Target
from nnlogic.hw.stream.core import window_shape
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.kernel_network import Part, leading_windows

MOST_CLOCK = 1000.0
"""MHz: nobody is told to try more."""


def planned_cut(net: QuantNet, opts: StreamOptions, target: Target) -> Cut:
    """Return the parts of a network at the rate that was asked for, or that `opts` need.

    Raises
    ------
    UnsupportedModel, UsageError
        The network does not stream, or not at this rate.
    TargetMissed
        No rate that fits its maps is fast enough, or lines do not fit the target.
    """
    if opts.continuous:
        refuse_framed(net, leading_windows(net))
        refuse_rate(opts.samples_per_second, clock_of(opts, target))
        return cut(net, identifier(net.name), 1)
    lanes = opts.positions_per_clock or 1
    found = cut(net, identifier(net.name), lanes)
    asked = opts.samples_per_second
    if asked is not None:
        lanes = _lanes_for(net, asked, opts, target, found)
        found = cut(net, identifier(net.name), lanes)
    check_memory(design_of(found, {}, opts, target), target)
    return found


def clock_of(opts: StreamOptions, target: Target) -> float:
    """Return the clock that rates are held to: the one asked for, else the target's own."""
    return opts.clock or target.clock_mhz


def _lanes_for(net: QuantNet, asked: float, opts: StreamOptions, target: Target, found: Cut) -> int:
    clock = clock_of(opts, target)
    positions = found.layers[0].frame.positions
    given = [] if opts.positions_per_clock is None else [opts.positions_per_clock]
    fit = rates(net)
    for lanes in given or fit:
        if 1e6 * clock * lanes / positions >= asked:
            return lanes
    most = max(given or fit)
    reached = 1e6 * clock * most / positions
    enough = [n for n in fit if 1e6 * clock * n / positions >= asked]
    fixes = [f"--positions-per-clock {enough[0]}"] if enough else []
    needed = asked * positions / (1e6 * most)
    if needed <= MOST_CLOCK:
        fixes.append(f"--clock {needed:.4g}")
    raise TargetMissed(
        "the stream is too slow", where="--samples-per-second",
        why=f"{positions} positions at {most} per clock of {clock:g} MHz are {reached:,.0f} frames "
        f"per second, {asked - reached:,.0f} fewer than {asked:,.0f}",
        fix=" or ".join([*fixes, "--backend lut"]),
    )  # fmt: skip


def design_of(
    parts: Cut,
    cores: Mapping[str, HardwareDesign],
    opts: StreamOptions,
    target: Target,
) -> StreamDesign:
    """Return the design of a network in parts.

    Parameters
    ----------
    parts : Cut
    cores : mapping of str to HardwareDesign
        Compiled parts by module; of one that is missing, all that its network reads counts as
        read, and the latency as one clock.
    opts : StreamOptions
    target : Target
    """
    net = parts.net
    kernels: dict[int, list[KernelCore]] = {}
    dense = None
    for part in parts.parts:
        core = cores.get(part.net.name)
        latency = core.latency if core else 1
        if part.layer is None:
            reads = reads_of(core) if core else tuple(range(_bits(part)))
            dense = DenseCore(part.net.name, latency, reads)
        else:
            outputs = tuple(p.format.bits for p in part.net.outputs)
            reads = reads_of(core) if core else _reads(part)
            kernels.setdefault(part.layer, []).append(
                KernelCore(part.net.name, latency, reads, outputs)
            )
    layers = []
    for number, (layer, scan) in enumerate(zip(parts.layers, parts.scans, strict=True)):
        formats = net.x_formats(layer)[: layer.frame.channels]
        padding, at = 0, 0
        for fmt in formats:
            padding |= int(fmt.to_raw(np.array(layer.window.padding_code))) << at
            at += fmt.bits
        made = MapLayer(
            layer.name, layer.frame, layer.window, scan.lanes, tuple(f.bits for f in formats),
            padding, layer.groups, tuple(kernels[number]), REGISTERS,
        )  # fmt: skip
        layers.append(_with_buffer(made, opts, target))
    name = identifier(net.name)
    design = StreamDesign(name, net.inputs, net.outputs, tuple(layers), dense, opts.beside)
    design.verify()
    return design


def _with_buffer(layer: MapLayer, opts: StreamOptions, target: Target) -> MapLayer:
    depth = layer.scan.row_delay
    width = sum(map(len, window_shape(layer).keep))
    kind = opts.line_buffers
    if kind == AUTO:
        kind = choose(width, depth, target.memory_luts, bool(target.cells["brams"]))
    # A ring needs two places.
    return replace(layer, buffer=kind if depth > 1 else REGISTERS)


def _bits(part: Part) -> int:
    return sum(p.format.bits for p in part.net.inputs)


def _reads(part: Part) -> tuple[int, ...]:
    """Bits of a window that the kernel of a part depends on at most."""
    formats = tuple(p.format for p in part.net.inputs)
    wires = frozenset().union(*Kernel(part.net.layers).reads(formats))
    starts = [0]
    for fmt in formats:
        starts.append(starts[-1] + fmt.bits)
    return tuple(bit for w in sorted(wires) for bit in range(starts[w], starts[w + 1])) or (0,)


def buffer_of(layer: MapLayer, target: Target) -> tuple[int, int, int | None]:
    """Return bits, 18 Kb block memories and estimated LUTs of a line buffer."""
    width, depth = sum(map(len, window_shape(layer).keep)), layer.scan.row_delay
    if layer.buffer == BLOCK:
        return width * depth, blocks(width, depth), 0
    luts = memory_luts(width, depth, target.memory_luts) if layer.buffer == LUT_MEMORY else 0
    return width * depth, 0, luts


def check_memory(design: StreamDesign, target: Target) -> None:
    """Raise TargetMissed where lines need more block memories than the target's part has."""
    room = target.dsp
    if room is None or room.brams is None:
        return
    needs = [(layer, *buffer_of(layer, target)) for layer in design.layers]
    total = sum(need for _, _, need, _ in needs)
    if total > 2 * room.brams:
        over = -(-total // 2) - room.brams
        raise TargetMissed(
            f"lines do not fit the block memories of {target.name}", where=room.part,
            problems=[
                Problem(
                    layer.name,
                    f"{bits:,} bits, {-(-need // 2)} block RAMs of 36 Kb",
                    "fewer channels, narrower rows or a lower window",
                )
                for layer, bits, need, _ in needs
                if need
            ],
            why=f"{-(-total // 2)} needed, {over} more than {room.brams}",
            fix="another target, or --line-buffers lut",
        )  # fmt: skip


def stream_options(opts: object) -> StreamOptions:
    """Return options as those of a stream."""
    return cast(StreamOptions, opts)
