"""Kernels of a network with windows as programs of one engine, run at every position of a map.

A lane is an image throughout, so a host moves whole words: the word of a bit of the map is read
wherever a window has that bit, and padding is a word of equal bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nnlogic.backends.dsp.model.cut import CONTEXTS, Cut
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.kernel_chain import ONE, ZERO, KernelChain
from nnlogic.backends.dsp.model.machine import bounds
from nnlogic.backends.dsp.model.place import MemoryMissed, compile_ops, machine_for
from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.core.windows import PADDING
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.kernel_network import Part, leading_windows
from nnlogic.quant.layers.windowed import Windowed


def patch_chain(
    net: QuantNet, parts: Sequence[Part], graphs: Sequence[OpGraph], slices: int, **options: int
) -> Cut:
    """Return the programs of a network's parts on one engine, and the words they read.

    Parameters
    ----------
    net : QuantNet
    parts : sequence of Part
        See `nnlogic.quant.kernel_network.parts_of`.
    graphs : sequence of OpGraph
        One per part.
    slices : int
    **options
        Fields of `Machine`, above all ``program_steps`` and ``bank_rows``.

    Raises
    ------
    MemoryMissed
        A part does not fit the memories.
    """
    found: list[Cut] = []
    for contexts in CONTEXTS:
        machines = [machine_for(g, slices, **{**options, "contexts": contexts}) for g in graphs]
        banks = max(machine.input_banks for machine in machines)
        machines = [replace(machine, input_banks=banks) for machine in machines]
        try:
            programs = [compile_ops(g, m) for g, m in zip(graphs, machines, strict=True)]
        except MemoryMissed:
            # Every context needs rows of its own: with more there is less room.
            if not found:
                raise
            break
        least = tuple(bounds(g, m) for g, m in zip(graphs, machines, strict=True))
        found.append(Cut(chain_of(net, parts, programs), machines[0], least))
    return min(found, key=lambda cut: cut.chain.interval / cut.chain.contexts)


def chain_of(net: QuantNet, parts: Sequence[Part], programs: Sequence[Program]) -> KernelChain:
    """Return the chain of a network whose parts are `programs`; verified."""
    widths = [port.format.bits for port in net.inputs]
    where = np.cumsum([0, *widths])[:-1]
    count = sum(widths)
    sources: list[IntArray] = []
    for number, layer in enumerate(leading_windows(net)):
        own = [program for part, program in zip(parts, programs, strict=True)
               if part.layer == number]  # fmt: skip
        read, where, count = _layer_words(layer, net.x_formats(layer), own, where, count)
        sources += read
    formats = leading_windows(net)[-1].formats
    if len(parts) > len(sources):
        sources.append(_words(where, [fmt.bits for fmt in formats]))
        output = count + np.arange(bits.total_bits(net.outputs))
    else:
        wires = [wire for _, _, wire in net.output_wires]
        output = _words(where[wires], [formats[wire].bits for wire in wires])
    chain = KernelChain(
        name=net.name,
        inputs=net.inputs,
        outputs=net.outputs,
        programs=tuple(programs),
        sources=tuple(frozen(source, np.int32) for source in sources),
        output_words=frozen(output, np.int32),
    )
    chain.verify()
    return chain


def _layer_words(
    layer: Windowed,
    formats: Sequence[IntFormat],
    programs: Sequence[Program],
    where: IntArray,
    count: int,
) -> tuple[list[IntArray], IntArray, int]:
    """Return what a layer's kernels read, run by run, the words of its map, and all words then.

    `where` has the first word of every wire of the map read, `count` how many words there are.
    """
    uses = list(layer.uses())
    numbers = np.array([use.kernel for use in uses])
    runs = [int((numbers == number).sum()) for number in range(len(programs))]
    made = [bits.total_bits(program.outputs) for program in programs]
    starts = count + np.cumsum([0, *(n * size for n, size in zip(runs, made, strict=True))])
    read: list[list[IntArray]] = [[] for _ in programs]
    out = []
    for use in uses:
        kernel, run = use.kernel, len(read[use.kernel])
        window = layer.windows[use.position, use.group]
        own = layer.window_formats(tuple(formats), use.group)
        read[kernel].append(_window_words(window, own, layer.window.padding_code, where))
        channels = np.cumsum([0, *(port.format.bits for port in programs[kernel].outputs)])[:-1]
        out.append(starts[kernel] + run * made[kernel] + channels)
    return [np.concatenate(r) for r in read], np.concatenate(out), int(starts[-1])


def _window_words(
    window: IntArray, formats: Sequence[IntFormat], padding: int, where: IntArray
) -> IntArray:
    words = []
    for wire, fmt in zip(window.tolist(), formats, strict=True):
        bit = np.arange(fmt.bits)
        if wire == PADDING:
            raw = int(fmt.to_raw(np.array(padding)))
            words.append(np.where(raw >> bit & 1, ONE, ZERO))
        else:
            words.append(where[wire] + bit)
    return np.concatenate(words)


def _words(where: IntArray, widths: Sequence[int]) -> IntArray:
    """Return the words of all bits of wires, given the first of each."""
    spans = zip(where.tolist(), widths, strict=True)
    return np.concatenate([first + np.arange(width) for first, width in spans])
