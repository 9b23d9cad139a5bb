"""A chain of kernels against the network with windows that it runs, without looking at values."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from nnlogic.backends.dsp.checks.program import prove_program
from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.kernel_chain import ONE, ZERO, KernelChain
from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.bits import Words
from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.kernel_network import Part, leading_windows
from nnlogic.quant.layers.windowed import Windowed

FRAMES = 64
Tag = tuple[object, ...]


def prove_patches(
    net: QuantNet, parts: Sequence[Part], graphs: Sequence[OpGraph], chain: KernelChain
) -> Verdict:
    """Prove that every program is its part's graph, and that every word is where windows want it.

    Words are moved and never computed with. So each bit of the input, and each bit that a part
    makes at a position, is a tag of its own, and the tags that windows read there are compared
    with what the layers say, position by position: all values are proved with it.

    Parameters
    ----------
    net : QuantNet
    parts : sequence of Part
    graphs : sequence of OpGraph
        One per part.
    chain : KernelChain
    """
    start = time.monotonic()

    def verdict(detail: str, where: str = "", *, equal: bool = False) -> Verdict:
        return Verdict("OpGraph", "KernelChain", equal, "proved", detail, where).timed(start)

    try:
        chain.verify()
    except IRError as error:
        first = error.problems[0] if error.problems else None
        return verdict(first.why if first else error.why, first.where if first else "")
    if (net.inputs, net.outputs) != (chain.inputs, chain.outputs):
        return verdict("the ports differ")
    if len(parts) != len(chain.programs):
        return verdict(f"{len(parts)} parts, {len(chain.programs)} programs")
    for part, graph, program in zip(parts, graphs, chain.programs, strict=True):
        found = prove_program(graph, program)
        if not found.equal:
            return verdict(found.detail, ", ".join(filter(None, (part.title, found.where))))
    tags: list[Tag] = [(WIRE, i, b) for i, p in enumerate(net.inputs) for b in range(p.format.bits)]
    for number, (part, source) in enumerate(zip(parts, chain.sources, strict=True)):
        wanted = list(_reads(net, parts, part))
        read = [_tag(word, tags) for word in source.tolist()]
        if [t for run in wanted for t in run] != read:
            where = next((i for i, (a, b) in enumerate(zip(
                (t for run in wanted for t in run), read, strict=False)) if a != b), len(read)
            )  # fmt: skip
            run = where // max(1, chain.programs[number].n_inputs)
            return verdict("another word than the window's is read", f"{part.title}, run {run}")
        size = bits.total_bits(part.net.outputs)
        tags += [(number, run, b) for run in range(chain.runs(number)) for b in range(size)]
    outputs = [_tag(word, tags) for word in chain.output_words.tolist()]
    if outputs != list(_outputs(net, parts)):
        return verdict("another word than the network's output", "outputs")
    moved = sum(len(source) for source in chain.sources)
    return verdict(
        f"{len(parts)} programs; {moved:,} words read, by unique tags", equal=True
    )  # fmt: skip


WIRE = "input"


def _tag(word: int, tags: Sequence[Tag]) -> Tag:
    return {ZERO: ("0",), ONE: ("1",)}.get(word) or tags[word]


def _reads(net: QuantNet, parts: Sequence[Part], part: Part) -> Iterator[list[Tag]]:
    """Yield what a part reads in each of its runs: tags of bits, by the layers' own geometry."""
    layers = leading_windows(net)
    if part.layer is None:
        last = layers[-1]
        yield [
            tag
            for place in range(last.output.positions)
            for channel in range(last.output.channels)
            for tag in _made(net, parts, len(layers) - 1, place, channel)
        ]
        return
    layer = layers[part.layer]
    for y in range(layer.output.height):
        for x in range(layer.output.width):
            for group in range(part.kernel, layer.groups, len(layer.kernels)):
                yield list(_window(net, parts, part.layer, layer, y, x, group))


def _window(
    net: QuantNet, parts: Sequence[Part], number: int, layer: Windowed, y: int, x: int, group: int
) -> Iterator[Tag]:
    frame, window = layer.frame, layer.window
    size = frame.channels // layer.groups
    formats = net.x_formats(layer)
    for ky in range(window.size[0]):
        for kx in range(window.size[1]):
            row = y * window.stride[0] + ky * window.dilation[0] - window.padding[0]
            column = x * window.stride[1] + kx * window.dilation[1] - window.padding[2]
            inside = 0 <= row < frame.height and 0 <= column < frame.width
            for channel in range(group * size, (group + 1) * size):
                if inside:
                    place = row * frame.width + column
                    yield from _made(net, parts, number - 1, place, channel)
                    continue
                width = formats[channel].bits
                raw = window.padding_code & ((1 << width) - 1)
                yield from ((str(raw >> b & 1),) for b in range(width))


def _made(
    net: QuantNet, parts: Sequence[Part], number: int, place: int, channel: int
) -> Iterator[Tag]:
    """Yield the tags of a channel at a place of the map that a layer makes, -1 for the input."""
    if number < 0:
        wire = place * leading_windows(net)[0].frame.channels + channel
        yield from ((WIRE, wire, b) for b in range(net.inputs[wire].format.bits))
        return
    layer = leading_windows(net)[number]
    group, own = divmod(channel, layer.output.channels // layer.groups)
    kernel = group % len(layer.kernels)
    at = next(i for i, p in enumerate(parts) if p.layer == number and p.kernel == kernel)
    run = place * (layer.groups // len(layer.kernels)) + group // len(layer.kernels)
    before = bits.total_bits(parts[at].net.outputs[:own])
    width = parts[at].net.outputs[own].format.bits
    yield from ((at, run, before + b) for b in range(width))


def _outputs(net: QuantNet, parts: Sequence[Part]) -> Iterator[Tag]:
    last = len(leading_windows(net)) - 1
    if parts[-1].layer is None:
        size = bits.total_bits(net.outputs)
        yield from ((len(parts) - 1, 0, b) for b in range(size))
        return
    channels = leading_windows(net)[last].output.channels
    for _, _, wire in net.output_wires:
        yield from _made(net, parts, last, *divmod(wire, channels))


def check_parts(
    net: QuantNet, parts: Sequence[Part], chain: KernelChain, codes: IntArray
) -> Verdict:
    """Run the parts, as networks, where the chain has programs, and compare with the network."""
    start = time.monotonic()
    codes = codes[:FRAMES]

    def runner(part: Part, words: Words) -> Words:
        read = bits.unpack_ports(words, part.net.inputs, 64 * words.shape[1])
        return bits.pack_ports(part.net.evaluate(read), part.net.outputs)

    words = bits.pack_ports(codes, net.inputs)
    kept = chain.host(words, [partial(runner, part) for part in parts])
    found = bits.unpack_ports(kept[chain.output_words], net.outputs, len(codes))
    return _compared(net, "parts", found, codes).timed(start)


def check_frames(net: QuantNet, chain: KernelChain, codes: IntArray) -> Verdict:
    """Interpret the programs on whole frames, and compare with the network."""
    start = time.monotonic()
    codes = codes[:FRAMES]
    return _compared(net, "KernelChain", chain.evaluate(codes), codes).timed(start)


def _compared(net: QuantNet, what: str, found: IntArray, codes: IntArray) -> Verdict:
    wrong = np.any(found != net.evaluate(codes), axis=1)
    where = f"frame {int(wrong.argmax())}" if wrong.any() else ""
    detail = f"{int(wrong.sum())} frames differ" if where else ""
    return Verdict("QuantNet", what, not where, f"sampled n={len(codes)}", detail, where)
