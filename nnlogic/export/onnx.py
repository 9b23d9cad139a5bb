"""ONNX of standard operators: each level of the network is one look-up, for any number of rows."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.specification import check_equal
from nnlogic.checks.verdict import Verdict
from nnlogic.core.bits import index_words, random_codes, total_bits, unpack_ports
from nnlogic.core.errors import FormatError, ToolNotFound
from nnlogic.core.formats import Port
from nnlogic.core.inert import printed
from nnlogic.export import Export, Subject, Written
from nnlogic.export.onnx_read import read_onnx
from nnlogic.logic.cone import Cone, table_bits

OPSET, IR_VERSION = 17, 8
EXHAUSTIVE_BITS = 12
SAMPLES = 4096
CODES, ANSWERS = "codes", "answers"


class Graph:
    """Collects nodes and constants of a model."""

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: dict[str, NDArray] = {}

    def constant(self, name: str, value: Any, kind: type = np.int64) -> str:
        """Keep a constant; return its name."""
        self.constants[name] = np.asarray(value, kind)
        return name

    def add(self, kind: str, reads: list[str], name: str, **attributes: Any) -> str:
        """Add a node with one result of its own name; return the name."""
        self.nodes.append(self.onnx.helper.make_node(kind, reads, [name], name, **attributes))
        return name


def write(subject: Subject, suffix: str) -> Written:
    """Return the network as a model: int64 codes of rows in, int64 codes out."""
    onnx = _onnx()
    net, cone = subject.net, subject.cone
    graph = Graph(onnx)
    signals = _bits(graph, net.inputs)
    column = {s: s for s in range(cone.n_inputs)}
    levels = _levels(cone)
    for number, nodes in enumerate(levels, 1):
        signals = _level(graph, f"level{number}", signals, cone, nodes, column)
    _codes(graph, signals, net.outputs, [column[s] for s in cone.outputs])
    helper = onnx.helper
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["rows", len(ports)])
        for name, ports in ((CODES, net.inputs), (ANSWERS, net.outputs))
    ]
    constants = [onnx.numpy_helper.from_array(v, name) for name, v in graph.constants.items()]
    body = helper.make_graph(graph.nodes, str(subject.name), ends[:1], ends[1:], constants)
    model = helper.make_model(
        body,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="nnlogic",
        doc_string=printed(subject.remarks),
    )
    names = {end: json.dumps([p.name for p in ports]) for end, ports in _ends(subject)}
    helper.set_model_props(model, names)
    facts = {"LUT": cone.luts, "levels": len(levels), "operators": len(graph.nodes)}
    return Written(model.SerializeToString(deterministic=True), facts)


def _ends(subject: Subject) -> tuple[tuple[str, tuple[Port, ...]], ...]:
    return (CODES, subject.net.inputs), (ANSWERS, subject.net.outputs)


def _levels(cone: Cone) -> list[list[int]]:
    """Return the nodes of each level, the first reads inputs alone."""
    level = [0] * cone.n_inputs
    out: list[list[int]] = []
    for node, reads in enumerate(cone.fanins):
        level.append(1 + max((level[s] for s in reads), default=0))
        if level[-1] > len(out):
            out.append([])
        out[level[-1] - 1].append(node)
    return out


def _bits(graph: Graph, ports: tuple[Port, ...]) -> str:
    """Split codes into bits, of which each is 0 or 1 in a column of its own."""
    places = [(i, bit, p.format.bits) for i, p in enumerate(ports) for bit in range(p.format.bits)]
    which, bit, widths = (np.array(c, np.int64) for c in zip(*places, strict=True))
    one = np.int64(1)
    graph.constant("bits.port", which)
    graph.constant("bits.size", one << widths)
    graph.constant("bits.weight", one << bit)
    graph.constant("two", 2)
    graph.add("Gather", [CODES, "bits.port"], "bits.code", axis=1)
    # The remainder has the sign of the divisor: two's complement of what is negative.
    graph.add("Mod", ["bits.code", "bits.size"], "bits.raw")
    graph.add("Div", ["bits.raw", "bits.weight"], "bits.shifted")
    graph.add("Mod", ["bits.shifted", "two"], "bits.wide")
    return graph.add("Cast", ["bits.wide"], "bits", to=graph.onnx.TensorProto.INT32)


def _level(
    graph: Graph, name: str, signals: str, cone: Cone, nodes: list[int], column: dict[int, int]
) -> str:
    """Add a look-up for nodes that read earlier signals; note their columns; return all signals."""
    k = max(1, *(len(cone.fanins[node]) for node in nodes)) if nodes else 1
    reads = np.zeros((len(nodes), k), np.int64)
    tables = np.zeros((len(nodes), 1 << k), np.uint8)
    first = len(column)
    for row, node in enumerate(nodes):
        fanins = cone.fanins[node]
        reads[row, : len(fanins)] = [column[s] for s in fanins]
        # Inputs that a node does not have change nothing.
        tables[row] = np.tile(table_bits(cone.tables[node], len(fanins)), 1 << k - len(fanins))
        column[cone.n_inputs + node] = first + row
    graph.constant(f"{name}.reads", reads.ravel())
    graph.constant(f"{name}.shape", [-1, len(nodes), k])
    graph.constant(f"{name}.weights", 1 << np.arange(k), np.int32)
    graph.constant(f"{name}.first", np.arange(len(nodes)) << k, np.int32)
    graph.constant(f"{name}.tables", tables.ravel(), np.uint8)
    graph.constant("last", [2])
    graph.add("Gather", [signals, f"{name}.reads"], f"{name}.flat", axis=1)
    graph.add("Reshape", [f"{name}.flat", f"{name}.shape"], f"{name}.pins")
    graph.add("Mul", [f"{name}.pins", f"{name}.weights"], f"{name}.weighted")
    graph.add("ReduceSum", [f"{name}.weighted", "last"], f"{name}.row", keepdims=0)
    graph.add("Add", [f"{name}.row", f"{name}.first"], f"{name}.index")
    graph.add("Gather", [f"{name}.tables", f"{name}.index"], f"{name}.byte", axis=0)
    graph.add("Cast", [f"{name}.byte"], f"{name}.out", to=graph.onnx.TensorProto.INT32)
    return graph.add("Concat", [signals, f"{name}.out"], f"{name}.signals", axis=1)


def _codes(graph: Graph, signals: str, ports: tuple[Port, ...], columns: list[int]) -> None:
    """Join bits to codes; the highest bit of a signed port counts negative."""
    weights = np.zeros((len(columns), len(ports)), np.int64)
    at = 0
    for place, port in enumerate(ports):
        for bit in range(port.format.bits):
            top = port.format.signed and bit == port.format.bits - 1
            weights[at, place] = -(1 << bit) if top else 1 << bit
            at += 1
    graph.constant("answers.column", columns)
    graph.constant("answers.weights", weights)
    graph.add("Gather", [signals, "answers.column"], "answers.narrow", axis=1)
    graph.add("Cast", ["answers.narrow"], "answers.bits", to=graph.onnx.TensorProto.INT64)
    graph.add("MatMul", ["answers.bits", "answers.weights"], ANSWERS)


def check(subject: Subject, data: bytes, suffix: str) -> tuple[Verdict, ...]:
    """Read the look-ups back and prove them, then run the model with ONNX's reference evaluator."""
    onnx = _onnx()
    title = "ONNX as read back"
    try:
        model = onnx.load_model_from_string(data)
        onnx.checker.check_model(model, full_check=True)
        constants = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
        read = read_onnx(constants)
    except _damaged(onnx) as error:
        why = " ".join(str(error).split())[:200]
        return (Verdict("network", title, False, "exhaustive", why, type(error).__name__),)
    return check_equal("network", title, subject.cone, read, 600), _run(subject, model)


def _run(subject: Subject, model: Any) -> Verdict:
    """Compare the model, as a whole, on every row where there are few."""
    from onnx.reference import ReferenceEvaluator

    start, net = time.monotonic(), subject.net
    bits = total_bits(net.inputs)
    few = bits <= EXHAUSTIVE_BITS
    how = "exhaustive" if few else f"sampled n={SAMPLES}"
    codes = (
        unpack_ports(index_words(bits), net.inputs, 1 << bits)
        if few
        else random_codes(net.inputs, SAMPLES, seed=1)
    )
    expected = net.evaluate(codes)
    try:
        outputs: Any = ReferenceEvaluator(model).run([ANSWERS], {CODES: codes})
        got = np.asarray(outputs[0])
        wrong = (
            np.argwhere(got != expected) if got.shape == expected.shape else np.zeros((1, 2), int)
        )
        detail = ""
    except _damaged(_onnx()) as error:
        wrong, detail = np.zeros((1, 2), int), " ".join(str(error).split())[:200]
    where = f"row {wrong[0][0]}, {net.outputs[wrong[0][1]].name}" if wrong.size else ""
    title = "ONNX, run by its reference"
    return Verdict("network", title, not wrong.size, how, detail, where).timed(start)


def _damaged(onnx: Any) -> tuple[type[Exception], ...]:
    """Return what readers and evaluators of ONNX raise for a model that is none."""
    from google.protobuf.message import DecodeError

    own = (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, DecodeError)
    return (*own, FormatError, RuntimeError, ValueError, LookupError, TypeError)


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise ToolNotFound(
            "ONNX files need the package onnx", why=str(error), fix="pip install onnx"
        ) from error
    return onnx


EXPORT = Export((".onnx",), "ONNX model of standard operators", write, check)
