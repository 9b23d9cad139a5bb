"""Which engine, under the user's budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.plot import Tried, tried_rows
from nnlogic.backends.dsp.model.search import Budget, Point, choose, point_for, search
from nnlogic.backends.dsp.options import DspOptions
from nnlogic.core.errors import Problem, TargetMissed, UsageError
from nnlogic.flows.target_facts import DspRoom
from nnlogic.flows.targets import Target
from nnlogic.hw.slice_kinds import FABRIC

MOST_SLICES = 64
"""Slices tried when nothing says how many; the crossbar grows with their square."""
CHEAP_OPS = 5000
"""Operations up to which other engines are tried only to compare."""
NAMES = {
    "slices": "--max-dsps",
    "luts": "--max-luts",
    "latency_ns": "--max-latency, ns",
    "throughput": "--samples-per-second",
    "brams": "block RAMs of the part",
}


def with_slices() -> str:
    """Return the targets whose DSP slices do bitwise logic, as options."""
    return Target.flags(lambda other: other.dsp is not None and other.dsp.kind != FABRIC)


def with_kind(kind: str) -> str:
    """Return the targets whose engines are made of a kind of slices, as options."""
    return Target.flags(lambda other: other.dsp is not None and other.dsp.kind == kind)


def room_of(target: Target, opts: DspOptions) -> DspRoom:
    """Return what an engine may use on a target.

    Raises
    ------
    UsageError
        No engine is made for the target, or its slices are LUTs and their number is limited.
    """
    room = target.dsp
    if room is None:
        raise UsageError(
            f"{target.name} has no DSP logic units",
            where="--target",
            why=f"the slices of {target.title} do no bitwise logic on wide words",
            fix=f"{with_slices()}; --backend dsp {with_kind(FABRIC)} runs the same program on "
            "ordinary LUTs (fabric variant)",
        )
    if room.kind == FABRIC and opts.dsps is None and opts.max_dsps is None:
        raise UsageError(
            "the fabric variant needs to know how many slices it may use",
            where="--dsps",
            why=f"its slices are LUTs of {target.name}, which are known only after synthesis, so "
            "nothing limits their number",
            fix="--dsps N, or --max-dsps N to have it choose",
        )
    if room.kind == FABRIC and opts.max_luts is not None:
        raise UsageError(
            "the LUTs of the fabric variant are known only after synthesis",
            where="--max-luts",
            why=f"{target.name} has no DSP logic units; its slices are LUTs, which no model counts",
            fix=f"leave it out and run `nnlogic synth`, or {with_slices()}",
        )
    return room


def assumed_clock(target: Target, opts: DspOptions) -> float | None:
    """Return the clock for times in MHz; None for the model in `model.cost`."""
    if opts.clock is not None:
        return opts.clock
    fabric = target.dsp is not None and target.dsp.kind == FABRIC
    return target.clock_mhz if fabric else None


def check_slices(graph: OpGraph, target: Target, opts: DspOptions) -> DspRoom:
    """Return what an engine may use on a target, where the slices asked for make sense there.

    Raises
    ------
    UsageError
        More slices than operations.
    TargetMissed
        More slices than the part has.
    """
    room = room_of(target, opts)
    if opts.dsps is not None and opts.dsps > graph.n_ops:
        raise UsageError(
            "more slices than operations", where="--dsps",
            why=f"{opts.dsps} slices for {graph.n_ops} operations: most could never work",
            fix=f"--dsps {max(1, graph.n_ops // max(1, graph.depth))} keeps them all busy, at "
            "most " + str(graph.n_ops),
        )  # fmt: skip
    if opts.dsps is not None and room.dsps is not None and opts.dsps > room.dsps:
        raise TargetMissed(
            "more slices than the part has", where=f"--dsps, {room.part}",
            why=f"{opts.dsps} slices, {opts.dsps - room.dsps} more than its {room.dsps}",
            fix=f"--dsps {room.dsps} or fewer, or a larger part ({with_slices()})",
        )  # fmt: skip
    return room


def try_engines(graph: OpGraph, target: Target, opts: DspOptions) -> tuple[Point, ...]:
    """Return the engines to choose from: the one asked for, or several numbers of slices.

    Raises
    ------
    UsageError
        More slices than operations.
    TargetMissed
        More slices than the part has, or no program fits its memories.
    """
    room = check_slices(graph, target, opts)
    mhz = assumed_clock(target, opts)
    if opts.dsps is not None and not opts.budgeted:
        return (point_for(graph, opts.dsps, mhz, **opts.memories),)
    return search(graph, slices=_slices(graph, opts, room), mhz=mhz, **opts.memories)


def choose_engine(
    graph: OpGraph, target: Target, opts: DspOptions, tried: Sequence[Point] | None = None
) -> Point:
    """Return the engine of highest throughput inside the budgets, and inside the part.

    Parameters
    ----------
    graph : OpGraph
    target : Target
    opts : DspOptions
    tried : sequence of Point, optional
        What `try_engines` returned.

    Raises
    ------
    UsageError
        More slices than operations.
    TargetMissed
        Nothing fits: by how much, and what would do.
    """
    points = try_engines(graph, target, opts) if tried is None else tried
    return within(points, target, opts)


def most_slices(graph: OpGraph, target: Target, opts: DspOptions) -> int:
    """Return the number of slices asked for, or the largest worth trying."""
    return _slices(graph, opts, room_of(target, opts))[-1]


def within(points: Sequence[Point], target: Target, opts: DspOptions) -> Point:
    """Return the point of highest throughput inside the budgets, and inside the part.

    Raises
    ------
    TargetMissed
        None is: by how much, and what would do.
    """
    room = room_of(target, opts)
    luts = min((n for n in (opts.max_luts, room.luts) if n is not None), default=None)
    budget = Budget(
        slices=_limit(opts, room), brams=room.brams, luts=luts, latency_ns=opts.max_latency,
        throughput=opts.samples_per_second,
    )  # fmt: skip
    try:
        return choose(points, budget)
    except TargetMissed as error:
        raise TargetMissed(
            "no engine meets the budgets", where=_asked(opts, room, target),
            problems=_missed(error, points, budget, opts),
        ) from error  # fmt: skip


def engines_beside(
    graph: OpGraph, point: Point, tried: Sequence[Point], target: Target, opts: DspOptions
) -> tuple[tuple[Tried, ...], str]:
    """Return the engines a report compares, the chosen one among them, and why these.

    With ``--dsps`` only one was tried; others are tried here where that is cheap.
    """
    if len({p.cost.slices for p in tried}) > 1 or opts.dsps is None:
        return tried_rows(tried, point), "the fastest engine within the budgets and the part"
    if graph.n_ops > CHEAP_OPS:
        why = f"others are not tried with --dsps and more than {CHEAP_OPS:,} operations"
        return tried_rows(tried, point), f"{why}; leave --dsps out, or --max-dsps N, to try them"
    free = replace(opts, dsps=None)
    slices = {*_slices(graph, free, room_of(target, opts))} - {opts.dsps}
    try:
        others = search(
            graph, slices=sorted(slices), mhz=assumed_clock(target, opts), **opts.memories
        )
    except TargetMissed:
        others = ()
    why = f"--dsps {opts.dsps} was asked for; the others show what more or fewer slices give"
    return tried_rows((*others, *tried), point), why


def _limit(opts: DspOptions, room: DspRoom) -> int | None:
    return min((n for n in (opts.max_dsps, opts.dsps, room.dsps) if n is not None), default=None)


def _slices(graph: OpGraph, opts: DspOptions, room: DspRoom) -> tuple[int, ...]:
    """Powers of two up to the limit, and the limit; more slices than operations are of no use."""
    if opts.dsps is not None:
        return (opts.dsps,)
    asked = MOST_SLICES if opts.max_dsps is None else opts.max_dsps
    most = min(graph.n_ops, asked, room.dsps or asked)
    # Beyond the parallelism of the graph nothing gets faster.
    useful = max(1, min(most, 4 * -(-graph.n_ops // max(1, graph.depth))))
    powers = [1 << i for i in range(useful.bit_length())]
    return tuple(sorted({*(n for n in powers if n <= useful), useful}))


def _missed(
    error: TargetMissed, points: Sequence[Point], budget: Budget, opts: DspOptions
) -> list[Problem]:
    """The problems of limits no engine meets, and of the user's; not of a part with room."""
    asked = {
        "slices": opts.max_dsps, "luts": opts.max_luts, "latency_ns": opts.max_latency,
        "throughput": opts.samples_per_second,
    }  # fmt: skip
    names = NAMES if opts.max_luts is not None else {**NAMES, "luts": "LUTs of the part"}
    return [
        replace(p, where=names.get(p.where, p.where))
        for p in error.problems
        if asked.get(p.where) is not None
        or all(budget.excess(p.where, point.cost) > 0 for point in points)
    ] or list(error.problems)


def _asked(opts: DspOptions, room: DspRoom, target: Target) -> str:
    if opts.dsps is not None:
        return f"--dsps {opts.dsps}, {room.part or target.name}"
    return room.part or target.name
