"""Small networks made by hand, so that the checks are tested apart from the compiler."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnlogic.core.formats import IntFormat, Port
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import INPUT, Argmax, Linear, QuantNet
from nnlogic.tables.evaluate import block_values
from nnlogic.tables.ir import Instance, TableNet, block_inputs


def make_quant(seed: int = 0, features: int = 4, hidden: int = 5, classes: int = 3) -> QuantNet:
    """Return a two-layer classifier: u2 features, u2 hidden codes 0..2, u2 scores, argmax."""
    rng = np.random.default_rng(seed)
    u2 = IntFormat(2)

    def sparse(rows: int, columns: int, fan_in: int) -> np.ndarray:
        out = np.zeros((rows, columns), np.int64)
        for row in out:
            picked = rng.choice(columns, fan_in, replace=False)
            row[picked] = rng.choice([-3, -2, -1, 1, 2, 3], fan_in)
        return out

    def thresholds(weights: np.ndarray, hi: int, levels: int) -> np.ndarray:
        span = np.abs(weights).sum(axis=1) * hi // 3
        return np.stack([np.sort(rng.choice(2 * s + 1, levels, replace=False) - s) for s in span])

    w1, w2 = sparse(hidden, features, 3), sparse(classes, hidden, 3)
    fc1 = Linear(
        "fc1", (INPUT,), w1, rng.integers(-2, 3, hidden), thresholds(w1, 3, 2), (u2,) * hidden
    )
    fc2 = Linear(
        "fc2", ("fc1",), w2, rng.integers(-2, 3, classes), thresholds(w2, 2, 3), (u2,) * classes
    )
    top = Argmax("class", ("fc2",), (IntFormat(2),))
    ports = tuple(Port(f"f{i}", u2) for i in range(features))
    scores = tuple((Port(f"score_{c}", u2), "fc2", c) for c in range(classes))
    net = QuantNet(
        "tiny", ports, (fc1, fc2, top), (*scores, (Port("class", IntFormat(2)), "class", 0))
    )
    net.verify()
    return net


def map_by_hand(tables: TableNet, k: int = 4) -> LogicNet:
    """Map every block by Shannon expansion; blocks up to 16 input bits."""
    n_in = tables.n_inputs
    fanins, luts, origins, layers = [], [], [], []
    cuts = list(range(n_in))

    def node(pins: list[int], table: int, origin: str, layer: int) -> int:
        fanins.append(pins + [-1] * (k - len(pins)))
        luts.append(table)
        origins.append(origin)
        layers.append(layer)
        return n_in + len(luts) - 1

    def build(bits: np.ndarray, pins: list[int], origin: str, layer: int) -> int:
        if len(pins) <= k:
            return node(pins, sum(int(b) << i for i, b in enumerate(bits)), origin, layer)
        half = len(bits) // 2
        cone = origin.rsplit("/", 1)[0]
        low = build(bits[:half], pins[:-1], cone, layer)
        high = build(bits[half:], pins[:-1], cone, layer)
        return node([low, high, pins[-1]], 0b11001010, origin, layer)

    for block in tables.blocks:
        inputs = block_inputs(block)
        if isinstance(block, Instance):
            table = tables.functions[block.function].table()
        else:
            n = len(inputs)
            rows = np.zeros((tables.n_signals, 1 << n), bool)
            rows[list(inputs)] = np.arange(1 << n) >> np.arange(n)[:, None] & 1
            raw = block_values(block, rows)
            table = raw >> np.arange(len(block.outputs))[:, None] & 1
        for b, bits in enumerate(table):
            pins = [cuts[s] for s in inputs]
            origin = block.origin if "/" in block.origin else f"{block.origin}/neuron0"
            cuts.append(build(np.asarray(bits), pins, f"{origin}/bit{b}", block.layer))
    return LogicNet(
        "tiny",
        k,
        tables.inputs,
        tables.outputs,
        np.array(fanins, np.int32),
        np.array(luts, np.uint64),
        tuple(cuts[s] for s in tables.output_signals),
        tuple(origins),
        np.array(layers, np.int32),
        tables.layers,
        np.array(cuts, np.int32),
    )


def write_by_hand(design: HardwareDesign, folder: Path) -> Path:
    """Write the core as one plain Verilog module that follows the port contract."""
    logic, n_in = design.logic, design.logic.n_inputs
    xs = [(f"x_{p.name}", p.format.bits) for p in design.inputs]
    ys = [(f"y_{p.name}", p.format.bits) for p in design.outputs]
    ports = ["input clk", "input rst", "input in_valid", "output out_valid"]
    ports += [f"input [{w - 1}:0] {n}" for n, w in xs] + [f"output [{w - 1}:0] {n}" for n, w in ys]
    lines = [f"module {design.name}({', '.join(ports)});"]
    clocked, rank = [], int(design.input_register)
    source = [f"{n}[{b}]" for n, w in xs for b in range(w)]

    def tap(signal: int, ranks: int) -> str:
        return f"s{signal}_{ranks}"

    for signal, registers in enumerate(design.signal_registers):
        extra = rank if signal < n_in else 0
        if signal < n_in:
            value = source[signal]
        else:
            node = signal - n_in
            count = logic.fan_in_counts[node]
            at = design.segments[node]
            pins = [
                tap(s, at - design.signal_segments[s] + (rank if s < n_in else 0))
                if s < n_in or logic.fan_in_counts[s - n_in]
                else tap(s, 0)
                for s in map(int, logic.fanins[node][:count])
            ]
            index = f"({{{', '.join(reversed(pins))}}})" if count else "0"
            size = 1 << count
            lines.append(f"wire [{size - 1}:0] t{signal} = {size}'h{int(logic.tables[node]):x};")
            value = f"t{signal}[{index}]"
        lines.append(f"wire {tap(signal, 0)} = {value};")
        for r in range(1, int(registers) + extra + 1):
            lines.append(f"reg {tap(signal, r)};")
            clocked.append(f"{tap(signal, r)} <= {tap(signal, r - 1)};")
    at = 0
    for name, width in ys:
        for b in range(width):
            s = design.logic.output_signals[at + b]
            ranks = int(design.signal_registers[s]) + (rank if s < n_in else 0)
            lines.append(f"assign {name}[{b}] = {tap(s, ranks)};")
        at += width
    lines.append(f"reg [{design.latency - 1}:0] valid;")
    lines.append(f"assign out_valid = valid[{design.latency - 1}];")
    clocked += [
        f"valid[{i}] <= !rst && {f'valid[{i - 1}]' if i else 'in_valid'};"
        for i in range(design.latency)
    ]
    lines += ["always @(posedge clk) begin", *clocked, "end", "endmodule", ""]
    path = folder / f"{design.name}.v"
    path.write_text("\n".join(lines))
    return path
