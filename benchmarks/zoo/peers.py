"""What a plain flow makes of a network: each table by itself, without don't-cares."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from pathlib import Path

import nnlogic
from benchmarks.minimize.abc import Abc
from benchmarks.zoo.row import OBJECTIVE, Row
from nnlogic.job.facts import layer_luts
from nnlogic.logic.build import minimize
from nnlogic.quant.ir import Enumerated, Linear
from nnlogic.tables.ir import Instance, TableNet, block_inputs

PLAIN = Abc("strash; if", {6: "strash; dch; if -K {k}"})


def plain_luts(row: Row, path: Path) -> Row:
    """Return the row with the LUT6 of the plain flow, as authors of such networks count.

    Every distinct table is mapped once by ABC (``strash; dch; if -K 6``), with its don't-cares as
    zeros, and counted as often as it is used. Tables are the enumerated layers, and where there are
    none the linear ones; sums of tables, votes and argmax are ours.
    """
    net = nnlogic.load(path)
    kinds = [type(layer) for layer in net.layers]
    kind = Enumerated if Enumerated in kinds else Linear
    alone = {i for i, found in enumerate(kinds) if found is kind}
    tables = nnlogic.tabulate(net, arith="auto")
    counts = [0] * len(tables.functions)
    for instance in _used(tables):
        counts[instance.function] += instance.layer in alone
    total = 0
    for function, count in zip(tables.functions, counts, strict=True):
        if not count:
            continue
        if function.n_inputs <= 6:
            scores = function.n_outputs
        else:
            found = PLAIN.run([replace(function, care=None, justification="")], 6)
            scores = 0 if found is None else found[0].luts
        total += count * scores
    return replace(row, plain=total + _others(tables, alone))


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


def _others(tables: TableNet, alone: Set[int]) -> int:
    luts = layer_luts(minimize(tables, objective=OBJECTIVE, jobs=1))
    return sum(count for layer, count in luts.items() if layer not in alone)
