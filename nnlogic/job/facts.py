"""What the stages say about themselves, as sections of the report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from nnlogic import __version__
from nnlogic.core.errors import TargetMissed
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.target_facts import DelayModel
from nnlogic.flows.targets import Target
from nnlogic.hw.names import Ported, port_names
from nnlogic.logic.ir import LogicNet
from nnlogic.report.describe import lut_bound
from nnlogic.report.hardware import DeviceRow, PinRow
from nnlogic.report.rows import (
    Engine,
    FunnelRow,
    ResourceRow,
    ToolRow,
)
from nnlogic.report.timing import Timing
from nnlogic.tables.ir import Instance, TableNet
from nnlogic.tools.find import find

TOTAL = "total"


def funnel_facts(tables: TableNet, logic: LogicNet | None, k: int) -> list[FunnelRow]:
    """Return tables, distinct tables, bound in `k`-input LUTs, LUTs and depth per layer."""
    rows = []
    everything: list[Instance] = list(tables.instances)
    luts = layer_luts(logic) if logic else {}
    depths = layer_depths(logic) if logic else {}
    for number, layer in enumerate(tables.layers):
        mine = [t for t in everything if t.layer == number]
        rows.append(
            FunnelRow(
                layer.name,
                layer.role,
                tables=len(mine),
                distinct=_distinct(tables, mine),
                bound=_bound(mine, k) if mine else None,
                luts=luts.get(number, 0) if logic else None,
                depth=depths.get(number, 0) if logic else None,
            )
        )
    rows.append(
        FunnelRow(
            TOTAL,
            tables=len(everything),
            distinct=_distinct(tables, everything),
            bound=_bound(everything, k),
            luts=logic.stats()["luts"] if logic else None,
            depth=logic.stats()["depth"] if logic else None,
        )
    )
    return rows


def _distinct(tables: TableNet, instances: Iterable[Instance]) -> int:
    return len({tables.functions[t.function].digest for t in instances})


def _bound(instances: Iterable[Instance], k: int) -> int:
    return sum(lut_bound(len(t.inputs), len(t.outputs), k) for t in instances)


def layer_luts(logic: LogicNet) -> dict[int, int]:
    """Return LUTs (nodes of two or more inputs) by layer number."""
    return dict(Counter(int(n) for n in logic.node_layers[logic.fan_in_counts >= 2]))


def layer_depths(logic: LogicNet) -> dict[int, int]:
    """Return LUT levels inside each layer, counted from the layer's own inputs."""
    depth = np.zeros(logic.n_inputs + logic.n_nodes, dtype=np.int32)
    layer_of = np.concatenate([np.full(logic.n_inputs, -1), logic.node_layers])
    worst: dict[int, int] = defaultdict(int)
    for i, (row, count) in enumerate(zip(logic.fanins, logic.fan_in_counts, strict=True)):
        own = logic.node_layers[i]
        inside = [depth[s] for s in row[:count] if layer_of[s] == own]
        depth[logic.n_inputs + i] = max(inside, default=0) + (count >= 1)
        worst[int(own)] = max(worst[int(own)], int(depth[logic.n_inputs + i]))
    return dict(worst)


def estimate_facts(design: HardwareDesign) -> list[ResourceRow]:
    """Return LUT and register counts by role and in total, as estimates before synthesis."""
    logic = design.logic
    luts = layer_luts(logic)
    ffs: dict[str, int] = defaultdict(int)
    role_of = [layer.role for layer in logic.layers]
    after = design.signal_registers[logic.n_inputs :]
    for number, count in zip(logic.node_layers, after, strict=True):
        ffs[role_of[number]] += int(count)
    rows = []
    for role in ("encoder", "network", "output"):
        if role in role_of:
            count = sum(luts.get(i, 0) for i, r in enumerate(role_of) if r == role)
            rows.append(ResourceRow(role, "estimate", count, ffs[role]))
    at_input = design.registers - sum(ffs.values())
    if at_input:
        rows.append(ResourceRow("input registers", "estimate", 0, at_input))
    rows.append(ResourceRow("valid chain", "estimate", 0, design.latency))
    total = ResourceRow(
        TOTAL,
        "estimate",
        logic.stats()["luts"],
        design.registers + design.latency,
        detail="LUT nodes as mapped; core without the stream wrapper",
    )
    return [*rows, total]


def timing_facts(
    design: HardwareDesign, clock: float | None, delay: DelayModel | None = None
) -> Timing:
    """Return latency and pipeline shape; in time too where there is a delay model."""
    levels = tuple(design.segment_depths())
    fmax = None if delay is None else 1000.0 / delay.segment_ns(max(levels, default=0))
    return Timing(
        latency_cycles=design.latency,
        initiation_interval=design.initiation_interval,
        segments=design.n_segments,
        levels_per_segment=levels,
        clock_mhz=clock,
        estimate_mhz=None if fmax is None else round(fmax, 2),
    ).estimated()


def device_facts(target: Target, total: ResourceRow | None) -> list[DeviceRow]:
    """Return what the target has: the smallest device that holds a design of `total`."""
    if target.pnr is not None:
        luts, ffs = (total.luts or 0, total.ffs or 0) if total is not None else (0, 0)
        try:
            device = target.device_for(luts, ffs)
        except TargetMissed:
            device = target.pnr.devices[-1]
        return [DeviceRow(device.name, device.luts, device.ffs)]
    if target.dsp is not None and target.dsp.luts is not None:
        return [DeviceRow(target.dsp.part or target.title, target.dsp.luts)]
    return []


def pin_facts(
    core: Ported, notes: Mapping[str, str] | None = None, *, stream: bool = True
) -> list[PinRow]:
    """Return the ports of a core, with their places in its stream.

    Parameters
    ----------
    core : Ported
    notes : mapping of str to str, optional
        What else there is to say of an input.
    stream : bool
        Whether there is one.
    """
    out = []
    notes = notes or {}
    x_names, y_names = port_names(core)
    sides = (("input", core.inputs, x_names), ("output", core.outputs, y_names))
    for way, ports, names in sides:
        at = 0
        for port in ports:
            note = notes.get(port.name, "") if way == "input" else ""
            carries = f"{port.name}, {port.format}" + (f", {note}" if note else "")
            low = at if stream else None
            out.append(PinRow(names[port.name], way, port.format.bits, low, carries))
            at += port.format.bits
    return out


def engine_facts(records: Iterable[object]) -> list[Engine]:
    """Return how many functions and LUTs each engine won."""
    functions: Counter[str] = Counter()
    luts: Counter[str] = Counter()
    for record in records:
        functions[record.engine] += 1  # type: ignore[attr-defined]
        luts[record.engine] += record.luts  # type: ignore[attr-defined]
    return [Engine(name, functions[name], luts[name]) for name in sorted(functions)]


def tool_facts(*names: str) -> list[ToolRow]:
    """Return versions of the tools used, and of nnlogic itself."""
    rows = [ToolRow("nnlogic", __version__, "this package")]
    for name in names:
        tool = find(name)
        rows.append(ToolRow(name, tool.version_text, tool.source))
    return rows
