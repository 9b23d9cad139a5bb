"""From a network of nodes with at most two inputs to an OpGraph: no inverters, no buffers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.ops import AND, NAND, XNOR, XOR, swapped
from nnlogic.core.archive import frozen
from nnlogic.core.errors import IRError
from nnlogic.core.formats import Port
from nnlogic.logic.cone import Cone

Literal = tuple[int, int]
"""A signal and whether it is complemented; signal -1 is constant 0."""
ZERO: Literal = (-1, 0)
ONES = 0b1111


class OpBuilder:
    """Collects operations on literals; equal ones, and complements of each other, are one."""

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.rows: list[tuple[int, int, int]] = []
        self.known: dict[tuple[int, int, int], Literal] = {}

    def apply(self, table: int, a: Literal, b: Literal) -> Literal:
        """Return the literal of a truth table (bit ``x + 2 * z``) on two literals."""
        table = _complemented(table, a[1], b[1])
        x, z = a[0], b[0]
        if x == z:  # only the entries 00 and 11 can happen
            table = (table & 1) * 0b0101 | (table >> 3 & 1) * 0b1010
        if x < 0:
            table = (table & 1) * 0b0011 | (table >> 2 & 1) * 0b1100
        if z < 0:
            table = (table & 0b0011) * 0b0101
        if table in (0, ONES):
            return (-1, table & 1)
        if table in (0b1010, 0b0101):
            return (x, int(table == 0b0101))
        if table in (0b1100, 0b0011):
            return (z, int(table == 0b0011))
        if x > z:
            table, x, z = swapped(table), z, x
        inverted = table & 1  # kept with 0 for operands 00
        key = (table ^ (ONES if inverted else 0), x, z)
        if key not in self.known:
            self.known[key] = (self.n_inputs + len(self.rows), 0)
            self.rows.append(key)
        return (self.known[key][0], inverted)


def _complemented(table: int, x: int, z: int) -> int:
    if x:
        table = (table & 0b0101) << 1 | (table & 0b1010) >> 1
    if z:
        table = (table & 0b0011) << 2 | (table & 0b1100) >> 2
    return table


def lower(cone: Cone, name: str, inputs: tuple[Port, ...], outputs: tuple[Port, ...]) -> OpGraph:
    """Return the OpGraph of a Cone whose nodes have at most two inputs.

    Each operation is stored in the phase its outputs want; an output that wants the other phase
    of an operation that is an output already, a constant, or an input bit costs one operation
    more. Operations nothing needs are left out.

    Raises
    ------
    IRError
        A node has more than two inputs, or there is no input bit at all.
    """
    if cone.widest > 2 or not cone.n_inputs:
        raise IRError(
            "not a network of two-input operations", where=name,
            why=f"{cone.n_inputs} inputs, widest node {cone.widest}",
        )  # fmt: skip
    ops = OpBuilder(cone.n_inputs)
    literals: list[Literal] = [(s, 0) for s in range(cone.n_inputs)]
    for fanin, table in zip(cone.fanins, cone.tables, strict=True):
        a = literals[fanin[0]] if fanin else ZERO
        b = literals[fanin[1]] if len(fanin) > 1 else ZERO
        wide = table if len(fanin) == 2 else table * 5 if fanin else table * ONES
        literals.append(ops.apply(wide, a, b))
    return finish(ops, [literals[s] for s in cone.outputs], name, inputs, outputs)


def finish(
    ops: OpBuilder,
    wanted: Sequence[Literal],
    name: str,
    inputs: tuple[Port, ...],
    outputs: tuple[Port, ...],
) -> OpGraph:
    """Return the OpGraph whose output bits are the literals `wanted`; see `lower`."""
    n_in = ops.n_inputs
    phases: dict[int, set[int]] = {}
    for signal, inverted in wanted:
        if signal >= n_in:
            phases.setdefault(signal, set()).add(inverted)
    flip = [0] * n_in + [int(phases.get(n_in + i) == {1}) for i in range(len(ops.rows))]
    rows = [
        (_complemented(table, flip[x], flip[z]) ^ (ONES if flip[n_in + i] else 0), x, z)
        for i, (table, x, z) in enumerate(ops.rows)
    ]
    extra: dict[Literal, int] = {}
    drivers = []
    for literal in wanted:
        signal, inverted = literal
        if signal >= n_in and inverted == flip[signal]:
            drivers.append(signal)
            continue
        if literal not in extra:
            extra[literal] = n_in + len(rows)
            if signal < 0:
                rows.append((XNOR if inverted else XOR, 0, 0))
            else:
                rows.append((NAND if inverted != flip[signal] else AND, signal, signal))
        drivers.append(extra[literal])
    return _compact(rows, drivers, n_in, name, inputs, outputs)


def _compact(
    rows: Sequence[tuple[int, int, int]],
    drivers: Sequence[int],
    n_in: int,
    name: str,
    inputs: tuple[Port, ...],
    outputs: tuple[Port, ...],
) -> OpGraph:
    used = np.zeros(n_in + len(rows), dtype=bool)
    used[list(drivers)] = True
    for i in range(len(rows) - 1, -1, -1):
        if used[n_in + i]:
            used[rows[i][1]] = used[rows[i][2]] = True
    used[:n_in] = True
    number = np.cumsum(used) - 1
    kept = np.array(rows, dtype=np.int64).reshape(-1, 3)[used[n_in:]]
    return OpGraph(
        name=name,
        inputs=inputs,
        outputs=outputs,
        op=frozen(kept[:, 0], np.uint8),
        x=frozen(number[kept[:, 1]], np.int32),
        z=frozen(number[kept[:, 2]], np.int32),
        output_signals=frozen(number[list(drivers)], np.int32),
    )
