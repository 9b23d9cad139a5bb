"""A file of ONNX as plain data, by the onnx package; nothing outside of the file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError, Problem, ToolNotFound
from nnlogic.core.limits import LAYERS, UNPACKED, WEIGHTS

KINDS = "fiub"
FIX = "export the model again, or onnx.save(model, path)"


@dataclass(frozen=True)
class Step:
    """A node of the graph.

    Attributes
    ----------
    name : str
    op : str
        Its type; the domain does not count, exporters disagree on it.
    inputs : tuple of str
        Empty where an optional one is left out.
    outputs : tuple of str
    attributes : mapping
        Numbers, texts, lists of these, and arrays.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """A model.

    Attributes
    ----------
    inputs : mapping of str to tuple of int
        Shapes; a size that is not known is 0.
    constants : mapping of str to array
    steps : tuple of Step
    outputs : tuple of str
    """

    inputs: Mapping[str, tuple[int, ...]]
    constants: Mapping[str, NDArray[Any]]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]


def read_document(path: Path) -> Document:
    """Read a model.

    Raises
    ------
    CheckpointError
        It is damaged, too large, or has parts that stand in other files.
    ToolNotFound
        The onnx package is not installed.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise ToolNotFound(
            "the onnx package is needed to read an ONNX model", where=str(path), why=str(error),
            fix="pip install 'nnlogic[onnx]'",
        ) from error  # fmt: skip
    size = path.stat().st_size
    if problems := UNPACKED.problems("the file", size):
        raise CheckpointError("the file is too large", where=str(path), problems=problems)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except (DecodeError, OSError, RuntimeError) as error:
        raise CheckpointError(
            "cannot read the ONNX model", where=str(path), why=str(error)[:200], fix=FIX
        ) from error
    problems = LAYERS.problems("nodes", len(model.graph.node))
    constants = _constants(model.graph, problems)
    steps = [_step(n, i, problems) for i, n in enumerate(model.graph.node)]
    if model.functions:
        problems.append(Problem("functions", "of its own", "onnx.inliner.inline_local_functions"))
    if not model.graph.output or not model.graph.node:
        problems.append(Problem("graph", "has no nodes, or no outputs"))
    if problems:
        raise CheckpointError("no usable ONNX model", where=str(path), problems=problems, fix=FIX)
    inputs = {
        _text(i.name): tuple(
            d.dim_value if 0 <= d.dim_value < 1 << 31 else 0 for d in i.type.tensor_type.shape.dim
        )
        for i in model.graph.input
        if _text(i.name) not in constants
    }
    outputs = tuple(_text(o.name) for o in model.graph.output)
    return Document(inputs, constants, tuple(s for s in steps if s is not None), outputs)


def _text(value: Any) -> str:
    """Return a name; texts that are not UTF-8 come as bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _constants(graph: Any, problems: list[Problem]) -> dict[str, NDArray[Any]]:
    if graph.sparse_initializer:
        problems.append(Problem("weights", "are sparse tensors", "store them as plain ones"))
    out = {}
    for tensor in graph.initializer:
        found = _array(tensor, _text(tensor.name), problems)
        if found is not None:
            out[_text(tensor.name)] = found
    return out


def _array(tensor: Any, where: str, problems: list[Problem]) -> NDArray[Any] | None:
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        fix = "onnx.save_model(onnx.load(path), path, save_as_external_data=False)"
        problems.append(Problem(where, "stands in another file", fix))
        return None
    count = 1
    for size in tensor.dims:
        count *= max(int(size), 0)
    if found := WEIGHTS.problems(where, count):
        problems += found
        return None
    try:
        array = np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        problems.append(Problem(where, f"cannot be read: {str(error)[:120]}"))
        return None
    if array.dtype.kind not in KINDS:
        # Floats and integers of 2 to 8 bits, which numpy has no kind for, are numbers too.
        if array.dtype.kind != "V":
            problems.append(Problem(where, f"is of type {array.dtype}"))
            return None
        array = array.astype(np.float32)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        problems.append(Problem(where, "holds NaN or infinity"))
        return None
    return array


def _step(node: Any, number: int, problems: list[Problem]) -> Step | None:
    from onnx import AttributeProto

    op = _text(node.op_type)
    name = _text(node.name) or f"{op}_{number}"
    found: dict[str, Any] = {}
    kinds = {AttributeProto.FLOAT: "f", AttributeProto.INT: "i", AttributeProto.STRING: "s",
             AttributeProto.FLOATS: "floats", AttributeProto.INTS: "ints"}  # fmt: skip
    for attribute in node.attribute:
        key = _text(attribute.name)
        if attribute.type == AttributeProto.TENSOR:
            found[key] = _array(attribute.t, f"{name}.{key}", problems)
        elif attribute.type in kinds:
            value = getattr(attribute, kinds[attribute.type])
            value = _text(value) if isinstance(value, bytes) else value
            found[key] = value if isinstance(value, str | int | float) else list(value)
        else:
            why = f"attribute {key} is a graph, or of another kind that is not read"
            problems.append(Problem(f"{name} ({op})", why))
    return Step(name, op, tuple(map(_text, node.input)), tuple(map(_text, node.output)), found)
