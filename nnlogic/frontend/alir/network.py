"""A program as a QuantNet: nodes of its graph, level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import Problem, UnsupportedModel, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.names import identifier
from nnlogic.frontend.alir.graph import Graph, Value
from nnlogic.frontend.alir.inputs import Feature, features_of
from nnlogic.frontend.alir.ops import apply, shifted
from nnlogic.frontend.alir.program import Program
from nnlogic.frontend.wiring import Refusal, Wiring
from nnlogic.quant.ir import INPUT, InputQuantizer, QuantNet

SHOWN = 20
"""Problems of operations that are listed."""


def network_of(
    programs: Sequence[Program], options: Mapping[str, str], *, where: str, name: str
) -> QuantNet:
    """Return the network that a program is, or a pipeline of programs.

    Parameters
    ----------
    programs : sequence of Program
        Each reads what the one before gives.
    options : mapping of str to str
        See `nnlogic.frontend.alir.format.Alir.options`.
    where : str
        Of errors.
    name : str

    Returns
    -------
    QuantNet
        ``info["inputs"]`` and ``info["outputs"]`` say the step of every port: what a code counts.

    Raises
    ------
    UnsupportedModel
        With all operations that cannot be compiled.
    UsageError
        There is no such option.
    """
    count = len(programs[-1].outputs)
    raw = _choice(options, "inputs", ("codes", "features")) == "features"
    best = _choice(options, "decision", ("argmax", "none") if count > 1 else ("none", "argmax"))
    graph = Graph()
    features = features_of(programs[0])
    problems: list[Problem] = []
    ends = [
        Value(f.frac, f.format.lo if raw else 0, ((graph.input(*_codes(f, raw)), 1),))
        for f in features
    ]
    for stage, program in enumerate(programs):
        prefix = f"stage {stage} " if len(programs) > 1 else ""
        ends = _outputs(graph, program, ends, prefix, problems)
    outputs: list[Value] = []
    if not problems:
        try:
            outputs = _aligned(graph, ends)
        except Refusal as refusal:
            problems = [Problem("outputs", refusal.why, refusal.fix)]
    if problems:
        what = f"{len(problems)} operation{'s' * (len(problems) != 1)} cannot be compiled to logic"
        raise UnsupportedModel(what, where=where, problems=problems[:SHOWN])
    return _net(name, graph, features, outputs, raw=raw, best=best == "argmax")


def _choice(options: Mapping[str, str], key: str, allowed: tuple[str, ...]) -> str:
    found = options.get(key, allowed[0])
    if found not in allowed:
        raise UsageError(f"--read {key}={found[:40]}", fix=f"{key}={f', {key}='.join(allowed)}")
    return found


def _codes(feature: Feature, raw: bool) -> tuple[int, int]:
    fmt = feature.format
    return (0, fmt.hi - fmt.lo) if raw else (fmt.lo, fmt.hi)


def _outputs(
    graph: Graph, program: Program, inputs: list[Value], prefix: str, problems: list[Problem]
) -> list[Value]:
    """Return the outputs of a program; operations that no output needs are not looked at."""
    needed = {slot for slot, _, _ in program.outputs}
    for i in range(len(program.ops) - 1, -1, -1):
        if i in needed:
            needed.update(program.ops[i].args)
    values: list[Value] = []
    for i, op in enumerate(program.ops):
        out = Value(op.out.frac)
        if i in needed:
            try:
                out = apply(graph, op, values, inputs, program)
            except Refusal as refusal:
                place = f"{prefix}operation {i} (code {op.code})"
                problems.append(Problem(place, refusal.why, refusal.fix))
        values.append(out)
    return [
        graph.add([(shifted(values[slot], shift), -1 if negative else 1)])
        if slot >= 0
        else Value(0)
        for slot, shift, negative in program.outputs
    ]


def _aligned(graph: Graph, ends: Sequence[Value]) -> list[Value]:
    """Return outputs in steps of one size, the coarsest that is exact."""
    frac = max(x.frac for x in ends)
    fine = [graph.add([(x, 1), (Value(frac), 1)]) for x in ends]
    every = [v for x in fine for v in (x.bias, *(w for _, w in x.terms)) if v]
    zeros = min(((v & -v).bit_length() - 1 for v in every), default=0)
    coarse = [
        Value(frac - zeros, x.bias >> zeros, tuple((n, w >> zeros) for n, w in x.terms))
        for x in fine
    ]
    return [graph.exact(x) for x in coarse]


def _net(
    name: str, graph: Graph, features: list[Feature], outputs: list[Value], *, raw: bool, best: bool
) -> QuantNet:
    wiring = Wiring()
    ports = []
    for i, feature in enumerate(features):
        fmt = IntFormat(feature.format.bits) if raw else feature.format
        ports.append(Port(f"x{i}", fmt))
    formats = [p.format for p in ports]
    wires = dict(enumerate(wiring.add_wires(INPUT, formats, [1 << f.bits for f in formats])))
    _add_levels(wiring, graph, wires, {n for x in outputs for n in x.nodes})
    ends = _ends(wiring, wires, outputs, together=best)
    chosen = [(Port(f"y{i}", wiring.wires[w].format), w) for i, w in enumerate(ends)]
    if best:
        index = wiring.best("class", ends)
        chosen.append((Port("class", wiring.wires[index].format), index))
    step = {"step": 2.0 ** -outputs[0].frac}
    info: dict[str, Any] = {
        "inputs": [{"step": 2.0**-f.frac} for f in features],
        "outputs": [step] * len(ends),
        "rows": "features" if raw else "codes",
        **({"class_names": [str(i) for i in range(len(ends))]} if best else {}),
    }
    quantizer = InputQuantizer(tuple(f.thresholds for f in features)) if raw else None
    net = QuantNet(
        identifier(name), tuple(ports), tuple(wiring.layers),
        tuple((port, wiring.wires[w].layer, wiring.wires[w].index) for port, w in chosen),
        quantizer, info,
    )  # fmt: skip
    net.verify()
    return net


def _add_levels(wiring: Wiring, graph: Graph, wires: dict[int, int], needed: set[int]) -> None:
    """Add nodes that are needed as layers of tables and of sums; note their wires."""
    nodes = graph.nodes
    for n in range(len(nodes) - 1, -1, -1):
        if n in needed:
            needed.update(nodes[n].args)
    levels: dict[tuple[int, bool], list[int]] = {}
    for n in sorted(needed):
        if nodes[n].level:
            levels.setdefault((nodes[n].level, nodes[n].table is None), []).append(n)
    for (level, sums), members in sorted(levels.items()):
        if sums:
            made = _sums(wiring, graph, wires, members, f"sums{level}")
        else:
            formats = [IntFormat.holding(nodes[n].lo, max(nodes[n].hi, 1)) for n in members]
            inputs = [tuple(wires[a] for a in nodes[n].args) for n in members]
            tables = [t for n in members if (t := nodes[n].table) is not None]
            made = wiring.tables(f"tables{level}", inputs, tables, formats)
        for n, wire in zip(members, made, strict=True):
            wiring.narrow(wire, nodes[n].lo, nodes[n].count)
            wires[n] = wire


def _sums(
    wiring: Wiring, graph: Graph, wires: dict[int, int], members: list[int], name: str
) -> list[int]:
    read = sorted({wires[a] for n in members for a in graph.nodes[n].args})
    place = {wire: at for at, wire in enumerate(read)}
    weights = np.zeros((len(members), len(read)), np.int64)
    for row, n in enumerate(members):
        for a, w in zip(graph.nodes[n].args, graph.nodes[n].weights, strict=True):
            weights[row, place[wires[a]]] += w
    return wiring.linear(name, read, weights, frozen(np.zeros(len(members)), np.int64), None)


def _ends(
    wiring: Wiring, wires: dict[int, int], outputs: list[Value], *, together: bool
) -> list[int]:
    """Return the wires of outputs; sums, and all where they stand `together`, are a layer."""
    out = [wires[x.terms[0][0]] if _is_wire(x) else -1 for x in outputs]
    rows = [i for i, wire in enumerate(out) if together or wire < 0]
    if rows:
        read = sorted({wires[n] for i in rows for n in outputs[i].nodes} or {0})
        place = {wire: at for at, wire in enumerate(read)}
        weights = np.zeros((len(rows), len(read)), np.int64)
        for row, i in enumerate(rows):
            for n, w in outputs[i].terms:
                weights[row, place[wires[n]]] += w
        bias = np.array([outputs[i].bias for i in rows], np.int64)
        made = wiring.linear("scores", read, weights, bias, None, "output")
        for i, wire in zip(rows, made, strict=True):
            out[i] = wire
    return out


def _is_wire(x: Value) -> bool:
    return not x.bias and len(x.terms) == 1 and x.terms[0][1] == 1
