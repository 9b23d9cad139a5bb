"""The input quantizer of a map as a window of one position, which all positions share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nnlogic.core.errors import Problem, UnsupportedModel
from nnlogic.core.formats import Port
from nnlogic.core.windows import Frame, Window
from nnlogic.quant.encoder import CODES, ENCODER, with_encoder
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.layers.windowed import Windowed
from nnlogic.quant.word import WordFormat

APART = "--backend lut, whose encoder compares each feature with thresholds of its own"


def channel_names(frame: Frame) -> list[str]:
    """Return what the channels of a map are called, as in the networks of its kernels."""
    return [f"c{c}" for c in range(frame.channels)]


def with_window_encoder(net: QuantNet, frame: Frame, words: Sequence[WordFormat]) -> QuantNet:
    """Return a network that reads a map of raw words: 1x1 windows in front give the codes.

    Parameters
    ----------
    net : QuantNet
        With an input quantizer; its inputs are a map, and some layer reads it.
    frame : Frame
        Of the map.
    words : sequence of WordFormat
        One per channel.

    Raises
    ------
    UsageError
        The network reads codes, not raw features.
    UnsupportedModel
        Positions of a channel have different thresholds.
    """
    if net.quantizer is None:
        return with_encoder(net, words)  # which says so
    size, thresholds = frame.channels, net.quantizer.thresholds
    problems = [
        Problem(
            f"channel c{i % size}",
            f"feature {net.inputs[i].name} has other thresholds than {net.inputs[i % size].name}",
            APART,
        )
        for i in range(size, len(thresholds))
        if thresholds[i].tobytes() != thresholds[i % size].tobytes()
    ]
    if problems:
        raise UnsupportedModel(
            "positions cannot share an encoder", where=net.name, problems=problems[:size]
        )
    pixel = with_encoder(one_position(net, frame), words)
    taken, name = {la.name for la in net.layers}, CODES
    while name in taken:
        name += "_"
    encoder = Windowed(name, (INPUT,), frame, Window((1, 1)), (Kernel(pixel.layers),), role=ENCODER)
    formats = [words[i % size].format for i in range(len(net.inputs))]
    behind = (
        replace(la, sources=tuple(name if s == INPUT else s for s in la.sources))  # type: ignore[type-var]
        for la in net.layers
    )
    out = replace(
        net,
        inputs=tuple(Port(p.name, f) for p, f in zip(net.inputs, formats, strict=True)),
        layers=(encoder, *behind),
        output_wires=tuple(
            (port, name if source == INPUT else source, wire)
            for port, source, wire in net.output_wires
        ),
        quantizer=None,
        info={**net.info, "raw": [str(words[i % size]) for i in range(len(net.inputs))]},
    )
    out.verify()
    return out


def one_position(net: QuantNet, frame: Frame) -> QuantNet:
    """Return the quantizer of the first position alone, as a network that gives its codes."""
    size = frame.channels
    ports = tuple(
        Port(c, p.format) for c, p in zip(channel_names(frame), net.inputs[:size], strict=True)
    )
    return QuantNet(
        net.name,
        ports,
        (),
        tuple((port, INPUT, i) for i, port in enumerate(ports)),
        replace(net.quantizer, thresholds=net.quantizer.thresholds[:size]),  # type: ignore[union-attr, type-var]
    )
