"""Which plan: each layer to LUTs or to an engine, and the slices of each engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product

from nnlogic.backends.chain.model.chain import Segment, segments_of
from nnlogic.backends.chain.model.cost import EnginePoint, engine_points, layers_graph, layers_logic
from nnlogic.backends.chain.options import ChainOptions
from nnlogic.backends.chain.rows import mixed_design
from nnlogic.backends.chain.section import MixedDesign, SegmentRow
from nnlogic.backends.chain.segments import STREAM_CYCLES, stream_luts
from nnlogic.backends.dsp.choice import MOST_SLICES, assumed_clock, room_of
from nnlogic.core.errors import Problem, TargetMissed
from nnlogic.flows.targets import Target
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.hw.dsp.vectors import TurnShape
from nnlogic.job.facts import layer_depths, layer_luts
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet

FULL_SEARCH = 8
"""Layers up to which plans with two engines are considered; with more layers, one engine."""
LIMIT_NAMES = {
    "luts": "--max-luts", "dsps": "--max-dsps", "latency_ns": "--max-latency, ns",
    "throughput": "--samples-per-second",
}  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """A plan with its slices, as estimated, and by how much it misses each limit."""

    segments: tuple[Segment, ...]
    design: MixedDesign
    missed: dict[str, float]

    def limit(self, name: str) -> float:
        """The limit of that name, which is missed."""
        got, excess = float(getattr(self.design, name) or 0), self.missed[name]
        return got + excess if name == "throughput" else got - excess

    @property
    def plan(self) -> str:
        """Backend of each layer, slices of the engines included."""
        return ",".join(
            f"{s.kind}" if s.slices is None else f"{s.kind}({s.slices})"
            for s in self.segments
            for _ in range(s.last - s.first)
        )


class Planner:
    """Costs of plans for one network.

    Parameters
    ----------
    layers : tuple of str
        Names.
    logic : LogicNet
        Minimized for the target's LUTs.
    pairs : LogicNet
        Minimized with nodes of two inputs.
    target : Target
    opts : ChainOptions
        With clock and budgets.
    """

    def __init__(
        self, layers: tuple[str, ...], logic: LogicNet, pairs: LogicNet, target: Target,
        opts: ChainOptions,
    ) -> None:  # fmt: skip
        self.layers, self.pairs, self.target, self.opts = layers, pairs, target, opts
        self.luts, self.depths = layer_luts(logic), layer_depths(logic)
        self._widths: dict[tuple[int, int], int] = {}
        self._points: dict[tuple[int, int], tuple[EnginePoint, ...]] = {}

    @cached_property
    def limits(self) -> dict[str, float]:
        """What a design may take: the user's budgets, and the part."""
        room, opts = room_of(self.target, self.opts), self.opts
        asked = {
            "luts": (opts.max_luts, room.luts),
            "dsps": (opts.max_dsps, opts.dsps, room.dsps),
            "latency_ns": (opts.max_latency,),
            "brams": (room.brams,),
        }
        return {
            name: float(min(v for v in values if v is not None))
            for name, values in asked.items()
            if any(v is not None for v in values)
        }

    def plans(self) -> Iterator[tuple[str, ...]]:
        """Yield plans with at least one engine and one layer in LUTs."""
        n = len(self.layers)
        most = 2 if n <= FULL_SEARCH else 1
        runs = [(a, b) for a in range(n) for b in range(a + 1, n + 1)]
        for count in range(1, most + 1):
            for chosen in product(runs, repeat=count):
                if all(one[1] < two[0] for one, two in pairwise(chosen)):
                    inside = {i for a, b in chosen for i in range(a, b)}
                    if len(inside) < n:
                        yield tuple("dsp" if i in inside else "lut" for i in range(n))

    def points(self, first: int, last: int) -> tuple[EnginePoint, ...]:
        """Return engines for a run of layers, made once."""
        if (first, last) not in self._points:
            graph = layers_graph(self.pairs, first, last)
            most = int(min(self.limits.get("dsps", MOST_SLICES), MOST_SLICES))
            mhz = assumed_clock(self.target, self.opts)
            self._points[first, last] = (
                () if graph is None else engine_points(graph, most, mhz, **self.opts.memories)
            )
        return self._points[first, last]

    def candidates(self) -> list[Candidate]:
        """Return the best allotment of slices for each plan, best plan first.

        Plans inside all limits come first, the fastest of them first, then the smallest; then
        the others, those that miss least first.
        """
        out = []
        for plan in self.plans():
            tried = list(self.allotments(segments_of(plan)))
            if tried:
                out.append(min(tried, key=_rank))
        return sorted(out, key=_rank)

    def allotments(self, segments: tuple[Segment, ...]) -> Iterator[Candidate]:
        """Yield every way to give slices to the engines of a plan, with what it takes."""
        engines = [s for s in segments if s.kind == "dsp"]
        for chosen in product(*(self.points(s.first, s.last) for s in engines)):
            by_number = {s.number: p for s, p in zip(engines, chosen, strict=True)}
            rows, final = [], []
            for segment in segments:
                point = by_number.get(segment.number)
                names = self.layers[segment.first : segment.last]
                if point is None:
                    rows.append(self._lut_row(segment, names))
                else:
                    segment = replace(segment, slices=point.slices)
                    rows.append(_engine_row(segment, names, point))
                final.append(segment)
            design = mixed_design(rows, "", self.opts.clock, self.opts)
            missed = {
                name: float(getattr(design, name) or 0) - limit
                for name, limit in self.limits.items()
                if (getattr(design, name) or 0) > limit
            }
            rate = self.opts.samples_per_second
            if rate is not None and design.throughput < rate:
                missed["throughput"] = rate - design.throughput
            yield Candidate(tuple(final), design, missed)

    def _width(self, segment: Segment) -> int:
        """Bits that leave a run of layers; those that pass through are not seen."""
        key = (segment.first, segment.last)
        if key not in self._widths:
            self._widths[key] = len(layers_logic(self.pairs, *key).outputs)
        return self._widths[key]

    def _lut_row(self, segment: Segment, names: tuple[str, ...]) -> SegmentRow:
        inside = range(segment.first, segment.last)
        depths = [self.depths[i] for i in inside if self.depths.get(i)]
        target, opts = self.target, self.opts
        if opts.levels_per_stage is not None or opts.clock is not None:
            levels = opts.levels_per_stage or target.levels_for(opts.clock or target.clock_mhz)
            stages = -(-sum(depths) // levels)
            deepest = min(levels, sum(depths))
        else:
            stages, deepest = len(depths), max(depths, default=1)
        period = target.delay.segment_ns(max(1, deepest))
        return SegmentRow(
            segment.number, segment.kind, names, segment.folder,
            luts=sum(self.luts.get(i, 0) for i in inside) + stream_luts(self._width(segment)),
            turn_luts=0, dsps=0, brams=0,
            group=1, interval_cycles=1, latency_cycles=max(1, stages) + 1 + STREAM_CYCLES,
            clock_mhz=round(1000.0 / period if opts.clock is None else opts.clock, 2),
        )  # fmt: skip


def _engine_row(segment: Segment, names: tuple[str, ...], point: EnginePoint) -> SegmentRow:
    turn = TurnShape.of(point.program)
    return SegmentRow(
        segment.number, segment.kind, names, segment.folder,
        luts=point.cost.luts, turn_luts=turn.luts, dsps=point.slices, brams=point.cost.brams,
        group=turn.vectors, interval_cycles=turn.interval(point.program.interval),
        latency_cycles=turn.latency(EngineShape.of(point.program).turnaround),
        clock_mhz=round(point.cost.mhz, 2),
    )  # fmt: skip


def _rank(candidate: Candidate) -> tuple[float, ...]:
    design = candidate.design
    over = sum(
        excess / max(1.0, candidate.limit(name)) for name, excess in candidate.missed.items()
    )
    return (over, -design.throughput, design.luts or 0, design.dsps, design.latency_ns)


def nearest_problems(candidates: Sequence[Candidate]) -> list[Problem]:
    """Return what the plans that miss least take too much of, and what would do."""
    out = []
    for candidate in candidates[:2]:
        design = candidate.design
        enough = (
            f"allow {design.luts:,} LUTs, {design.dsps} DSP slices, {design.latency_ns:,.0f} ns "
            f"and {design.throughput:,.0f} vectors per second for plan {candidate.plan}"
        )
        for name, excess in candidate.missed.items():
            got = float(getattr(design, name))
            word = "fewer" if name == "throughput" else "more"
            most = f"{excess:,.4g} {word} than {candidate.limit(name):,.6g}"
            why = f"plan {candidate.plan} takes {got:,.6g}, {most}"
            out.append(Problem(f"{LIMIT_NAMES.get(name, name)} (mixed)", why, enough))
    return out


def share_slices(
    net: QuantNet, segments: tuple[Segment, ...], target: Target, opts: ChainOptions
) -> tuple[Segment, ...]:
    """Return the segments of a plan with the slices of each engine.

    With ``--dsps N`` and one engine, it gets all N. Otherwise engines of 1, 2, 4 ... slices are
    scheduled, and of all ways to give them at most N, or as many as the part has, the fastest
    design within the budgets is taken.

    Raises
    ------
    TargetMissed
        No way fits: by how much, and what would do.
    """
    engines = [s for s in segments if s.kind == "dsp"]
    if opts.dsps is not None and len(engines) == 1:
        return tuple(replace(s, slices=opts.dsps) if s.kind == "dsp" else s for s in segments)
    from nnlogic.logic.build import minimize
    from nnlogic.tables.build import tabulate

    tables = tabulate(net, limit=opts.table_limit, arith=opts.arith, unroll=opts.unroll_limit)
    logic, pairs = (
        minimize(tables, k=k, effort="fast", objective=opts.objective, jobs=opts.jobs)
        for k in (target.lut_size, 2)
    )
    planner = Planner(tuple(x.name for x in net.layers), logic, pairs, target, opts)
    found = sorted(planner.allotments(segments), key=_rank)
    if not found or found[0].missed:
        raise TargetMissed(
            "the plan misses the budgets", where="--plan",
            problems=nearest_problems(found[:1]) or [
                Problem("--plan", "an engine's layers hold no operations, or fit no memory")
            ],
        )  # fmt: skip
    return found[0].segments
