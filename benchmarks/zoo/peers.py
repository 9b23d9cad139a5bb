"""What a plain flow makes of a network: each table by itself, without don't-cares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nnlogic
from benchmarks.minimize.abc import Abc
from benchmarks.zoo.row import Row
from nnlogic.logic.build import minimize
from nnlogic.run.facts import layer_luts
from nnlogic.tables.ir import Instance, TableNet, block_inputs

PLAIN = Abc("strash; if", {6: "strash; dch; if -K {k}"})
FAMILY = "linear"


def plain_luts(row: Row, path: Path) -> Row:
    """Return the row with the LUT6 of the plain flow, for networks of the linear family.

    Every distinct table is mapped once by ABC (``strash; dch; if -K 6``), with its don't-cares as
    zeros, and counted as often as it is used; argmax and wide sums are ours.
    """
    if row.family != FAMILY:
        return row
    tables = nnlogic.tabulate(nnlogic.load(path), arith="auto")
    counts = [0] * len(tables.functions)
    for instance in _used(tables):
        counts[instance.function] += 1
    total = 0
    for function, count in zip(tables.functions, counts, strict=True):
        if function.n_inputs <= 6:
            scores = function.n_outputs
        else:
            found = PLAIN.run([replace(function, care=None, justification="")], 6)
            scores = 0 if found is None else found[0].luts
        total += count * scores
    return replace(row, plain=total + _arithmetic(tables))


def _used(tables: TableNet) -> list[Instance]:
    # Neurons no output depends on are left out, as every synthesis tool does.
    needed = set(tables.output_signals)
    out = []
    for block in reversed(tables.blocks):
        if needed.intersection(block.outputs):
            needed.update(block_inputs(block))
            if isinstance(block, Instance):
                out.append(block)
    return out


def _arithmetic(tables: TableNet) -> int:
    inside = {b.layer for b in tables.blocks if not isinstance(b, Instance)}
    luts = layer_luts(minimize(tables, effort="fast", jobs=1))
    return sum(luts.get(layer, 0) for layer in inside)
