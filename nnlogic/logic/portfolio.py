"""Best of many engines for one function, every result checked before it may win."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nnlogic.core.errors import IRError, ToolFailed
from nnlogic.logic.cone import Cone, ConeBuilder, mismatches
from nnlogic.logic.engines.abc import ABC_ENGINES, AbcEngine
from nnlogic.logic.engines.base import Engine
from nnlogic.logic.engines.basis import Basis
from nnlogic.logic.engines.counted import Counted
from nnlogic.logic.engines.cyclic import Cyclic
from nnlogic.logic.engines.decompose import DECOMPOSE_ENGINES, Decompose
from nnlogic.logic.engines.espresso import Espresso
from nnlogic.logic.engines.linear_near import ARITHMETIC_ENGINES
from nnlogic.logic.passes.remove_dead import remove_dead
from nnlogic.logic.polish import polished
from nnlogic.logic.support import Partial, copies, settle_outputs
from nnlogic.tables.ir import Function
from nnlogic.tools.budget import budget

log = logging.getLogger("nnlogic.logic")

_INNER: tuple[Engine, ...] = (
    *(e for e in ABC_ENGINES if e.name in ("ttopt+lnetmap", "ttopt+if")),
    Decompose(),
)
HIDDEN_ENGINES: tuple[Engine, ...] = (
    Basis("basis", _INNER),
    Counted(),
    Cyclic("cyclic", _INNER),
)
"""Structures that tables hide; refused at once, or within a fraction of a second, elsewhere."""
ENGINES: tuple[Engine, ...] = (
    *ARITHMETIC_ENGINES,
    *ABC_ENGINES,
    *DECOMPOSE_ENGINES,
    Espresso(),
    *HIDDEN_ENGINES,
)
FALLBACK: Engine = Decompose()
ENGINE_SET = 10
"""Version of the engines and their scripts; part of the key of cached results."""

ARITHMETIC_FROM = 11
"""Inputs from which scripts are left out once arithmetic has a network. Of 150 linear neurons of 12
inputs they won none: their networks were 1.2 to 6.3 times as large and took two fifths of the time.
"""

PATIENCE = {"fast": 4_000, "normal": 4_000, "high": 60_000}
"""Moves that free nothing, after which arithmetic is left as it is: it is soon through."""

OBJECTIVES: dict[str, Callable[[Cone], tuple[int, ...]]] = {
    # One level is worth one percent of the LUTs: a much deeper network is not smaller for long.
    "balanced": lambda cone: (cone.luts * (100 + cone.depth), cone.luts, cone.edges),
    "area": lambda cone: (cone.luts, cone.depth, cone.edges),
    "depth": lambda cone: (cone.depth, cone.luts, cone.edges),
    "adp": lambda cone: (cone.luts * cone.depth, cone.luts, cone.edges),
}


@dataclass(frozen=True)
class Attempt:
    """One engine's try; `error` is empty when its result was correct."""

    engine: str
    luts: int
    depth: int
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Solution:
    """The best network found for a function.

    Attributes
    ----------
    cone : Cone
        Equal to the function on its care set; exhaustive.
    engine : str
        Name of the engine that won; ``"direct"`` when none was needed.
    seconds : float
        Time spent when it was found.
    attempts : tuple of Attempt
    cached : bool
        Read from the cache of results.
    complete : bool
        False where a budget ended the search; such a solution is not for the cache.
    """

    cone: Cone
    engine: str
    seconds: float
    attempts: tuple[Attempt, ...] = ()
    cached: bool = False
    complete: bool = True


@dataclass(frozen=True)
class SolveOptions:
    """What is asked of the portfolio.

    Attributes
    ----------
    k : int
        Inputs of a LUT.
    effort, objective : str
    timeout : float
        Seconds for one engine.
    budget : float or None
        Seconds for one unit, after which the best network so far is taken; `solve` itself keeps
        to `nnlogic.tools.budget`. Without either, the effort is counted in work, and the result
        does not depend on the machine.
    """

    k: int = 6
    effort: str = "normal"
    objective: str = "balanced"
    timeout: float = 60.0
    budget: float | None = None


def solve(
    function: Function, options: SolveOptions, engines: Sequence[Engine] = ENGINES
) -> Solution:
    """Find the cheapest K-LUT network for a function.

    Inputs and outputs that need no engine are settled first; the rest goes to every applicable
    engine, then to the fallback if none succeeded. At efforts above fast, outputs that one LUT
    settles are then looked at together with the rest, since others may make use of them.

    Raises
    ------
    IRError
        The assembled result differs from the function: a bug.
    """
    start = time.monotonic()
    builder = ConeBuilder(function.n_inputs)
    whole = Partial.of(function)
    signals = settle_outputs(whole, options.k, builder)
    shared = {s: i for i, s in reversed(signals.items()) if builder.reads(s) > 1}
    unsettled = [i for i in range(function.n_outputs) if i not in signals]
    twins = copies(whole, unsettled)
    open_outputs = [i for i in unsettled if i not in twins]
    engine = "direct"
    attempts: list[Attempt] = []
    if open_outputs:
        rest = whole.outputs(open_outputs).reduced()
        cone, engine, attempts = _best(rest.function(function.justification), options, engines)
        signals.update(zip(open_outputs, builder.add(cone, rest.inputs), strict=True))
    together = bool(open_outputs and shared) and options.effort != "fast" and not budget().spent
    if together:
        asked = sorted([*open_outputs, *shared.values()])
        rest = whole.outputs(asked).reduced()
        apart = builder.cone([signals[i] for i in asked])
        cone, engine, more = _together(
            rest.function(function.justification),
            (engine, _on_inputs(apart, rest.inputs)),
            options,
            engines,
        )
        attempts += more
        made = dict(zip(asked, builder.add(cone, rest.inputs), strict=True))
        again = {s: made[i] for s, i in shared.items()}
        signals = {i: again.get(s, s) for i, s in signals.items()} | made
    for i, (original, table) in twins.items():
        signals[i] = builder.lut([signals[original]], table)
    cone = builder.cone([signals[i] for i in range(function.n_outputs)])
    if together:
        cone = remove_dead(cone).cone
    wrong = mismatches(cone, function)
    if wrong or cone.problems(options.k):
        raise IRError(
            "a minimized function differs from its table",
            where=engine,
            why=f"{wrong} of {1 << function.n_inputs} inputs; {cone.problems(options.k)}",
        )
    return Solution(cone, engine, time.monotonic() - start, tuple(attempts))


def _on_inputs(cone: Cone, inputs: Sequence[int]) -> Cone:
    """Number the inputs of a network that reads no others from 0."""
    number = dict(zip(inputs, range(len(inputs)), strict=True))
    live = remove_dead(cone).cone
    builder = ConeBuilder(len(inputs))
    return builder.cone(builder.add(live, [number.get(i, 0) for i in range(cone.n_inputs)]))


def _together(
    function: Function,
    apart: tuple[str, Cone],
    options: SolveOptions,
    engines: Sequence[Engine],
) -> tuple[Cone, str, list[Attempt]]:
    """Improve a network whose simple outputs were made apart, and ask for all outputs at once.

    Arithmetic settles outputs itself; of the scripts, few find more than in their first turn.
    """
    effort = "high" if options.effort == "high" else "fast"
    found = [apart]
    attempts: list[Attempt] = []
    sharing = [e for e in engines if e not in ARITHMETIC_ENGINES]
    _ask(sharing, function, replace(options, effort=effort), found, attempts)
    return _improved(function, options, found, attempts)


def _best(
    function: Function, options: SolveOptions, engines: Sequence[Engine]
) -> tuple[Cone, str, list[Attempt]]:
    found: list[tuple[str, Cone]] = []
    attempts: list[Attempt] = []
    _ask(engines, function, options, found, attempts)
    if not found:
        _try(FALLBACK, function, options, found, attempts)
    if not found:
        raise IRError("no engine has a result", where=FALLBACK.name, why=attempts[-1].error)
    return _improved(function, options, found, attempts)


def _improved(
    function: Function,
    options: SolveOptions,
    found: list[tuple[str, Cone]],
    attempts: list[Attempt],
) -> tuple[Cone, str, list[Attempt]]:
    cost = OBJECTIVES[options.objective]
    arithmetic = _is_arithmetic(min(found, key=lambda item: cost(item[1]))[0])
    start = time.monotonic()
    improved: list[tuple[str, Cone]] = []
    with budget().searching():
        improved = polished(
            found,
            function,
            k=options.k,
            effort=options.effort,
            objective=options.objective,
            cost=cost,
            patience=PATIENCE[options.effort] if arithmetic else None,
            kept={e.name for e in HIDDEN_ENGINES},
        )
    seconds = (time.monotonic() - start) / max(1, len(improved))
    for engine_name, cone in improved:
        wrong = mismatches(cone, function)
        error = f"wrong on {wrong} of {1 << function.n_inputs} inputs" if wrong else ""
        attempts.append(Attempt(engine_name, cone.luts, cone.depth, seconds, error))
        if not wrong:
            found.append((engine_name, cone))
    name, cone = min(found, key=lambda item: cost(item[1]))
    return cone, name, attempts


def _ask(
    engines: Sequence[Engine],
    function: Function,
    options: SolveOptions,
    found: list[tuple[str, Cone]],
    attempts: list[Attempt],
) -> None:
    """Try every engine that may help."""
    usable = [e for e in engines if e.applicable(function, options.k, options.effort)]
    with budget().searching():
        for engine in usable:
            if budget().spent:
                break
            if _outdone(engine, function, found):
                continue
            _try(engine, function, options, found, attempts)


def _outdone(engine: Engine, function: Function, found: Sequence[tuple[str, Cone]]) -> bool:
    """Whether arithmetic has a network already that a script will not come near.

    Where most entries do not matter, scripts come near.
    """
    if function.n_inputs < ARITHMETIC_FROM:
        return False
    return (
        isinstance(engine, AbcEngine)
        and any(_is_arithmetic(name) for name, _ in found)
        and bool(function.care_bools().mean() >= 0.5)
    )


def _is_arithmetic(engine: str) -> bool:
    return engine in {e.name for e in ARITHMETIC_ENGINES}


def _try(
    engine: Engine,
    function: Function,
    options: SolveOptions,
    found: list[tuple[str, Cone]],
    attempts: list[Attempt],
) -> None:
    cone, attempt = attempt_engine(engine, function, options)
    attempts.append(attempt)
    if cone is not None:
        found.append((engine.name, cone))


def attempt_engine(
    engine: Engine, function: Function, options: SolveOptions
) -> tuple[Cone | None, Attempt]:
    """Run one engine and check its result on the whole care set."""
    start = time.monotonic()
    cone: Cone | None = None
    try:
        cone = engine.solve(function, options.k, budget().within_timeout(options.timeout))
        error = "; ".join(cone.problems(options.k))
        wrong = 0 if error else mismatches(cone, function)
        if wrong:
            error = f"wrong on {wrong} of {1 << function.n_inputs} inputs"
    except (ToolFailed, IRError) as failure:
        error = f"{failure.what}: {failure.why}".strip()
    seconds = time.monotonic() - start
    if error or cone is None:
        log.info("engine %s gave no result for %s: %s", engine.name, function.digest, error)
        return None, Attempt(engine.name, 0, 0, seconds, error)
    return cone, Attempt(engine.name, cone.luts, cone.depth, seconds)
