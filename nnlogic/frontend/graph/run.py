"""A graph run by torch on numbers, batch by batch, as the module that it was read from runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, Problem, UnsupportedModel
from nnlogic.frontend.graph import ops
from nnlogic.frontend.graph.program import Graph, Node, Ref, Symbol

ROWS = 4096
"""Of a batch, where the graph takes any number."""


def run_graph(graph: Graph, rows: NDArray) -> list[NDArray]:
    """Return what a graph gives for rows, each output of shape (rows, values), float64 or integer.

    Parameters
    ----------
    graph : Graph
        Of one input. Nothing else is called than operations of `nnlogic.frontend.graph.ops`.
    rows : array, shape (rows, features)

    Raises
    ------
    UnsupportedModel
        It holds other operations, which are all named, or torch cannot run one.
    InputError
        The rows are not what it takes.
    """
    dtype, shape = _given(graph, rows)
    batch = shape[0] or ROWS
    whole = np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % batch, axis=0)])
    parts: list[list[torch.Tensor]] = []
    _ran(graph, torch.empty((batch, *shape[1:]), dtype=dtype, device="meta"))
    for start in range(0, len(whole), batch):
        given = torch.from_numpy(whole[start : start + batch]).to(dtype)
        parts.append(_ran(graph, given.reshape(batch, *shape[1:])))
    joined = (torch.cat([p[i] for p in parts])[: len(rows)] for i in range(len(graph.outputs)))
    return [
        (out.double() if out.is_floating_point() else out).reshape(len(rows), -1).numpy()
        for out in joined
    ]


def _given(graph: Graph, rows: NDArray) -> tuple[torch.dtype, tuple[int, ...]]:
    """Return what the graph takes; other operations than are known, and other rows, are refused."""
    problems = [
        Problem(_place(node), "not an operation that is run here", ops.instead(node.op))
        for node in graph.nodes
        if node.op not in ops.RUN and node.op not in ops.NOTHING
    ]  # fmt: skip
    problems += [
        Problem(_place(node), "drops at random", "module.eval() before the export")
        for node in graph.nodes
        if "dropout" in node.op and len(node.args) > 2 and node.args[2]
    ]
    if problems or len(graph.inputs) != 1:
        why = "" if problems else f"{len(graph.inputs)} inputs"
        raise UnsupportedModel("a graph that cannot be run", why=why, problems=problems)
    dtype, shape = next(iter(graph.inputs.values()))
    size = int(np.prod(shape[1:], dtype=float))
    if size != rows.shape[1]:
        why = f"it reads {size} features, the rows have {rows.shape[1]}"
        fix = "a model of the columns that are left, when some are constant or dropped"
        raise InputError("rows of other features", why=why, fix=fix)
    if not dtype.is_floating_point and not np.array_equal(rows, np.rint(rows)):
        raise InputError("rows that are no integers", why=f"it reads {dtype}")
    return dtype, shape


@torch.no_grad()
def _ran(graph: Graph, given: torch.Tensor) -> list[torch.Tensor]:
    """Return the outputs for a batch; of one without memory, only sizes are looked at."""
    ((name, _),) = graph.inputs.items()
    constants = {k: v.to(given.device) for k, v in graph.constants.items()}
    values: dict[str, Any] = {**constants, name: given}
    for node in graph.nodes:
        if node.op in ops.NOTHING:
            continue
        args = tuple(_number(a, values, len(given), given.device) for a in node.args)
        kwargs = {k: _number(a, values, len(given), given.device) for k, a in node.kwargs.items()}
        if node.op in ops.MADE:
            kwargs["device"] = given.device
        try:
            found = _called(node, args, kwargs)
        except (RuntimeError, IndexError, TypeError, ValueError, NotImplementedError) as error:
            why = str(error).splitlines()[0][:160] if str(error) else repr(error)
            raise UnsupportedModel(
                "torch cannot run an operation", where=_place(node), why=why,
                fix=graph.fix,
            ) from error  # fmt: skip
        outs = found if isinstance(found, tuple | list) else [found]
        for out in outs:
            if isinstance(out, torch.Tensor) and out.numel() > ops.MOST * 16:
                why = f"{out.numel():,} values of {len(given):,} rows"
                raise UnsupportedModel("too much memory is needed", where=_place(node), why=why)
        values.update(zip(node.outputs, outs, strict=False))
    return [values[out] for out in graph.outputs]


def _called(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return ops.call(node.op, args, kwargs)
    except NotImplementedError:
        if "fake_quantize" not in node.op:
            raise
        # Torch does not know their sizes, which are those of what they are given.
        return [torch.empty_like(args[0])] * 2


def _place(node: Node) -> str:
    kind = node.kind or f"aten.{node.op}"
    return f"{node.name} ({kind}){', ' + node.line if node.line else ''}"


def _number(value: Any, values: dict[str, Any], batch: int, device: torch.device) -> Any:
    if isinstance(value, Ref):
        return values[value.name]
    if isinstance(value, list | tuple):
        return [_number(v, values, batch, device) for v in value]
    if isinstance(value, torch.Tensor):
        return value.to(device)
    return batch if isinstance(value, Symbol) else value
