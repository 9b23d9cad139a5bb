"""Stable printed form of a LogicNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnlogic.core.inert import printed

if TYPE_CHECKING:
    from nnlogic.logic.ir import LogicNet


def signal_names(net: LogicNet) -> list[str]:
    """Return readable names: ``port[bit]`` for inputs, ``n<node>`` for nodes."""
    names = [f"{p.name}[{b}]" for p in net.inputs for b in range(p.format.bits)]
    return names + [f"n{i}" for i in range(net.n_nodes)]


def logic_text(net: LogicNet) -> str:
    """Return one line per port and node; tables in hexadecimal, most significant index first."""
    stats = net.stats()
    names = signal_names(net)
    counts = net.fan_in_counts.tolist()
    lines = [f"LogicNet {net.name} k={net.k} luts={stats['luts']} depth={stats['depth']}"]
    lines += [f"  input {p}" for p in net.inputs]
    layer = -1
    for i, (row, count) in enumerate(zip(net.fanins.tolist(), counts, strict=True)):
        if net.node_layers[i] != layer:
            layer = int(net.node_layers[i])
            lines.append(f"  {net.layers[layer].role} {net.layers[layer].name}")
        digits = max(1, (1 << count) // 4)
        inputs = ", ".join(names[s] for s in row[:count])
        table = f"{int(net.tables[i]):0{digits}x}"
        lines.append(f"    n{i} = {table}({inputs})  {net.origins[i]}")
    at = 0
    for port in net.outputs:
        bits = [names[s] for s in net.output_signals[at : at + port.format.bits]]
        at += port.format.bits
        lines.append(f"  output {port} = {', '.join(bits)}")
    return printed(lines)
