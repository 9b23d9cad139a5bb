"""The Verilog of a layer: a named wire per LUT, and the pipeline registers behind it."""

from __future__ import annotations

from collections.abc import Iterator

from nnlogic.core.inert import CommentText
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.header import comment_lines
from nnlogic.hw.lines import concatenation, vector, wrapped
from nnlogic.hw.lut.expression import expression, to_text, variables
from nnlogic.hw.lut.pairs import plan_pairs
from nnlogic.hw.lut.primitives import Half, dual_instance, lut_instance
from nnlogic.hw.lut.structure import LayerPlan, Tap
from nnlogic.hw.lut_cell import LutCell
from nnlogic.hw.names import Names


def layer_text(
    design: HardwareDesign,
    plan: LayerPlan,
    names: Names,
    primitive: LutCell | None = None,
    dual: bool = False,
) -> str:
    """Return the module of a layer.

    It reads a vector from each module in front of it and gives one; bits of the vectors get their
    names at the top and at the bottom. Registers stand stage by stage: those that follow pipeline
    segment ``s`` in one block.

    Parameters
    ----------
    design : HardwareDesign
    plan : LayerPlan
    names : Names
    primitive : LutCell, optional
        Emit each node as an instance of a device's LUT instead of an expression.
    dual : bool
        Put two nodes of shared inputs into one cell where the device has such cells.
    """
    about = comment_lines(CommentText(design.logic.layers[plan.layer].name))
    lines = map(wrapped, _lines(design, plan, names, primitive, dual))
    return "\n".join([*about, *lines]) + "\n"


def _lines(
    design: HardwareDesign,
    plan: LayerPlan,
    names: Names,
    primitive: LutCell | None,
    dual: bool,
) -> Iterator[str]:
    logic, n_in = design.logic, design.logic.n_inputs
    name = {t: names.taps[t[0]][t[1]] for row in plan.fanins for t in row}
    ranked = [(n_in + node, names.taps[n_in + node]) for node in plan.nodes]
    stages: dict[int, list[tuple[str, str]]] = {}
    for signal, taps in ranked:
        for rank in range(1, len(taps)):
            at = int(design.signal_segments[signal]) + rank - 1
            stages.setdefault(at, []).append((taps[rank], taps[rank - 1]))
    rows = [
        (node, *_used(int(logic.tables[node]), [name[t] for t in row], primitive))
        for node, row in zip(plan.nodes, plan.fanins, strict=True)
    ]
    outputs = [names.taps[s][r] for s, r in plan.outputs]
    read = {word for _, _, used in rows for word in used} | set(outputs)
    read |= {old for pairs in stages.values() for _, old in pairs}

    yield f"module {names.modules[plan.layer]} ("
    ports = [("input", 1, "clk")] if plan.clocked else []
    ports += [("input", len(taps), names.words[source]) for source, taps in plan.sources]
    ports += [("output", len(outputs), names.words[plan.layer])]
    yield from port_lines(ports)
    yield ");"
    unread: list[str] = []
    for source, given in plan.sources:
        word = names.words[source]
        for i, tap in enumerate(given):
            bit = word if len(given) == 1 else f"{word}[{i}]"
            if _name(names, tap) in read:
                yield f"  wire {_name(names, tap)} = {bit};"
            else:
                unread.append(bit)
    unread += [names.taps[n_in + n][0] for n in plan.nodes if names.taps[n_in + n][0] not in read]
    yield from (f"  reg {new};" for pairs in stages.values() for new, _ in pairs)
    pairs = {}
    if primitive is not None and dual and primitive.dual:
        pairs = plan_pairs(design, plan, primitive.width - 1)
    first = set(pairs.values())
    halves: dict[int, Half] = {}
    for (node, text, _), row in zip(rows, plan.fanins, strict=True):
        out = names.taps[n_in + node][0]
        if primitive is None or not row:
            yield f"  wire {out} = {text};"
            continue
        yield f"  wire {out};"
        halves[node] = half = Half(int(logic.tables[node]), [name[t] for t in row], out)
        if node in pairs:
            yield f"  {dual_instance(primitive, halves[pairs[node]], half)}"
        elif node not in first:
            yield f"  {lut_instance(primitive, *half)}"
    for at, pairs in sorted(stages.items()):
        yield ""
        yield f"  // registers behind segment {at}"
        yield "  always @(posedge clk) begin"
        yield from (f"    {new} <= {old};" for new, old in pairs)
        yield "  end"
    yield ""
    if unread:
        yield f"  wire {names.unused} = &{{1'b0, {', '.join(unread)}}};"
    yield f"  assign {names.words[plan.layer]} = {concatenation(outputs)};"
    yield "endmodule"


def port_lines(ports: list[tuple[str, int, str]]) -> Iterator[str]:
    """Yield the ports of a module in columns: direction, width in bits and name of each."""
    ranges = [vector(width) for _, width, _ in ports]
    column = max(map(len, ranges), default=0)
    for i, ((direction, _, name), bits) in enumerate(zip(ports, ranges, strict=True)):
        space = f" {bits:>{column}}" if column else ""
        comma = "," if i < len(ports) - 1 else ""
        yield f"  {direction:<6} wire{space} {name}{comma}"


def _name(names: Names, tap: Tap) -> str:
    return names.taps[tap[0]][tap[1]]


def _used(table: int, inputs: list[str], primitive: LutCell | None) -> tuple[str, set[str]]:
    expr = expression(table, len(inputs))
    used = range(len(inputs)) if primitive is not None else variables(expr)
    return to_text(expr, inputs), {inputs[v] for v in used}
