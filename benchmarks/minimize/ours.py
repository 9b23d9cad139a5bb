"""nnlogic itself, through its public functions, nothing cached."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.minimize.neurons import random_neuron
from benchmarks.minimize.parts import (
    Netlist,
    Part,
    Sampled,
    Score,
    Stopwatch,
    check_blif,
    check_cone,
    netlist_of,
)
from nnlogic.approximate.tables import approximate
from nnlogic.checks.agreement import measure
from nnlogic.logic.abc_blif import write_blif
from nnlogic.logic.build import minimize
from nnlogic.logic.formats import encode, parse
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.network.net import optimize_net
from nnlogic.logic.portfolio import SolveOptions, solve
from nnlogic.logic.rewrite import cone_of
from nnlogic.logic.specified import minimize_specification
from nnlogic.tables.ir import Function
from nnlogic.tables.passes import simplify

BUDGET = 0.5
"""Percentage points approximate mode may lose on a network."""


@dataclass(frozen=True)
class Ours:
    """The portfolio on single functions, `minimize` on networks of tables.

    On functions whose care set was observed in data, and on networks with rows, this is
    approximate mode.
    """

    name: str
    effort: str = "high"
    objective: str = "area"

    def run(self, parts: Sequence[Part], k: int) -> list[Score]:
        """Minimize every part."""
        return [self._part(part, k) for part in parts]

    def _part(self, part: Part, k: int) -> Score:
        if isinstance(part, Function):
            return self._table(part, k)
        if isinstance(part, Sampled):
            return self._sampled(part, k)
        return self._gates(part, k) if part.tables is None else self._net(part, k)

    def _table(self, function: Function, k: int) -> Score:
        with Stopwatch() as watch:
            cone = solve(function, SolveOptions(k, self.effort, self.objective)).cone
        return Score(cone.luts, cone.depth, watch.seconds, check_cone(cone, function), cone=cone)

    def _gates(self, part: Netlist, k: int) -> Score:
        spec = parse(part.blif.encode(), part.name, ".blif")
        with Stopwatch() as watch:
            cone = minimize_specification(spec, SolveOptions(k, self.effort, self.objective)).cone
        blif = encode(".blif", part.name, spec.inputs, spec.outputs, cone).decode()
        return Score(cone.luts, cone.depth, watch.seconds, check_blif(blif, part))

    def _net(self, part: Netlist, k: int) -> Score:
        assert part.tables is not None
        with Stopwatch() as watch:
            tables, _ = simplify(part.tables, effort=self.effort)
            asked: dict[str, Any] = {"effort": self.effort, "objective": self.objective, "jobs": 1}
            logic = minimize(tables, k=k, cache_dir=False, **asked)
            logic = optimize_net(logic, layers="keep" if part.layered else "merge", **asked)
        checked = check_blif(write_blif(cone_of(logic)), part)
        depth = layer_depth(logic) if part.layered else logic.stats()["depth"]
        return Score(logic.stats()["luts"], depth, watch.seconds, checked)

    def _sampled(self, part: Sampled, k: int) -> Score:
        """Approximate a network within `BUDGET`, then treat what it became as any other."""
        with nothing_cached(), Stopwatch() as watch:
            found = approximate(
                part.tables, part.split, SolveOptions(k, "fast"), budget=BUDGET, jobs=1
            )
        score = self._net(netlist_of(found.net), k)
        test = part.split.test
        there = measure(part.net, found.net, test.codes, test.labels)
        note = f"{there.same:.2f} %, accuracy {there.exact:.2f} to {there.approximate:.2f} %"
        return replace(score, seconds=score.seconds + watch.seconds, note=note)


@contextmanager
def nothing_cached() -> Iterator[None]:
    """Use an empty cache of results."""
    before = os.environ.get("XDG_CACHE_HOME")
    with TemporaryDirectory(prefix="nnlogic-cache-") as name:
        os.environ["XDG_CACHE_HOME"] = name
        try:
            yield
        finally:
            del os.environ["XDG_CACHE_HOME"]
            if before is not None:
                os.environ["XDG_CACHE_HOME"] = before


def layer_depth(net: LogicNet) -> int:
    """Return the LUT levels of the deepest layer, with registers between layers."""
    level = [0] * (net.n_inputs + net.n_nodes)
    for i, count in enumerate(net.fan_in_counts.tolist()):
        own = net.node_layers[i]
        before = [
            level[s]
            for s in net.fanins[i, :count].tolist()
            if s >= net.n_inputs and net.node_layers[s - net.n_inputs] == own
        ]
        level[net.n_inputs + i] = max(before, default=0) + (count >= 2)
    return max(level, default=0)


def warm_up(effort: str) -> None:
    """Compile the numeric kernels, so that the first row does not pay for it."""
    function = random_neuron(np.random.default_rng(0), 4, 2, 2)
    for k in (4, 6):
        solve(function, SolveOptions(k, effort, "area"))
