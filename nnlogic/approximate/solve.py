"""Minimize many candidate functions, in parallel and through the cache of results."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nnlogic.core.archive import frozen
from nnlogic.core.bits import pack
from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.cache import ResultCache, default_directory
from nnlogic.logic.cone import Cone, input_patterns
from nnlogic.logic.portfolio import Solution, SolveOptions
from nnlogic.logic.unit import Unit
from nnlogic.tables.ir import Function


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
    cache = ResultCache(default_directory())
    keys = [Unit(c, "candidate", 1).key(options) for c in contents]
    units: dict[str, Unit] = {}
    known: dict[str, Solution] = {}
    for key, content in zip(keys, contents, strict=True):
        if key in known or key in units:
            continue
        unit = Unit(content, "candidate", 1)
        found = cache.read(key)
        if found is not None and unit.accepts(found.cone, options.k):
            known[key] = found
        else:
            units[key] = unit
    if not units:
        return [known[key] for key in keys]
    with progress.step(what, len(units)) as step:
        for key, solution in zip(units, _fresh(list(units.values()), options, jobs), strict=True):
            known[key] = solution
            cache.write(key, solution)
            step.advance(note=solution.engine)
    return [known[key] for key in keys]


def _fresh(units: Sequence[Unit], options: SolveOptions, jobs: int | None) -> list[Solution]:
    jobs = jobs or os.cpu_count() or 1
    if jobs == 1 or len(units) < 2:
        return [unit.solve(options) for unit in units]
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=min(jobs, len(units)))
    return list(pool(delayed(Unit.solve)(unit, options) for unit in units))


def whole_function(cone: Cone) -> Function:
    """Return the table a network computes, without don't-cares."""
    table = cone.evaluate(input_patterns(cone.n_inputs))
    return Function(cone.n_inputs, frozen(pack(table), "uint64"))
