"""Random operation graphs, and an evaluator that shares no code with the product."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.ops import OPERATIONS
from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port

TABLES = [op.table for op in OPERATIONS]


def op_graph(rows, *, inputs=(2, 1), outputs=(), name="toy") -> OpGraph:
    """Build an OpGraph from (table, x, z) rows; what nothing reads is an output too."""
    n_in = sum(inputs)
    used = {s for _, x, z in rows for s in (x, z)}
    drivers = list(outputs) + [
        n_in + i for i in range(len(rows)) if n_in + i not in used | set(outputs)
    ]
    table = np.array(rows, np.int64).reshape(-1, 3)
    return OpGraph(
        name=name,
        inputs=tuple(Port(f"x{i}", IntFormat(w)) for i, w in enumerate(inputs)),
        outputs=tuple(Port(f"y{i}", IntFormat(1)) for i in range(len(drivers))),
        op=frozen(table[:, 0], np.uint8),
        x=frozen(table[:, 1], np.int32),
        z=frozen(table[:, 2], np.int32),
        output_signals=frozen(drivers, np.int32),
    )


@st.composite
def op_graphs(draw, max_ops=40) -> OpGraph:
    """Any small graph: chains, copies, shared operands, outputs that are read as well."""
    inputs = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)))
    n_in, count = sum(inputs), draw(st.integers(1, max_ops))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    reach = draw(st.sampled_from([2, 6, 100]))
    rows = []
    for i in range(count):
        low = max(0, n_in + i - reach)
        x, z = rng.integers(low, n_in + i, 2).tolist()
        rows.append((int(rng.choice(TABLES)), x, z))
    extra = rng.integers(n_in, n_in + count, int(rng.integers(0, 4))).tolist()
    return op_graph(rows, inputs=inputs, outputs=extra)


def random_graph(count: int, seed: int = 0, n_in: int = 12, reach: int = 200) -> OpGraph:
    """A graph of any size."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(count):
        x, z = rng.integers(max(0, n_in + i - reach), n_in + i, 2).tolist()
        rows.append((int(rng.choice(TABLES)), x, z))
    return op_graph(rows, inputs=(1,) * n_in)


def all_codes(graph) -> np.ndarray:
    """Every combination of port values."""
    sides = [np.arange(p.format.lo, p.format.hi + 1) for p in graph.inputs]
    return np.stack([g.ravel() for g in np.meshgrid(*sides, indexing="ij")], axis=1)


def naive(graph: OpGraph, codes: np.ndarray) -> np.ndarray:
    """Outputs row by row and operation by operation; one-bit output ports."""
    out = []
    for row in codes:
        values = [
            int(v) >> b & 1
            for v, p in zip(row, graph.inputs, strict=True)
            for b in range(p.format.bits)
        ]
        for op, x, z in zip(graph.op.tolist(), graph.x.tolist(), graph.z.tolist(), strict=True):
            values.append(op >> (values[x] + 2 * values[z]) & 1)
        out.append([values[s] for s in graph.output_signals.tolist()])
    return np.array(out, dtype=np.int64)
