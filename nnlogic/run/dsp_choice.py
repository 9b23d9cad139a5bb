"""Which engine, and with ``--backend auto`` which backend, under the user's budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nnlogic.core.errors import Problem, TargetMissed, UsageError
from nnlogic.design.ir import HardwareDesign
from nnlogic.dsp.cost import cost_of
from nnlogic.dsp.ir import OpGraph
from nnlogic.dsp.machine import bounds
from nnlogic.dsp.place import compile_ops, machine_for
from nnlogic.dsp.search import Budget, Point, choose, search
from nnlogic.flows.targets import Target
from nnlogic.hw.dsp.slice import DSP48E1, DSP48E2, FABRIC
from nnlogic.run.options import Options


@dataclass(frozen=True)
class Room:
    """What the part of a target offers an engine; None is no limit.

    Attributes
    ----------
    kind : str
        Slice of the engine, see `nnlogic.hw.dsp.slice`.
    part : str
    dsps, brams : int or None
        DSP slices and 36 Kb block RAMs.
    """

    kind: str
    part: str = ""
    dsps: int | None = None
    brams: int | None = None


# Figures of the parts in targets.toml, from the vendor's product tables (DS190, DS890).
ROOMS: Mapping[str, Room] = {
    "xc7": Room(DSP48E1, "XC7Z020", 220, 140),
    "xcup": Room(DSP48E2, "XCVU9P", 6840, 2160),
    "ecp5": Room(FABRIC),
}
WITH_SLICES = "--target xc7 or --target xcup"
NAMES = {
    "slices": "--max-dsps",
    "luts": "--max-luts",
    "latency_ns": "--max-latency, ns",
    "brams": "block RAMs of the part",
}


def room_of(target: Target, opts: Options) -> Room:
    """Return what an engine may use on a target.

    Raises
    ------
    UsageError
        No engine is made for the target, or its slices are LUTs and their number is limited.
    """
    room = ROOMS.get(target.name)
    if room is None or (room.kind == FABRIC and opts.backend == "auto"):
        raise UsageError(
            f"{target.name} has no DSP logic units",
            where="--target",
            why=f"the slices of {target.title} do no bitwise logic on wide words",
            fix=f"{WITH_SLICES}; --backend dsp --target ecp5 runs the same program on ordinary "
            "LUTs (fabric variant)",
        )
    if room.kind == FABRIC and opts.max_luts is not None:
        raise UsageError(
            "the LUTs of the fabric variant are known only after synthesis",
            where="--max-luts",
            why=f"{target.name} has no DSP logic units; its slices are LUTs, which no model counts",
            fix=f"leave it out and run `nnlogic synth`, or {WITH_SLICES}",
        )
    return room


def assumed_clock(target: Target, opts: Options) -> float | None:
    """Return the clock for times in MHz; None for the model of `nnlogic.dsp.cost`."""
    if opts.clock is not None:
        return opts.clock
    return target.clock_mhz if ROOMS[target.name].kind == FABRIC else None


def choose_engine(graph: OpGraph, target: Target, opts: Options) -> Point:
    """Return the engine of highest throughput inside the budgets, and inside the part.

    Raises
    ------
    UsageError
        More slices than operations.
    TargetMissed
        Nothing fits: by how much, and what would do.
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
            fix=f"--dsps {room.dsps} or fewer, or a larger part ({WITH_SLICES})",
        )  # fmt: skip
    mhz = assumed_clock(target, opts)
    limit = min((n for n in (opts.max_dsps, opts.dsps, room.dsps) if n is not None), default=None)
    budget = Budget(slices=limit, brams=room.brams, luts=opts.max_luts, latency_ns=opts.max_latency)
    if opts.dsps is not None and not opts.budgeted:
        machine = machine_for(graph, opts.dsps)
        program = compile_ops(graph, machine)
        points: tuple[Point, ...] = (
            Point(program, bounds(graph, machine), cost_of(program, mhz=mhz)),
        )
    else:
        points = search(graph, slices=_slices(graph, opts, limit), mhz=mhz)
    try:
        return choose(points, budget)
    except TargetMissed as error:
        raise TargetMissed(
            "no engine meets the budgets", where=_asked(opts, room, target),
            problems=_missed(error, points, budget, opts),
        ) from error  # fmt: skip


def _slices(graph: OpGraph, opts: Options, limit: int | None) -> tuple[int, ...]:
    """Powers of two up to the limit, and the limit; more slices than operations are of no use."""
    if opts.dsps is not None:
        return (opts.dsps,)
    most = min(graph.n_ops, limit or graph.n_ops)
    # Beyond the parallelism of the graph nothing gets faster.
    useful = max(1, min(most, 4 * -(-graph.n_ops // max(1, graph.depth))))
    powers = [1 << i for i in range(useful.bit_length())]
    return tuple(sorted({*(n for n in powers if n <= useful), useful}))


def _missed(
    error: TargetMissed, points: Sequence[Point], budget: Budget, opts: Options
) -> list[Problem]:
    """The problems of limits no engine meets, and of the user's; not of a part with room."""
    asked = {"slices": opts.max_dsps, "luts": opts.max_luts, "latency_ns": opts.max_latency}
    return [
        replace(p, where=NAMES.get(p.where, p.where))
        for p in error.problems
        if asked.get(p.where) is not None
        or all(budget.excess(p.where, point.cost) > 0 for point in points)
    ] or list(error.problems)


def _asked(opts: Options, room: Room, target: Target) -> str:
    if opts.dsps is not None:
        return f"--dsps {opts.dsps}, {room.part or target.name}"
    return room.part or target.name


def lut_problems(
    design: HardwareDesign, target: Target, opts: Options
) -> tuple[str, list[Problem]]:
    """Return the LUT backend's figures in words, and the budgets they miss.

    LUTs are those of the mapped network; the clock is the one asked for, else that of the
    target's delay model for the deepest pipeline segment.
    """
    luts = design.logic.stats()["luts"]
    period = target.delay.segment_ns(max(design.segment_depths(), default=1))
    period = 1000.0 / opts.clock if opts.clock is not None else period
    latency = design.latency * period
    out = []
    for name, got, most in (
        ("--max-luts", luts, opts.max_luts),
        ("--max-latency, ns", latency, opts.max_latency),
    ):
        if most is not None and got > most:
            why = f"the LUT backend needs {got:.4g}, {got - most:.4g} more than {most:.4g}"
            out.append(Problem(name, why, f"allow {got:.4g}"))
    clock = "asked for" if opts.clock is not None else f"of {target.name}'s delay model"
    return f"{luts} LUTs, {latency:.1f} ns at {1000 / period:.0f} MHz ({clock})", out
