"""The archive of torch.export as plain data.

``torch.export.load`` runs pickles (the sample inputs, and weights that say so) and evaluates texts
as Python expressions (sizes that are symbols). Here the graph is parsed as JSON and weights are
taken as bytes; an archive that needs more is refused.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from nnlogic.core.errors import CheckpointError
from nnlogic.core.limits import UNPACKED, parse_json
from nnlogic.frontend.graph.program import Graph, Node, Ref, Symbol
from nnlogic.frontend.torch_file import UNREADABLE

DTYPES = {
    1: torch.uint8, 2: torch.int8, 3: torch.int16, 4: torch.int32, 5: torch.int64,
    6: torch.float16, 7: torch.float32, 8: torch.float64, 12: torch.bool, 13: torch.bfloat16,
}  # fmt: skip
"""By the numbers that the archive gives them."""
PLAIN = {"as_int": int, "as_bool": bool, "as_float": float}
FIX = "save it again: torch.export.save(torch.export.export(module.eval(), (example,)), 'm.pt2')"
MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)
BYTES = 1 << 30


def read_graph(path: Path) -> Graph:
    """Read an archive without running anything in it.

    Raises
    ------
    CheckpointError
        It is damaged, too large, or holds parts that only code can read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            problems = UNPACKED.problems("the archive", size)
            if problems:
                raise CheckpointError("the file is too large", where=str(path), problems=problems)
            return _graph(path, archive)
    except (*UNREADABLE, *MALFORMED, RecursionError, RuntimeError) as error:
        why = f"{type(error).__name__}: {str(error)[:200]}"
        raise CheckpointError(
            "cannot read the torch.export archive", where=str(path), why=why, fix=FIX
        ) from error


def _graph(path: Path, archive: zipfile.ZipFile) -> Graph:
    inner = [n for n in archive.namelist() if n.endswith("/models/model.json")]
    root = inner[0].removesuffix("models/model.json")
    order = archive.read(f"{root}byteorder") if f"{root}byteorder" in archive.namelist() else b""
    if order.strip() not in (b"", b"little"):
        raise CheckpointError("weights of another byte order", where=str(path), fix=FIX)
    module = parse_json(archive.read(inner[0]).decode())["graph_module"]
    tensors = {
        **_tensors(path, archive, root, "weights"), **_tensors(path, archive, root, "constants")
    }  # fmt: skip
    graph, signature = module["graph"], module["signature"]
    constants, inputs = {}, {}
    for spec in signature["input_specs"]:
        ((kind, what),) = spec.items()
        if kind == "user_input":
            name = what["arg"]["as_tensor"]["name"]
            inputs[name] = _described(graph["tensor_values"][name])
        elif kind in ("parameter", "buffer", "tensor_constant"):
            constants[what["arg"]["name"]] = tensors[what[f"{kind}_name"]]
        else:
            raise CheckpointError(
                "an input of the graph that is no tensor", where=str(path), why=str(kind)[:60],
                fix="export a module that takes tensors alone",
            )  # fmt: skip
    outputs = [spec["user_output"]["arg"]["as_tensor"]["name"] for spec in signature["output_specs"]
               if "user_output" in spec]  # fmt: skip
    return Graph(
        path.stem, inputs, constants, tuple(map(_node, graph["nodes"])), tuple(outputs), FIX
    )  # fmt: skip


def _described(meta: Mapping[str, Any]) -> tuple[torch.dtype, tuple[int, ...]]:
    # A size without a number is a symbol; a batch of none is as good as any.
    return DTYPES[meta["dtype"]], tuple(int(size.get("as_int", 0)) for size in meta["sizes"])


def _tensors(path: Path, archive: zipfile.ZipFile, root: str, kind: str) -> dict[str, torch.Tensor]:
    folder = f"{root}data/{kind}/"
    config = parse_json(archive.read(f"{folder}model_{kind}_config.json").decode())["config"]
    out = {}
    for name, entry in config.items():
        if entry["use_pickle"]:
            raise CheckpointError(
                "reading this archive would run code",
                where=str(path),
                why=f"{str(name)[:100]} is stored as a pickle",
                fix="export the module from the CPU, with plain tensors for weights",
            )
        dtype, shape = _described(entry["tensor_meta"])
        strides = [int(s["as_int"]) for s in entry["tensor_meta"]["strides"]]
        offset = int(entry["tensor_meta"]["storage_offset"]["as_int"])
        data = bytearray(archive.read(f"{folder}{entry['path_name']}"))
        if len(shape) != len(strides) or min([0, offset, *shape, *strides]) < 0:
            raise ValueError(f"{name} has no shape")
        if math.prod(shape) > BYTES or not math.prod(shape):
            raise ValueError(f"{name} has {math.prod(shape)} values")
        flat = torch.frombuffer(data, dtype=dtype)
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if last >= len(flat):
            raise ValueError(f"{name} has {len(flat)} values, needs {last + 1}")
        out[name] = flat.as_strided(shape, strides, offset).contiguous()
        if out[name].is_floating_point() and not bool(torch.isfinite(out[name]).all()):
            raise CheckpointError(
                "weights are NaN or infinite", where=str(path), why=str(name)[:100]
            )
    return out


def _node(entry: Mapping[str, Any]) -> Node:
    args, kwargs = [], {}
    for given in entry["inputs"]:
        value = _argument(given["arg"])
        if given.get("kind") == 2:
            kwargs[str(given["name"])] = value
        else:
            args.append(value)
    outputs: list[str] = []
    for out in entry["outputs"]:
        ((kind, what),) = out.items()
        if kind == "as_tensor":
            outputs.append(what["name"])
        elif kind == "as_tensors":
            outputs += [one["name"] for one in what]
    trace = str(entry.get("metadata", {}).get("stack_trace") or "")
    return Node(
        str(entry.get("name") or (outputs or [""])[0]),
        str(entry["target"]).removeprefix("torch.ops.").removeprefix("aten."),
        tuple(args), kwargs, tuple(outputs), _line(trace),
    )  # fmt: skip


def _argument(arg: Mapping[str, Any]) -> Any:
    ((kind, value),) = arg.items()
    if kind == "as_none":
        return None
    if kind in ("as_tensor", "as_optional_tensor"):
        return Ref(value["name"]) if "name" in value else _argument(value)
    if kind in ("as_tensors", "as_optional_tensors"):
        return [Ref(v["name"]) if "name" in v else _argument(v) for v in value]
    if kind in PLAIN:
        return _typed(value, PLAIN[kind])
    if kind.removesuffix("s") in PLAIN:
        return [_typed(v, PLAIN[kind.removesuffix("s")]) for v in value]
    if kind == "as_scalar_type":
        return DTYPES[value]
    if kind == "as_sym_int":
        return _typed(value["as_int"], int) if "as_int" in value else Symbol()
    if kind == "as_sym_ints":
        return [_typed(v["as_int"], int) if "as_int" in v else Symbol() for v in value]
    if kind in ("as_device", "as_layout", "as_memory_format", "as_string"):
        return None
    raise ValueError(f"an argument of kind {str(kind)[:40]}")


def _typed(value: Any, kind: type) -> Any:
    # JSON writes a float without a fraction as an integer, and infinity as a text.
    if kind is float:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"{str(value)[:40]} in the place of {kind.__name__}")
    return value


def _line(trace: str) -> str:
    """Return file and line of the user's program: the last frame outside of torch."""
    found = ""
    for row in trace.splitlines():
        if row.startswith(('File "', '  File "')) and "/torch/nn/modules/" not in row:
            parts = row.split('"')
            number = parts[2].split(",")[1].strip().removeprefix("line ") if len(parts) > 2 else ""
            found = f"{Path(parts[1]).name}:{number}"
    return found
