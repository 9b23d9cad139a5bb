"""What backends propose under budgets, and what they may ask to do so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nnlogic.core.errors import Problem
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.targets import Target
from nnlogic.job.backend import Backend, make_options
from nnlogic.job.options import Budgeted, Options
from nnlogic.job.stages.logic import ENGINE_SECONDS, optimized
from nnlogic.logic.build import minimize
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import TableNet
from nnlogic.tables.passes import simplify


@dataclass(frozen=True)
class Proposal:
    """A design that a backend could build, as estimated.

    Attributes
    ----------
    backend : Backend
    opts : Options
        What builds it, of the backend's own class.
    figures : str
        What it takes, in words.
    throughput : float
        Vectors per second.
    luts : int
    missed : tuple of Problem
        Budgets it misses, by how much, and what would do; empty where it is within.
    """

    backend: Backend
    opts: Options | None
    figures: str
    throughput: float = 0.0
    luts: int = 0
    missed: tuple[Problem, ...] = ()


@dataclass(frozen=True, eq=False)
class Planning:
    """A network, the budgets, and logic of it that is made once, when it is first asked for.

    Attributes
    ----------
    net : QuantNet
    target : Target
    given : mapping
        Options as given, of any backend.
    budgets : Budgeted
    """

    net: QuantNet
    target: Target
    given: Mapping[str, Any]
    budgets: Budgeted
    progress: Progress = SILENT
    _logic: dict[int, LogicNet] = field(default_factory=dict, repr=False)

    def options(self, backend: Backend, **changes: Any) -> Any:
        """Return options of a backend: what it knows of those given, with changes.

        Raises
        ------
        UsageError
            They do not fit.
        """
        given = {**self.given, "backend": backend.name, **changes}
        return make_options(backend, given, strict=False)

    @cached_property
    def tables(self) -> TableNet:
        """Simplified tables of the network."""
        opts = self.budgets
        exact = tabulate(
            self.net,
            limit=opts.table_limit,
            arith=opts.arith,
            unroll=opts.unroll_limit,
            progress=self.progress,
        )
        net, _ = simplify(
            exact, effort=opts.effort, timeout=opts.tool_timeout, progress=self.progress
        )
        return net

    def logic(self, k: int) -> LogicNet:
        """Return the network minimized to nodes of `k` inputs, as a run would."""
        if k not in self._logic:
            opts = self.budgets
            made = minimize(
                self.tables,
                k=k,
                effort=opts.effort,
                objective=opts.objective,
                jobs=opts.jobs,
                timeout=min(ENGINE_SECONDS, opts.tool_timeout),
                progress=self.progress,
            )
            self._logic[k] = optimized(made, opts, self.progress)
        return self._logic[k]
