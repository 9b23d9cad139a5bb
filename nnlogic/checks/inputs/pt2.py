"""The module in a torch.export archive against QuantNet, on rows around its thresholds.

The importer is not trusted: the file is read again, and every operation is run by torch on numbers,
as the module runs them, in batches of the size it was exported with.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import compare_outputs, edge_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core.bits import sample_count
from nnlogic.frontend.graph import ops
from nnlogic.frontend.graph.inputs import input_format
from nnlogic.frontend.graph.outputs import coded_outputs
from nnlogic.frontend.graph.program import Graph, Ref, Symbol
from nnlogic.frontend.pt2.archive import read_graph
from nnlogic.quant.ir import QuantNet

ROWS, BATCHES = 4096, 512
LABEL = "torch module"
KNOWN = ops.CONSTANT | ops.MADE | ops.CONVOLVE | ops.POOL | {"argmax.default", "max.dim"}


def check_archive(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the graph in an archive, on random rows.

    Parameters
    ----------
    net : QuantNet
        With ``info["outputs"]``, and ``info["inputs"]`` where it has no input quantizer.
    source : Path
        A file of torch.export.save.
    """
    start = time.monotonic()
    graph = read_graph(source)
    ((_, shape),) = graph.inputs.values()
    # Torch takes its time over a batch, however small.
    count = sample_count(len(net.inputs), min(ROWS, BATCHES * (shape[0] or ROWS)))
    rows: np.ndarray
    if net.quantizer is None:
        given = input_format(str(net.info["inputs"]))
        lo, hi = given.format.lo, given.format.hi
        codes = np.random.default_rng(0).integers(lo, hi + 1, (count, len(net.inputs)))
        rows = given.numbers(codes)
    else:
        rows = edge_rows(net.quantizer, count)
        codes = net.encode(rows)
    expected = coded_outputs(net, _run(graph, rows))
    return compare_outputs(net, net.evaluate(codes), expected, LABEL).timed(start)


def _run(graph: Graph, rows: np.ndarray) -> list[np.ndarray]:
    """Return what the graph gives for rows, each output of shape (rows, values)."""
    ((name, (dtype, shape)),) = graph.inputs.items()
    batch = shape[0] or ROWS
    full = np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % batch, axis=0)])
    parts: list[list[torch.Tensor]] = []
    for start in range(0, len(full), batch):
        given = torch.from_numpy(full[start : start + batch]).to(dtype)
        values: dict[str, Any] = {**graph.constants, name: given.reshape(batch, *shape[1:])}
        for node in graph.nodes:
            if node.op in ops.NOTHING:
                continue
            if node.op not in KNOWN:
                raise ValueError(f"an operation {node.op} that was not imported")
            args = tuple(_number(a, values, batch) for a in node.args)
            kwargs = {k: _number(a, values, batch) for k, a in node.kwargs.items()}
            out = ops.call(node.op, args, kwargs)
            outs = out if isinstance(out, tuple | list) else [out]
            values.update(zip(node.outputs, outs, strict=False))
        parts.append([values[out] for out in graph.outputs])
    joined = (torch.cat([p[i] for p in parts])[: len(rows)] for i in range(len(graph.outputs)))
    return [out.reshape(len(rows), -1).double().numpy() for out in joined]


def _number(value: Any, values: dict[str, Any], batch: int) -> Any:
    if isinstance(value, Ref):
        return values[value.name]
    if isinstance(value, list | tuple):
        return [_number(v, values, batch) for v in value]
    return batch if isinstance(value, Symbol) else value


RUNG = of_source("torch module = QuantNet", check_archive, "the torch module")
