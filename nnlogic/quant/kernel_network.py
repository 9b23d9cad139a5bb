"""Parts of a network with windows as networks: its kernels, and what reads the last map."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.names import Identifier, identifier, unique_identifiers
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.layers.windowed import Windowed

Formats = tuple[IntFormat, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """A network of its own: a kernel, or the dense layers.

    Attributes
    ----------
    net : QuantNet
        Its name is that of the Verilog module.
    layer : int or None
        Windowed layer whose kernel it is; None for the dense layers.
    kernel : int
    title : str
        What it is, for the report.
    """

    net: QuantNet
    layer: int | None
    kernel: int = 0
    title: str = "dense layers"

    @property
    def folder(self) -> str:
        """Folder of its run, below that of the whole."""
        return f"segments/{self.net.name}"


def parts_of(net: QuantNet, name: Identifier) -> tuple[Part, ...]:
    """Return the kernels layer by layer, then the dense layers where there are any.

    Parameters
    ----------
    net : QuantNet
        Without `apart_problems`.
    name : Identifier
        Of the design; networks of parts are named after it.
    """
    layers = leading_windows(net)
    parts = [
        Part(
            replace(
                kernel_network(layer, net.x_formats(layer), kernel),
                name=module_name(name, number, layer.name, f"kernel{kernel}"),
            ),
            number,
            kernel,
            f"kernel of {layer.name}"
            if len(layer.kernels) == 1
            else f"kernel {kernel} of {layer.name}",
        )
        for number, layer in enumerate(layers)
        for kernel in range(len(layer.kernels))
    ]
    wires = [(layer, wire) for _, layer, wire in net.output_wires]
    last = layers[-1]
    if wires != [(last.name, i) for i in range(len(last.formats))]:
        parts.append(Part(behind_windows(net, Identifier(f"{name}_dense")), None))
    return tuple(parts)


def module_name(design: str, number: int, layer: str, what: str) -> Identifier:
    """Return the name of a module of the layer `layer`, the one of this number."""
    return Identifier(f"{design}_{number}_{identifier(layer)}_{what}")


def apart_problems(net: QuantNet, fix: str) -> list[Problem]:
    """Return why kernels and dense layers cannot run apart, each on whole maps, with a fix."""
    layers = leading_windows(net)
    problems = []
    if not layers:
        first = net.layers[0] if net.layers else None
        why = "no layer has windows" if first is None else f"{first.kind} has no windows"
        problems.append(Problem(first.name if first else net.name, why, fix))
    for layer in layers:
        formats = net.x_formats(layer)
        if not layer.shared:
            why = f"each of its {layer.output.positions} positions has a kernel of its own"
            problems.append(Problem(layer.name, why, fix))
        for group in range(layer.groups):
            kernel = group % len(layer.kernels)
            if layer.window_formats(formats, group) != layer.window_formats(formats, kernel):
                why = f"groups {kernel} and {group} share a kernel, but not the formats they read"
                problems.append(Problem(layer.name, why, fix))
    gone = {layer.name for layer in layers[:-1]} | {INPUT}
    last = layers[-1].name if layers else ""
    for dense in net.layers[len(layers) :] if layers else ():
        old = [source for source in dense.sources if source in gone]
        if old:
            why = f"reads {', '.join(old)}, which has passed when {last} is complete"
            problems.append(Problem(dense.name, why, fix))
    passed = sorted({layer for _, layer, _ in net.output_wires if layer in gone}) if layers else []
    if passed:
        why = f"{', '.join(passed)} has passed when the result is known"
        problems.append(Problem("outputs", why, fix))
    return problems


def kernel_network(layer: Windowed, x_formats: Formats, kernel: int = 0) -> QuantNet:
    """Return a kernel as a network: the window goes in, the channels come out.

    Parameters
    ----------
    layer : Windowed
    x_formats : tuple of IntFormat
        Of the map's wires.
    kernel : int
        Which of the layer's kernels.

    Returns
    -------
    QuantNet
        Input ports ``y<row>_x<column>_c<channel>`` in the order of the window's wires; output
        ports ``c<channel>``.

    Raises
    ------
    UsageError
        The layer has no such kernel.
    """
    if not 0 <= kernel < len(layer.kernels):
        raise UsageError(
            "no such kernel", where=layer.name, why=f"{kernel}, there are {len(layer.kernels)}"
        )
    group = kernel % layer.groups
    formats = layer.window_formats(x_formats, group)
    size = layer.frame.channels // layer.groups
    (height, width), body = layer.window.size, layer.kernels[kernel]
    names = [f"y{y}_x{x}_c{c}" for y in range(height) for x in range(width) for c in range(size)]
    outputs = tuple(
        (Port(f"c{c}", fmt), body.layers[-1].name, c) for c, fmt in enumerate(body.formats)
    )
    ports = tuple(Port(name, fmt) for name, fmt in zip(names, formats, strict=True))
    name = layer.name if len(layer.kernels) == 1 else f"{layer.name}_{kernel}"
    net = QuantNet(name, ports, body.layers, outputs)
    net.verify()
    return net


def leading_windows(net: QuantNet) -> tuple[Windowed, ...]:
    """Return the windowed layers at the beginning, each of which reads the one before."""
    out: list[Windowed] = []
    source = INPUT
    for layer in net.layers:
        if not isinstance(layer, Windowed) or layer.sources != (source,):
            break
        out.append(layer)
        source = layer.name
    return tuple(out)


def behind_windows(net: QuantNet, name: Identifier) -> QuantNet:
    """Return the layers behind the last map of `leading_windows` as a network of this name.

    The wires of the map are its input ports. There may be no layers, where only some of the wires
    go out. Nothing before the last map may be read.
    """
    layers = leading_windows(net)
    last = layers[-1]
    channels = last.output.channels
    names = unique_identifiers(
        f"{last.name}_p{at // channels}_c{at % channels}" for at in range(len(last.formats))
    )
    ports = tuple(Port(n, fmt) for n, fmt in zip(names, last.formats, strict=True))

    def source(layer: str) -> str:
        return INPUT if layer == last.name else layer

    rest = tuple(
        replace(layer, sources=tuple(map(source, layer.sources)))  # type: ignore[type-var]
        for layer in net.layers[len(layers) :]
    )
    outputs = tuple((port, source(layer), wire) for port, layer, wire in net.output_wires)
    info = {k: v for k, v in net.info.items() if k == "class_names"}
    dense = QuantNet(name, ports, rest, outputs, info=info)
    dense.verify()
    return dense
