"""A network cut into kernels of its windowed layers and the layers behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnlogic.backends.stream.model.ir import module_name
from nnlogic.backends.stream.model.scan import Scan
from nnlogic.core.errors import Problem, UnsupportedModel, UsageError
from nnlogic.core.formats import IntFormat
from nnlogic.core.names import Identifier
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.kernel_network import behind_windows, kernel_network, leading_windows
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
        """Folder of its run, below that of the stream."""
        return f"segments/{self.net.name}"


@dataclass(frozen=True, eq=False)
class Cut:
    """A network in parts.

    Attributes
    ----------
    layers : tuple of Windowed
    scans : tuple of Scan
    parts : tuple of Part
        Kernels layer by layer, then the dense layers where there are any.
    """

    layers: tuple[Windowed, ...]
    scans: tuple[Scan, ...]
    parts: tuple[Part, ...]


def cut(net: QuantNet, name: Identifier, lanes: int) -> Cut:
    """Cut a network for a stream of `lanes` positions per clock.

    Parameters
    ----------
    net : QuantNet
        Its inputs are a map.
    name : Identifier
        Of the design; modules are named after it.
    lanes : int

    Raises
    ------
    UnsupportedModel
        The network is no chain of windowed layers with dense layers behind; all that is in the
        way.
    UsageError
        Its maps cannot be moved at this rate.
    """
    layers = leading_windows(net)
    _refuse_structure(net, layers)
    scans = scans_of(layers, lanes)
    problems = [
        Problem(layer.name, why, rate_fix(layers, lanes))
        for layer, scan in zip(layers, scans, strict=False)
        for why in scan.problems()
    ]
    if problems:
        raise UsageError(
            f"maps cannot be moved {lanes} position{'s' if lanes > 1 else ''} per clock",
            where="--positions-per-clock", problems=problems,
        )  # fmt: skip
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
    return Cut(layers, tuple(scans), tuple(parts))


def scans_of(layers: tuple[Windowed, ...], lanes: int) -> list[Scan]:
    """Return how each layer's window moves; of those up to the first that cannot."""
    out: list[Scan] = []
    for layer in layers:
        scan = Scan(layer.frame, layer.window, lanes)
        out.append(scan)
        if scan.problems():
            break
        lanes = scan.output_lanes
    return out


def rates(net: QuantNet) -> list[int]:
    """Return the numbers of positions per clock that fit the maps of a network."""
    layers = leading_windows(net)
    if not layers:
        return []
    width = layers[0].frame.width
    counts = [n for n in range(1, width + 1) if width % n == 0]
    return [n for n in counts if not any(s.problems() for s in scans_of(layers, n))]


def rate_fix(layers: tuple[Windowed, ...], lanes: int) -> str:
    """Return what would do in place of `lanes` positions per clock."""
    width = layers[0].frame.width
    fit = [
        n
        for n in range(1, width + 1)
        if width % n == 0 and not any(s.problems() for s in scans_of(layers, n))
    ]
    return (
        f"--positions-per-clock {' or '.join(map(str, fit))}"
        if fit
        else "--backend lut, which has a copy of each kernel for each position"
    )


def _refuse_structure(net: QuantNet, layers: tuple[Windowed, ...]) -> None:
    """Raise UnsupportedModel, with all reasons, where parts of the network do not stream."""
    unrolled = "--backend lut"
    problems = []
    if not layers:
        first = net.layers[0] if net.layers else None
        why = "no layer has windows" if first is None else f"{first.kind} has no windows"
        problems.append(Problem(first.name if first else net.name, why, unrolled))
    for layer in layers:
        formats = net.x_formats(layer)
        if not layer.shared:
            why = f"each of its {layer.output.positions} positions has a kernel of its own"
            problems.append(Problem(layer.name, why, unrolled))
        for group in range(layer.groups):
            kernel = group % len(layer.kernels)
            if layer.window_formats(formats, group) != layer.window_formats(formats, kernel):
                why = f"groups {kernel} and {group} share a kernel, but not the formats they read"
                problems.append(Problem(layer.name, why, unrolled))
    gone = {layer.name for layer in layers[:-1]} | {INPUT}
    last = layers[-1].name if layers else ""
    for dense in net.layers[len(layers) :] if layers else ():
        old = [source for source in dense.sources if source in gone]
        if old:
            why = f"reads {', '.join(old)}, which has passed when {last} is complete"
            problems.append(Problem(dense.name, why, unrolled))
    passed = sorted({layer for _, layer, _ in net.output_wires if layer in gone}) if layers else []
    if passed:
        why = f"{', '.join(passed)} has passed when the result is known"
        problems.append(Problem("outputs", why, unrolled))
    if problems:
        raise UnsupportedModel("the network cannot be streamed", where=net.name, problems=problems)
