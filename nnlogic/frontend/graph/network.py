"""The graph of a module as a QuantNet: read once through, from quantizer to quantizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from nnlogic.core.errors import CheckpointError, NotQuantized, Problem, UnsupportedModel
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.limits import FEATURES, LAYERS
from nnlogic.core.names import identifier
from nnlogic.frontend.graph.circuit import Circuit
from nnlogic.frontend.graph.clamps import with_clamps
from nnlogic.frontend.graph.inputs import input_format
from nnlogic.frontend.graph.outputs import Outputs
from nnlogic.frontend.graph.program import Graph, Node
from nnlogic.frontend.graph.reader import Reader
from nnlogic.frontend.graph.signs import with_signs
from nnlogic.frontend.graph.straight_through import STRAIGHT_THROUGH, without_forms
from nnlogic.frontend.graph.values import Coded, Lost, Pending, Raw, Value
from nnlogic.frontend.wiring import Refusal
from nnlogic.quant.ir import INPUT, InputQuantizer, QuantNet

ROUNDS = 4
"""Readings of a graph: features may meet quantizers one after another."""


def network_of(
    graph: Graph,
    inputs: str | None = None,
    *,
    where: str,
    features: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> QuantNet:
    """Return the network that a graph is, bit for bit.

    Parameters
    ----------
    graph : Graph
    inputs : str, optional
        Format of the input codes; by default the module quantizes raw features itself.
    where : str
        Of errors.
    features, classes : sequence of str, optional
        Names of the inputs, and of the classes.

    Raises
    ------
    UnsupportedModel
        With all operations that cannot be compiled, each with the line and what to do.
    NotQuantized
        Raw features reach the network without a quantizer.
    UsageError
        There is no such input format, or the names do not fit.
    """
    (name, (_, shape)), *others = list(graph.inputs.items()) or [("", (torch.float32, ()))]
    if others or len(shape) < 2 or not graph.outputs:
        raise UnsupportedModel(
            "no module of one batch of rows", where=where,
            why=f"its inputs are {[tuple(s) for _, s in graph.inputs.values()]}, its outputs "
            f"{len(graph.outputs)}",
            fix="a forward(x) with x of shape (rows, features), which returns a tensor",
        )  # fmt: skip
    size = int(np.prod(shape[1:], dtype=float))
    problems = FEATURES.problems("inputs", size) + LAYERS.problems("operations", len(graph.nodes))
    if problems or not size:
        raise CheckpointError("no network", where=where, problems=problems, fix=graph.fix)
    names = _names(features, size)
    graph = with_signs(with_clamps(graph))
    circuit, outputs, problems = _followed(graph, name, inputs)
    forms = 0
    if problems:
        plain, forms = without_forms(graph)
        if forms:
            circuit, outputs, problems = _followed(plain, name, inputs)
    if problems:
        _refuse(problems, where)
    thresholds = circuit.raw
    formats = circuit.formats[INPUT]
    quantizer = None
    if inputs is None:
        quantizer = InputQuantizer(tuple(np.array(sorted(t), np.float32) for t in thresholds))
    info: dict[str, Any] = {"outputs": outputs.meanings}
    if forms:
        info[STRAIGHT_THROUGH] = forms
    if inputs is not None:
        info["inputs"] = inputs
    if classes is not None or outputs.classes:
        info["class_names"] = list(classes or map(str, range(outputs.classes)))
    net = QuantNet(
        identifier(graph.name),
        tuple(Port(n, f) for n, f in zip(names, formats, strict=True)),
        tuple(circuit.layers), tuple(outputs.wires), quantizer, info,
    )  # fmt: skip
    net.verify()
    return net


def _followed(
    graph: Graph, name: str, inputs: str | None
) -> tuple[Circuit, Outputs, list[Problem]]:
    """Read a graph through, as often as features meet new quantizers."""
    dtype, shape = graph.inputs[name]
    thresholds: list[set[float]] = [set() for _ in range(int(np.prod(shape[1:])))]
    for _ in range(ROUNDS):
        circuit = Circuit(raw=thresholds)
        first = _input(circuit, inputs, dtype, shape[1:])
        reader = Reader(circuit, shape[0], {name: first, **graph.constants}, graph.nodes)
        problems = _read(reader, graph)
        outputs = Outputs(circuit)
        if not problems:
            problems = _finish(reader, outputs, graph)
        if not circuit.again:
            break
    return circuit, outputs, problems


def _names(features: Sequence[str] | None, size: int) -> list[str]:
    if features is not None and len(features) != size:
        raise UnsupportedModel(
            "names of features do not fit", why=f"{len(features)} names, {size} inputs"
        )
    return [str(f) for f in features] if features is not None else [f"x{i}" for i in range(size)]


def _input(
    circuit: Circuit, inputs: str | None, dtype: torch.dtype, shape: tuple[int, ...]
) -> Value:
    size = int(np.prod(shape))
    ids = torch.arange(size).reshape(1, *shape)
    if inputs is not None:
        given = input_format(inputs)
        fmt = given.format
        wires = circuit.add_wires(INPUT, [fmt] * size, [1 << fmt.bits] * size)
        values = torch.from_numpy(given.every).to(dtype).reshape(-1, *[1] * len(shape))
        return Coded(torch.tensor(wires)[ids], values.expand(-1, *shape))
    counts = [len(t) + 1 for t in circuit.raw]
    formats = [IntFormat.holding(0, max(1, n - 1)) for n in counts]
    circuit.first = circuit.add_wires(INPUT, formats, counts)
    return Pending(Raw(dtype, shape), ids, lambda x: x)


def _read(reader: Reader, graph: Graph) -> list[Problem]:
    problems = []
    for node in graph.nodes:
        try:
            reader.step(node)
        except Refusal as refusal:
            problems.append(_problem(node, refusal.why, refusal.fix))
        except (RuntimeError, IndexError, TypeError, ValueError, AttributeError) as error:
            why = f"torch refuses it: {str(error).splitlines()[0][:160] if str(error) else error!r}"
            problems.append(_problem(node, why, graph.fix))
        else:
            continue
        reader.values.update({out: Lost() for out in node.outputs})
    return problems


def _problem(node: Node, why: str, fix: str) -> Problem:
    kind = node.kind or f"aten.{node.op}"
    place = f"{node.name} ({kind}){', ' + node.line if node.line else ''}"
    return Problem(place, why, fix)


def _finish(reader: Reader, outputs: Outputs, graph: Graph) -> list[Problem]:
    problems = []
    for i, name in enumerate(graph.outputs):
        value = reader.values.get(name)
        try:
            outputs.add(value, f"y{i}" if len(graph.outputs) > 1 else "y")
        except Refusal as refusal:
            problems.append(Problem(f"output {name}", refusal.why, refusal.fix))
    return problems


def _refuse(problems: list[Problem], where: str) -> None:
    floats = all("raw float features" in p.why for p in problems)
    count = len(problems)
    what = f"{count} operation{'s' * (count != 1)} cannot be compiled to logic"
    if floats:
        raise NotQuantized("the inputs are not quantized", where=where, problems=problems)
    raise UnsupportedModel(what, where=where, problems=problems)
