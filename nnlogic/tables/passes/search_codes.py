"""Joint codes of units whose cone is too wide to enumerate: simulation, then SAT sweeping.

What simulation shows is reachable for certain. Each combination it never shows becomes an output
of a network for ABC, which sweeps it (simulation-guided merging of equivalent nodes by SAT): an
output that comes back constant 0 never occurs. What is not settled within the limit of conflicts
counts as reachable, so the result is a superset of what occurs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.tables.ir import MAX_INPUTS, block_inputs
from nnlogic.tables.passes.cone_sources import Plan
from nnlogic.tables.passes.graph import Graph, Pins, narrow, table_index
from nnlogic.tables.passes.joint_codes import compute_codes
from nnlogic.tools.abc import transform_blif


@dataclass(frozen=True, eq=False)
class Question:
    """Indices of some pins, of which it is asked whether they occur.

    Attributes
    ----------
    pins : tuple of Pins
    indices : int64 array
        0 on all other pins.
    """

    pins: tuple[Pins, ...]
    indices: IntArray


def simulate(graph: Graph, pins: Sequence[Pins], plan: Plan, samples: int) -> Bools:
    """Return which table indices random combinations of the sources show, (2**MAX_INPUTS,)."""
    rng = np.random.default_rng(plan.nodes[-1] if plan.nodes else 0)
    values: dict[int, IntArray] = {}
    for cluster in plan.clusters:
        drawn = cluster.values[rng.integers(0, len(cluster), samples)]
        values |= {u: narrow(drawn[:, i]) for i, u in enumerate(cluster.units)}
    compute_codes(graph, values, plan.nodes)
    seen = np.zeros(1 << MAX_INPUTS, dtype=bool)
    seen[table_index(p.spread(values[p.unit]) for p in pins)] = True
    return seen


def sweep(
    graph: Graph, questions: Sequence[Question], *, conflicts: int, timeout: float
) -> list[Bools]:
    """Find indices that never occur.

    Outputs of arithmetic blocks are left free, which is sound and may find less.

    Parameters
    ----------
    graph : Graph
    questions : sequence of Question
    conflicts : int
        Limit for one SAT query of the sweep.
    timeout : float
        Seconds after which ABC is stopped, and nothing is known.

    Returns
    -------
    list of bool arrays
        Per question and index: proved never to occur.
    """
    answers = [np.zeros(len(q.indices), dtype=bool) for q in questions]
    script = f"strash; &get -n; &fraig -x -C {conflicts}; &put"
    try:
        swept = transform_blif(_blif(graph, questions), script, timeout=timeout)
    except ToolFailed:
        return answers
    for name in _zeros(swept):
        question, index = name[1:].split("_")
        answers[int(question)][int(index)] = True
    return answers


def _blif(graph: Graph, questions: Sequence[Question]) -> str:
    """Return the cone of all questions, with an output ``q<question>_<index>`` for each index."""
    inputs: list[str] = []
    outputs: list[str] = []
    lines = [".names zero", ".names one", "1"]
    for unit in graph.cone(tuple({p.unit for q in questions for p in q.pins})):
        block, function = graph.block(unit), graph.function(unit)
        if block is None or function is None:
            inputs += [f"s{s}" for s in graph.signals(unit)]
            continue
        pins = [f"s{s}" for s in block_inputs(block)]
        memo: dict[bytes, str] = {}
        for signal, row in zip(block.outputs, function.table(), strict=True):
            net = _tree(pins, row, memo, lines, f"t{unit}_")
            lines += [f".names {net} s{signal}", "1 1"]
    for number, question in enumerate(questions):
        nets = [f"s{graph.signals(p.unit)[place]}" for p in question.pins for place in p.places]
        order = [pin for p in question.pins for pin in p.pins]
        for i, index in enumerate(question.indices.tolist()):
            cube = "".join(str(index >> pin & 1) for pin in order)
            outputs.append(f"q{number}_{i}")
            lines += [f".names {' '.join(nets)} {outputs[-1]}", f"{cube} 1"]
    head = [".model reach", " ".join([".inputs", *inputs]), " ".join([".outputs", *outputs])]
    return "\n".join([*head, *lines, ".end", ""])


def _tree(
    pins: list[str], row: Bools, memo: dict[bytes, str], lines: list[str], prefix: str
) -> str:
    """Add a truth table as multiplexers, equal parts once, and return the net of its value."""
    if row.all() or not row.any():
        return "one" if row.all() else "zero"
    half = len(row) // 2
    low, high = row[:half], row[half:]
    if np.array_equal(low, high):
        return _tree(pins[:-1], low, memo, lines, prefix)
    key = row.tobytes()
    if key not in memo:
        one = _tree(pins[:-1], high, memo, lines, prefix)
        zero = _tree(pins[:-1], low, memo, lines, prefix)
        memo[key] = f"{prefix}{len(memo)}"
        lines += [f".names {pins[-1]} {one} {zero} {memo[key]}", "11- 1", "0-1 1"]
    return memo[key]


def _zeros(blif: str) -> list[str]:
    """Return the outputs that a BLIF network drives with constant 0."""
    out, name = [], ""
    for line in blif.replace("\\\n", " ").splitlines():
        words = line.split()
        if name and (not words or words[-1] != "1"):
            out.append(name)
        is_constant = len(words) == 2 and words[0] == ".names" and words[1].startswith("q")
        name = words[1] if is_constant else ""
    return out
