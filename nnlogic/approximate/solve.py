"""Minimize many candidate functions, in parallel and through the cache of results."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nnlogic.core.archive import frozen
from nnlogic.core.bits import pack
from nnlogic.core.places import cache_folder
from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.cache import ResultCache
from nnlogic.logic.cone import Cone, input_patterns
from nnlogic.logic.portfolio import Solution, SolveOptions
from nnlogic.logic.unit import Unit
from nnlogic.tables.ir import Function
from nnlogic.tools.parallel import in_processes


def solve_all(
    contents: Sequence[Function],
    options: SolveOptions,
    *,
    jobs: int | None = None,
    what: str = "minimize candidates",
    progress: Progress = SILENT,
) -> list[Solution]:
    """Minimize functions; equal ones once.

    Parameters
    ----------
    contents : sequence of Function
    options : SolveOptions
    jobs : int, optional
        Processes; all cores when None.
    what : str
        Name of the step.
    progress : Progress
    """
    cache = ResultCache(cache_folder())
    keys = [Unit(c, "candidate", 1).key(options) for c in contents]
    units: dict[str, Unit] = {}
    known: dict[str, Solution] = {}
    for key, content in zip(keys, contents, strict=True):
        if key in known or key in units:
            continue
        unit = Unit(content, "candidate", 1)
        found = cache.read(unit, options)
        if found is not None:
            known[key] = found
        else:
            units[key] = unit
    if not units:
        return [known[key] for key in keys]
    with progress.step(what, len(units)) as step:
        calls = [(unit, options) for unit in units.values()]
        fresh = in_processes(Unit.solve, calls, jobs or os.cpu_count() or 1)
        for key, solution in zip(units, fresh, strict=True):
            known[key] = solution
            cache.write(key, solution)
            step.advance(note=solution.engine)
    return [known[key] for key in keys]


def whole_function(cone: Cone) -> Function:
    """Return the table a network computes, without don't-cares."""
    table = cone.evaluate(input_patterns(cone.n_inputs))
    return Function(cone.n_inputs, frozen(pack(table), "uint64"))
