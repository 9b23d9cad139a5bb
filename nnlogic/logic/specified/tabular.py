"""Tables whose outputs may have different don't-cares, through the portfolio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.logic.cache import ResultCache
from nnlogic.logic.cone import Cone, ConeBuilder, function_of
from nnlogic.logic.passes.absorb_inverters import absorb_inverters
from nnlogic.logic.passes.merge_equal import merge_equal
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.logic.portfolio import OBJECTIVES, Solution, SolveOptions
from nnlogic.logic.support import Partial
from nnlogic.logic.unit import Unit
from nnlogic.tables.ir import Function
from nnlogic.tools.budget import budget
from nnlogic.tools.parallel import in_processes

JUSTIFICATION = "observed data"  # don't-cares that the user gives


@dataclass(frozen=True)
class Found:
    """A network, the name of what found it, and whether a part comes from the cache."""

    cone: Cone
    engine: str
    cached: bool = False

    def cost(self, objective: str) -> tuple[int, ...]:
        """Return what is compared under an objective."""
        return OBJECTIVES[objective](self.cone)


def solve_table(part: Partial, options: SolveOptions, jobs: int, cache: ResultCache) -> Found:
    """Minimize tables.

    Outputs with equal care sets are solved together. Where there are several care sets, all
    outputs are solved together once more, each with its don't-cares filled as its own solution
    fills them; the better network stays. Joining the care sets alone would be wrong: an output
    is not defined where only another one matters.

    Parameters
    ----------
    part : Partial
    options : SolveOptions
    jobs : int
        Processes; the result does not depend on it.
    cache : ResultCache
    """
    cares: Bools = np.asarray(part.on | part.off)
    groups: dict[bytes, list[int]] = {}
    for o, care in enumerate(cares):
        groups.setdefault(np.packbits(care).tobytes(), []).append(o)
    members = list(groups.values())
    functions = [function_of(part.on[g], cares[g[0]], JUSTIFICATION) for g in members]
    solutions = solve_functions(functions, options, jobs, cache)
    apart = joined(len(part.inputs), members, [s.cone for s in solutions], len(part.on))
    cached = any(s.cached for s in solutions)
    best = Found(apart, "+".join(dict.fromkeys(s.engine for s in solutions)), cached)
    if len(members) == 1:
        return best
    filled = filled_tables(part, apart)
    function = function_of(filled, np.any(cares, axis=0), JUSTIFICATION)
    together = solve_functions([function], options, 1, cache)[0]
    other = Found(cleaned(together.cone), together.engine, cached or together.cached)
    return min(best, other, key=lambda found: found.cost(options.objective))


def filled_tables(part: Partial, cone: Cone) -> Bools:
    """Return the tables with don't-cares as `cone` fills them, shape (outputs, 2**n)."""
    n = len(part.inputs)
    index = np.arange(1 << n)
    patterns = ((index >> np.arange(n)[:, None]) & 1).astype(bool)
    return part.on | (cone.evaluate(patterns) & ~part.off)


def solve_functions(
    functions: Sequence[Function], options: SolveOptions, jobs: int, cache: ResultCache
) -> list[Solution]:
    """Solve functions in parallel, through the cache."""
    units = [Unit(f, f"function {i}", 1) for i, f in enumerate(functions)]
    read = ((i, cache.read(unit, options)) for i, unit in enumerate(units))
    known = {i: found for i, found in read if found is not None}
    waiting = [i for i in range(len(units)) if i not in known]
    fresh = in_processes(Unit.solve, [(units[i], options) for i in waiting], jobs)
    with budget().searching():
        for i, solution in zip(waiting, fresh, strict=True):
            cache.write(units[i].key(options), solution)
            known[i] = solution
    for i in waiting:
        if i not in known:  # interrupted: the budget is spent, so this is quick
            known[i] = units[i].solve(options)
    return [known[i] for i in range(len(units))]


def joined(
    n_inputs: int, members: Sequence[Sequence[int]], cones: Sequence[Cone], n_outputs: int
) -> Cone:
    """Put networks on the same inputs together; ``members[i]`` are the outputs of ``cones[i]``."""
    builder = ConeBuilder(n_inputs)
    signals = [0] * n_outputs
    for outputs, cone in zip(members, cones, strict=True):
        for o, s in zip(outputs, builder.add(cone, range(n_inputs)), strict=True):
            signals[o] = s
    return cleaned(builder.cone(signals))


def cleaned(cone: Cone) -> Cone:
    """Fold constants and inverters and merge equal nodes, until nothing changes."""
    while True:
        before = cone
        for rewrite in (propagate_constants, absorb_inverters, merge_equal):
            cone = rewrite(cone).cone
        if cone == before:
            return cone
