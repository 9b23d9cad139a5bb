"""Stable printed form of a HardwareDesign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnlogic.core.inert import printed

if TYPE_CHECKING:
    from nnlogic.design.ir import HardwareDesign


def design_text(design: HardwareDesign) -> str:
    """Return one line per port, pipeline segment and register rank."""
    logic, stats = design.logic, design.stats()
    lines = [
        f"HardwareDesign {design.name} latency={design.latency} "
        f"interval={design.initiation_interval} luts={stats['luts']} "
        f"registers={stats['registers']}{' stream' if design.stream else ''}"
    ]
    lines += [f"  input {p}" for p in design.inputs]
    if design.input_register:
        used = int((design.last_use[: logic.n_inputs] >= 0).sum())
        lines.append(f"  registers {used}")
    real = logic.fan_in_counts > 0
    for segment, depth in enumerate(design.segment_depths()):
        nodes = np.flatnonzero(real & (design.segments == segment))
        names = [logic.layers[i].name for i in np.unique(logic.node_layers[nodes])]
        crossing = _crossing(design, segment)
        lines.append(
            f"  segment {segment}: {len(nodes)} nodes, {depth} levels, {', '.join(names) or '-'}"
        )
        lines.append(f"  registers {crossing}")
    lines += [f"  output {p}" for p in design.outputs]
    return printed(lines)


def _crossing(design: HardwareDesign, segment: int) -> int:
    """Return the number of registers in the rank after a segment."""
    start = design.signal_segments
    return int(((start <= segment) & (start + design.signal_registers > segment)).sum())
