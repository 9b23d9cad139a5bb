"""What a network is, before anything is compiled: ports, layers, and a bound on its LUTs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nnlogic.core.formats import Port
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.encoder import comparisons
from nnlogic.quant.ir import QuantNet, formats_text
from nnlogic.quant.wire import fixed_point_of
from nnlogic.report.rows import LayerRow, Network, PortRow
from nnlogic.tables.ir import MAX_INPUTS, Instance, TableNet, block_inputs

Stage = QuantNet | TableNet | LogicNet | HardwareDesign


@dataclass(frozen=True)
class LayerText:
    """One layer as `nnlogic inspect` prints it.

    Attributes
    ----------
    name, role, kind : str
    units : int
        Neurons, blocks or nodes.
    fan_in_bits : int or None
        Input bits of the widest unit.
    formats : str
        Output formats, most frequent first.
    bound : int or None
        `lut_bound` summed over the units; None where a unit is arithmetic or too wide
        for a table.
    """

    name: str
    role: str
    kind: str
    units: int
    fan_in_bits: int | None = None
    formats: str = ""
    bound: int | None = None


@dataclass(frozen=True)
class Description:
    """A network as `nnlogic inspect` prints it; `widths` counts tables by input bits."""

    kind: str
    name: str
    inputs: tuple[PortRow, ...]
    outputs: tuple[PortRow, ...]
    quantizer: str
    layers: tuple[LayerText, ...]
    widths: dict[str, int] = field(default_factory=dict)
    stats: dict[str, int] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    quantities: tuple[str, ...] = ()

    @property
    def bound(self) -> int | None:
        """Sum of the layers' bounds; None when no layer has one."""
        known = [layer.bound for layer in self.layers if layer.bound is not None]
        return sum(known) if known else None


@cache
def lut_bound(inputs: int, outputs: int, k: int = 6) -> int:
    """LUTs of `k` inputs that a table needs when it is built from LUTs alone.

    Shannon expansion into `k`-input tables joined by multiplexers, each of which is one LUT
    (4 to 1 where `k` is 6, else 2 to 1). For ``k = 6`` this is the analytical cost of LogicNets
    (Umuroglu et al., FPL 2020): ``outputs / 3 * (2**(inputs - 4) - (-1)**inputs)``.

    Parameters
    ----------
    inputs, outputs : int
        Bits of the table.
    k : int
        Inputs of a LUT, 3 to 6.
    """
    if inputs <= 1:
        return 0
    if inputs <= k:
        return outputs
    each = 2 * lut_bound(inputs - 1, 1, k) + 1
    if k >= 6 and inputs - 2 >= k:
        each = min(each, 4 * lut_bound(inputs - 2, 1, k) + 1)
    return outputs * each


def describe(stage: Stage) -> Description:
    """Describe any stage of a network."""
    info: dict[str, Any] = {}
    if isinstance(stage, HardwareDesign):
        inner = describe(stage.logic)
        layers, widths = inner.layers, inner.widths
    elif isinstance(stage, LogicNet):
        layers, widths = _logic_layers(stage), {}
    elif isinstance(stage, TableNet):
        layers, widths = _table_layers(stage)
    else:
        layers, widths = _quant_layers(stage)
        info = dict(stage.info)
    return Description(
        kind=stage.kind,
        name=stage.name,
        inputs=port_rows(stage.inputs),
        outputs=port_rows(stage.outputs),
        quantizer=quantizer_text(stage) if isinstance(stage, QuantNet) else "",
        quantities=tuple(map(str, getattr(stage, "quantities", ()))),
        layers=layers,
        widths=widths,
        stats=stage.stats(),
        info=info,
    )


def network_of(net: QuantNet) -> Network:
    """Return the network section of a report."""
    layers, _ = _quant_layers(net)
    return Network(
        inputs=port_rows(net.inputs),
        outputs=port_rows(net.outputs),
        layers=tuple(LayerRow(la.name, la.role, la.units, la.fan_in_bits) for la in layers),
        encoder=quantizer_text(net),
        quantities=tuple(map(str, net.quantities)),
    )


def port_rows(ports: Sequence[Port]) -> tuple[PortRow, ...]:
    """Return ports as report rows."""
    return tuple(PortRow(p.name, str(p.format)) for p in ports)


def quantizer_text(net: QuantNet) -> str:
    """Say in words what turns raw features into input codes."""
    if net.raw:
        count, shared = sum(len(cuts) for cuts in comparisons(net)), ""
        copies = net.layers[0].copies(net.x_formats(net.layers[0]))
        if copies is not None:
            places = len(copies.numbers)
            count, shared = count // places, f", the same at all {places} positions"
        return (
            f"in the core: raw features as {_counted(list(map(str, net.raw)))}, read by {count} "
            f"comparators with constants{shared}, counted as encoder"
        )
    if net.quantizer is None:
        return "none: the inputs are integer codes already"
    codes = [
        (t, port.format.bits) for t, port in zip(net.quantizer.thresholds, net.inputs, strict=True)
    ]
    wires = [str(found) for t, bits in codes if (found := fixed_point_of(t, bits))]
    if len(wires) == len(codes):
        return (
            f"from the wire: all {len(codes)} features are saturating fixed-point numbers "
            f"({_counted(wires)}), whose bits are the codes. Encoder layers are counted."
        )
    counts = [len(t) for t, bits in codes if not fixed_point_of(t, bits)]
    some = f"; {len(wires)} others are wires of fixed-point numbers" if wires else ""
    return (
        f"from codes: {sum(counts)} float32 thresholds on {len(counts)} features, at most "
        f"{max(counts)} each; applied outside the logic and not counted in it{some}. "
        "Encoder layers inside the logic are counted."
    )


def _counted(names: Sequence[str], most: int = 6) -> str:
    """Return distinct names, the most frequent first, with their numbers."""
    found = Counter(names).most_common()
    shown = ", ".join(f"{count} {name}" for name, count in found[:most])
    return shown + (", ..." if len(found) > most else "")


def _quant_layers(net: QuantNet) -> tuple[tuple[LayerText, ...], dict[str, int]]:
    out = []
    widths: dict[int, int] = {}
    for layer in net.layers:
        formats = net.x_formats(layer)
        copies = layer.copies(formats)
        parts = [(layer, formats, 1)]
        if copies is not None:
            parts = [(part.layer, part.formats, part.uses) for part in copies.parts()]
        sizes: list[int] = []
        bounds: list[int | None] = []
        for part, read, uses in parts:
            found = part.fan_in_bits(read)
            sizes += found
            bounds.append(None)
            if part.tabular and max(found, default=0) <= MAX_INPUTS:
                pairs = zip(found, part.formats, strict=True)
                bounds[-1] = uses * sum(lut_bound(size, fmt.bits) for size, fmt in pairs)
            for size in found if part.tabular else ():
                widths[size] = widths.get(size, 0) + uses
        known = [bound for bound in bounds if bound is not None]
        bound = sum(known) if len(known) == len(bounds) else None
        row = LayerText(
            layer.name,
            layer.role,
            layer.label(),
            len(layer.formats),
            max(sizes, default=None),
            formats_text(layer.formats),
            bound,
        )
        out.append(row)
    return tuple(out), _by_width(widths)


def _table_layers(net: TableNet) -> tuple[tuple[LayerText, ...], dict[str, int]]:
    out = []
    widths: dict[int, int] = {}
    for number, info in enumerate(net.layers):
        blocks = [b for b in net.blocks if b.layer == number]
        tables = [b for b in blocks if isinstance(b, Instance)]
        for table in tables:
            widths[len(table.inputs)] = widths.get(len(table.inputs), 0) + 1
        kinds = sorted(
            {
                type(b).__name__.lower().removesuffix("block").replace("instance", "table")
                for b in blocks
            }
        )
        only_tables = len(tables) == len(blocks)
        bound = sum(lut_bound(len(t.inputs), len(t.outputs)) for t in tables)
        out.append(
            LayerText(
                info.name,
                info.role,
                ", ".join(kinds),
                len(blocks),
                max((len(block_inputs(b)) for b in blocks), default=None),
                "",
                bound if only_tables else None,
            )
        )
    return tuple(out), _by_width(widths)


def _logic_layers(net: LogicNet) -> tuple[LayerText, ...]:
    wide = net.fan_in_counts >= 2
    return tuple(
        LayerText(
            info.name, info.role, f"LUT{net.k}", int((wide & (net.node_layers == number)).sum())
        )
        for number, info in enumerate(net.layers)
    )


def _by_width(widths: Mapping[int, int]) -> dict[str, int]:
    return {str(width): widths[width] for width in sorted(widths)}
