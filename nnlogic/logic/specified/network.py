"""Networks: whole, and output by output as tables where few inputs matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.progress import Progress
from nnlogic.logic.cache import ResultCache
from nnlogic.logic.cone import Cone, ConeBuilder, input_patterns
from nnlogic.logic.network import optimize
from nnlogic.logic.passes.remove_dead import remove_dead
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.logic.specified.starts import best_start
from nnlogic.logic.specified.tabular import Found, cleaned, solve_table
from nnlogic.logic.support import Partial
from nnlogic.tables.ir import MAX_INPUTS
from nnlogic.tools.budget import budget

TABLE_INPUTS = {"fast": 12, "normal": 14, "high": MAX_INPUTS}
"""Inputs up to which outputs of a wider network are also solved as tables."""
MOST_TABLES = {"fast": 8, "normal": 64, "high": 512}


def solve_network(
    cone: Cone,
    options: SolveOptions,
    jobs: int,
    cache: ResultCache,
    progress: Progress,
    free: Cone | None = None,
    cover: str = "",
) -> Found:
    """Minimize a network; tables are tried where they are small enough, the better one stays.

    Where `free` is 1, the output of the same number does not matter; tables make use of that.
    `cover` is the same function as a cover, see `nnlogic.logic.specified.starts`.
    """
    cone = cleaned(remove_dead(cone).cone)
    with progress.step("map the network") as step:
        start = best_start(cone, options, cover)
        step.advance(note=start.engine)
    best = start
    with budget().searching():
        best = optimized(start, options, jobs, progress)
        return _or_tables(cone, best, options, jobs, cache, progress, free)
    return best


def _or_tables(
    cone: Cone,
    whole: Found,
    options: SolveOptions,
    jobs: int,
    cache: ResultCache,
    progress: Progress,
    free: Cone | None,
) -> Found:
    """Solve outputs of few inputs as tables; return the better network."""
    split = _split(cone, options, free)
    if not split or budget().spent:
        return whole
    with progress.step("tables", len(split)) as step:
        builder = ConeBuilder(cone.n_inputs)
        signals: dict[int, int] = {}
        engines: list[str] = []
        cached = False
        for support, outputs in split:
            if budget().spent:
                return whole
            found = solve_table(tabulated(cone, support, outputs, free), options, jobs, cache)
            signals.update(zip(outputs, builder.add(found.cone, support), strict=True))
            engines.append(found.engine)
            cached |= found.cached
            step.advance(note=found.engine)
        # What has too many inputs for a table comes from the optimized network.
        rest = builder.add(whole.cone, range(cone.n_inputs))
        outputs_now = [signals.get(o, rest[o]) for o in range(len(cone.outputs))]
        mixed = cleaned(remove_dead(builder.cone(outputs_now)).cone)
    name = "+".join(dict.fromkeys(engines))
    return min(whole, Found(mixed, name, cached), key=lambda found: found.cost(options.objective))


def optimized(start: Found, options: SolveOptions, jobs: int, progress: Progress) -> Found:
    """Improve a mapped network."""
    cone = optimize(
        start.cone,
        k=options.k,
        objective=options.objective,
        effort=options.effort,
        jobs=jobs,
        progress=progress,
    )
    found = Found(cone, f"{start.engine}, windows")
    return min(start, found, key=lambda f: f.cost(options.objective))


def tabulated(
    cone: Cone, support: Sequence[int], outputs: Sequence[int], free: Cone | None = None
) -> Partial:
    """Return some outputs as tables over the inputs that they, and their don't-cares, read."""
    on = _values(cone, support, outputs)
    care = np.ones_like(on) if free is None else ~_values(free, support, outputs)
    return Partial(on & care, ~on & care, tuple(range(len(support))))


def _values(cone: Cone, support: Sequence[int], outputs: Sequence[int]) -> Bools:
    signals = [0] * cone.n_inputs
    for i, s in enumerate(support):
        signals[s] = i
    first = len(support)
    signals += range(first, first + cone.n_nodes)
    wanted = Cone(cone.n_inputs, cone.fanins, cone.tables, tuple(cone.outputs[o] for o in outputs))
    live = remove_dead(wanted).cone
    small = Cone(
        first,
        tuple(tuple(signals[s] for s in fanin) for fanin in live.fanins),
        live.tables,
        tuple(signals[s] for s in live.outputs),
    )
    return small.evaluate(input_patterns(first))


def _split(
    cone: Cone, options: SolveOptions, free: Cone | None
) -> list[tuple[tuple[int, ...], list[int]]]:
    """Group outputs of few inputs: (inputs, outputs), widest first; empty when not worth it."""
    everything = tuple(range(cone.n_inputs))
    if cone.n_inputs <= MAX_INPUTS:
        return [(everything, list(range(len(cone.outputs))))]
    limit = TABLE_INPUTS[options.effort]
    supports = _supports(cone, limit)
    if free is not None:
        more = _supports(free, limit)
        pairs = zip(supports, more, strict=True)
        supports = [None if a is None or b is None else a | b for a, b in pairs]
    groups: list[tuple[frozenset[int], list[int]]] = []
    found = [(o, s) for o, s in enumerate(supports) if s is not None and len(s) <= limit]
    for o, support in sorted(found, key=lambda pair: (-len(pair[1]), pair[0])):
        home = next((g for g in groups if support <= g[0]), None)
        if home is not None:
            home[1].append(o)
        elif len(groups) == MOST_TABLES[options.effort]:
            return []
        else:
            groups.append((support, [o]))
    return [(tuple(sorted(support)), outputs) for support, outputs in groups]


def _supports(cone: Cone, limit: int) -> list[frozenset[int] | None]:
    """Return the inputs that each output reads; None where they are more than `limit`."""
    supports: list[frozenset[int] | None] = [frozenset([s]) for s in range(cone.n_inputs)]
    for fanin in cone.fanins:
        below = [supports[s] for s in fanin]
        merged = frozenset().union(*(b for b in below if b is not None))
        supports.append(None if None in below or len(merged) > limit else merged)
    return [supports[s] for s in cone.outputs]
