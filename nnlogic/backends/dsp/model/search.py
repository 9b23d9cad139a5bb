"""Search over the number of slices and contexts: what each choice costs, and which to take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nnlogic.backends.dsp.model.cost import Cost, cost_of
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.machine import LATENCY, Bounds, Machine, bounds
from nnlogic.backends.dsp.model.place import MemoryMissed, compile_ops, contexts_for, machine_for
from nnlogic.core.errors import Problem, TargetMissed

SLICES = (1, 2, 4, 8, 16, 32, 64)
NEAR, GAIN = 1.04, 0.99
"""A program that much longer than its bound is tried with more input banks; what they must give."""

LIMITS = ("slices", "brams", "luts", "latency_ns", "throughput")


@dataclass(frozen=True, slots=True)
class Budget:
    """Most a program may use, and the least it must do; None is no limit.

    Attributes
    ----------
    slices, brams, luts : int or None
        DSP slices, 36 Kb block RAMs, LUT6 of crossbar and small memories.
    latency_ns : float or None
    throughput : float or None
        Least input vectors per second.
    """

    slices: int | None = None
    brams: int | None = None
    luts: int | None = None
    latency_ns: float | None = None
    throughput: float | None = None

    def excess(self, name: str, cost: Cost) -> float:
        """By how much a cost misses a limit; not positive where it is met, or there is none."""
        limit = getattr(self, name)
        if limit is None:
            return 0.0
        over = float(getattr(cost, name)) - limit
        return -over if name == "throughput" else over

    def misses(self, cost: Cost) -> list[str]:
        """Names of the limits a cost misses."""
        return [name for name in LIMITS if self.excess(name, cost) > 0]


@dataclass(frozen=True, slots=True)
class Point:
    """One engine that was tried.

    Attributes
    ----------
    program : Program
    bounds : Bounds
    cost : Cost
    """

    program: Program
    bounds: Bounds
    cost: Cost


def engine_for(graph: OpGraph, slices: int, **options: int) -> tuple[Machine, Program]:
    """Return a program, and its machine: that of `machine_for`, or one with more input banks.

    The first steps read nothing but inputs. Where their ports hold a short program back, twice
    the banks, and again twice, are worth their place in the crossbar as long as they shorten it.

    Parameters
    ----------
    graph : OpGraph
    slices : int
    **options
        As for `machine_for`.

    Raises
    ------
    TargetMissed
        The program does not fit its memories.
    """
    machine = machine_for(graph, slices, **options)
    program = compile_ops(graph, machine)
    while "input_banks" not in options and 2 * machine.input_banks <= max(2, slices):
        wide = replace(machine, input_banks=2 * machine.input_banks)
        if program.steps <= NEAR * bounds(graph, wide).steps:
            break
        other = compile_ops(graph, wide)
        if other.steps > GAIN * program.steps:
            break
        machine, program = wide, other
    return machine, program


def point_for(graph: OpGraph, slices: int, mhz: float | None = None, **options: int) -> Point:
    """Return the engine of `engine_for` with its bounds and its cost.

    Raises
    ------
    TargetMissed
        The program does not fit its memories.
    """
    machine, program = engine_for(graph, slices, **options)
    return Point(program, bounds(graph, machine), cost_of(program, mhz=mhz))


def search(
    graph: OpGraph,
    *,
    slices: Sequence[int] = SLICES,
    mhz: float | None = None,
    latency: int = LATENCY,
    **options: int,
) -> tuple[Point, ...]:
    """Compile `graph` for each number of slices, with few and with many contexts.

    Parameters
    ----------
    graph : OpGraph
    slices : sequence of int
    mhz : float, optional
        Assumed clock for all points; default the model of `nnlogic.backends.dsp.model.cost`.
    latency : int
        Pipeline latency in cycles.
    **options
        Fields of `Machine` that hold for all points.

    Raises
    ------
    MemoryMissed
        No choice fits the memories; the problem of each is listed.
    """
    points: list[Point] = []
    problems: list[Problem] = []
    for n in slices:
        fewest = contexts_for(graph, n, latency)
        for contexts in sorted({1, fewest, latency}):
            try:
                asked = {"contexts": contexts, "latency": latency, **options}
                points.append(point_for(graph, n, mhz, **asked))
            except TargetMissed as error:
                found = error.problems or (Problem("", error.why, error.fix),)
                where = f"{n} slices, {contexts} contexts"
                problems += [replace(p, where=where) for p in found]
    if not points:
        raise MemoryMissed("no engine fits", where=graph.name, problems=problems)
    return tuple(points)


def pareto(points: Iterable[Point]) -> tuple[Point, ...]:
    """Return the points no other one beats in throughput, latency, slices, block RAM and LUTs."""
    all_points = list(points)

    def score(point: Point) -> tuple[float, ...]:
        cost = point.cost
        return (-cost.throughput, cost.latency_ns, cost.slices, cost.brams, cost.luts)

    def beaten(mine: tuple[float, ...], other: tuple[float, ...]) -> bool:
        return other != mine and all(o <= m for o, m in zip(other, mine, strict=True))

    scores = [score(p) for p in all_points]
    return tuple(
        p
        for p, mine in zip(all_points, scores, strict=True)
        if not any(beaten(mine, other) for other in scores)
    )


def choose(points: Sequence[Point], budget: Budget) -> Point:
    """Return the point of highest throughput inside the budget, then of the least resources.

    Raises
    ------
    TargetMissed
        No point fits: says by how much the nearest ones miss each limit, and what would do.
    """
    fitting = [p for p in points if not budget.misses(p.cost)]
    if fitting:
        return min(
            fitting, key=lambda p: (-p.cost.throughput, p.cost.slices, p.cost.brams, p.cost.luts)
        )
    problems = []
    for name in LIMITS:
        limit = getattr(budget, name)
        if limit is None:
            continue
        nearest = min(points, key=lambda p: (budget.excess(name, p.cost), -p.cost.throughput)).cost
        excess = budget.excess(name, nearest)
        also = "".join(
            f"; there, {n} is {getattr(nearest, n):.4g} (limit {getattr(budget, n):.4g})"
            for n in budget.misses(nearest)
            if n != name
        )
        word = "less" if name == "throughput" else "more"
        over = f"{excess:.4g} {word} than" if excess > 0 else "inside"
        problems.append(
            Problem(
                name,
                f"the best found is {getattr(nearest, name):.4g}, {over} the limit of "
                f"{limit:.4g}{also}",
                f"allow {nearest.slices} slices, {nearest.brams} block RAMs, {nearest.luts} LUTs, "
                f"{nearest.latency_ns:.0f} ns, {nearest.throughput:.4g} vectors per second",
            )
        )
    raise TargetMissed("the budget cannot be met", problems=problems)
