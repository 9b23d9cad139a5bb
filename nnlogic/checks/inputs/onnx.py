"""The graph in an ONNX file against QuantNet, on rows around its thresholds.

The importer is not trusted: the file is read again, and run node by node by the reference evaluator
of the onnx package, in numpy; what QONNX adds to ONNX is written out here.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import compare_outputs, edge_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import QuantNet

ROWS, SECONDS = 512, 60.0
LABEL = "ONNX graph"
LEFT_OUT = ("Softmax", "LogSoftmax", "Identity")


def check_onnx(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the graph in a file.

    Parameters
    ----------
    net : QuantNet
        With ``info["outputs"]``, and ``info["inputs"]`` where it has no input quantizer.
    source : Path
    """
    start = time.monotonic()
    if net.quantizer is None:
        codes, rows = _drawn(net)
    else:
        rows = edge_rows(net.quantizer, ROWS).astype(np.float32)
        codes = net.encode(rows)
    values = _run(source, rows, start)
    codes = codes[: len(values)]
    got, wanted = net.evaluate(codes), _wanted(net, values)
    return compare_outputs(net, got, wanted, LABEL).timed(start)


def _drawn(net: QuantNet) -> tuple[IntArray, np.ndarray]:
    """Return random codes, and the numbers they stand for."""
    text = str(net.info["inputs"])
    after = int(text.partition(".")[2] or 0)
    formats = [p.format for p in net.inputs]
    codes = np.random.default_rng(0).integers(
        [f.lo for f in formats], [f.hi + 1 for f in formats], (ROWS, len(formats))
    )
    numbers = codes * 2.0 - 1 if text == "bipolar" else codes / 2.0**after
    return codes, numbers.astype(np.float32)


def _wanted(net: QuantNet, values: np.ndarray) -> IntArray:
    """Return the codes that stand for what the graph gives, one below all where there is none."""
    if net.outputs[0].name == "class" and values.shape[1] > 1:
        return values.argmax(axis=1)[:, None]
    columns = []
    for port, meaning, column in zip(net.outputs, net.info["outputs"], values.T, strict=True):
        if "levels" in meaning:
            equal = column[:, None] == np.array(meaning["levels"])
            code = np.where(equal.any(axis=1), equal.argmax(axis=1), port.format.lo - 1)
        else:
            scaled = column.astype(np.float64) / meaning["step"]
            code = np.where(scaled == np.floor(scaled), scaled, port.format.lo - 1)
        columns.append(code.astype(np.int64))
    return np.stack(columns, axis=1)


def _run(source: Path, rows: np.ndarray, start: float) -> np.ndarray:
    """Return what the graph gives for rows, as many as there is time for, shape (rows, values)."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = onnx.ModelProto()
    model.ParseFromString(source.read_bytes())
    graph = model.graph
    domains = {node.domain for node in graph.node}
    known = {opset.domain for opset in model.opset_import}
    model.opset_import.extend(onnx.helper.make_opsetid(d, 1) for d in domains - known)
    made = {out: node for node in graph.node for out in node.output}
    ends = []
    for out in graph.output:
        name = out.name
        while name in made and made[name].op_type in LEFT_OUT:
            name = made[name].input[0]
        ends.append(name)
    evaluator = ReferenceEvaluator(model, new_ops=_quantizers(domains))
    weights = {i.name for i in graph.initializer}
    (given,) = [i for i in graph.input if i.name not in weights]
    sizes = [d.dim_value for d in given.type.tensor_type.shape.dim]
    batch = sizes[0] or 1
    parts: list[np.ndarray] = []
    for at in range(0, len(rows) - batch + 1, batch):
        if parts and time.monotonic() - start > SECONDS:
            break
        x = rows[at : at + batch].reshape(batch, *sizes[1:])
        every: Any = evaluator.run(None, {given.name: x}, intermediate=True)
        parts.append(np.concatenate([_of(every[n], batch) for n in ends], axis=1))
    return np.concatenate(parts)


def _of(value: Any, batch: int) -> np.ndarray:
    return np.asarray(value).reshape(batch, -1)


def _quantizers(domains: set[str]) -> list[type]:
    """Return the operations of QONNX, in every domain that exporters gave them.

    And those of ONNX that the evaluator does not have in all versions, or not for inference.
    """
    from onnx.reference.op_run import OpRun

    def given(attributes: dict[str, Any], name: str, default: Any) -> Any:
        # The evaluator gives None for what a node leaves out; zero is a value like others.
        return default if attributes.get(name) is None else attributes[name]

    def run_quant(self: Any, x: Any, scale: Any, zero: Any, bits: Any, **attributes: Any) -> Any:
        signed, narrow = given(attributes, "signed", 1), given(attributes, "narrow", 0)
        mode = str(given(attributes, "rounding_mode", "ROUND"))
        scale, zero, bits = (np.asarray(v, np.float32) for v in (scale, zero, bits))
        y = x / scale + zero
        if signed and bits.size == 1 and bits.item() == 1:
            y = np.where(y >= 0, np.float32(1), np.float32(-1))
        else:
            top = 2.0 ** (bits - bool(signed)) - 1 - (0 if signed else narrow)
            bottom = -(2.0 ** (bits - 1)) + narrow if signed else bits * 0
            y = _round(np.minimum(np.maximum(y, bottom), top), mode)
        return (((y - zero) * scale).astype(np.float32),)

    def run_bipolar(self: Any, x: Any, scale: Any) -> Any:
        return (np.where(x >= 0, scale, -scale).astype(np.float32),)

    def run_trunc(
        self: Any, x: Any, scale: Any, zero: Any, before: Any, after: Any, **attributes: Any
    ) -> Any:
        y = np.rint(x / scale + zero) / np.float32(2.0 ** (float(before) - float(after)))
        mode = str(given(attributes, "rounding_mode", "FLOOR"))
        return (((_round(y, mode) - zero) * scale).astype(np.float32),)

    def run_norm(
        self: Any, x: Any, scale: Any, bias: Any, mean: Any, variance: Any, **attributes: Any
    ) -> Any:
        size = (-1, *[1] * (x.ndim - 2))
        scale, bias, mean, variance = (v.reshape(size) for v in (scale, bias, mean, variance))
        epsilon = np.float32(given(attributes, "epsilon", 1e-5))
        return ((scale * (x - mean) / np.sqrt(variance + epsilon) + bias).astype(x.dtype),)

    def along(values: Any, x: Any, axis: Any) -> Any:
        values = np.asarray(values, np.float32)
        sizes = [1] * x.ndim
        if values.size > 1:
            sizes[1 if axis is None else axis] = values.size
        return values.reshape(sizes) if values.size > 1 else values.reshape(())

    def run_linear(self: Any, x: Any, scale: Any, zero: Any = None, **attributes: Any) -> Any:
        zero, axis = np.uint8(0) if zero is None else zero, attributes.get("axis")
        ends = np.iinfo(zero.dtype)
        y = np.rint(x / along(scale, x, axis)) + along(zero, x, axis)
        return (np.clip(y, ends.min, ends.max).astype(zero.dtype),)

    def run_values(self: Any, x: Any, scale: Any, zero: Any = None, **attributes: Any) -> Any:
        axis = attributes.get("axis")
        y = x.astype(np.float32) - along(0 if zero is None else zero, x, axis)
        return (y * along(scale, x, axis),)

    runs = {"Quant": run_quant, "IntQuant": run_quant, "BipolarQuant": run_bipolar,
            "Trunc": run_trunc}  # fmt: skip
    plain = {"BatchNormalization": run_norm, "QuantizeLinear": run_linear,
             "DequantizeLinear": run_values}  # fmt: skip
    every = [("", plain), *((domain, runs) for domain in domains if domain)]
    return [
        type(name, (OpRun,), {"op_domain": domain, "_run": run})
        for domain, some in every
        for name, run in some.items()
    ]


def _round(y: np.ndarray, mode: str) -> np.ndarray:
    mode = mode.upper()
    if mode in ("HALF_UP", "HALF_DOWN", "UP"):
        size = np.abs(y)
        half = np.float32(0.5)
        how = {"UP": np.ceil(size), "HALF_UP": np.floor(size + half),
               "HALF_DOWN": np.ceil(size - half)}  # fmt: skip
        return np.sign(y) * how[mode]
    return {"CEIL": np.ceil, "FLOOR": np.floor, "DOWN": np.trunc, "ROUND_TO_ZERO": np.trunc}.get(
        mode, np.rint
    )(y)


RUNG = of_source("ONNX graph = QuantNet", check_onnx, "the graph")
