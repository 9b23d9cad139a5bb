"""Compile for the DSP backend: from the LogicNet on, a program and its engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.dsp.model.place import MemoryMissed
from nnlogic.backends.dsp.model.search import Point
from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.errors import Problem, TargetMissed, ToolFailed, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.logic.ir import LogicNet
from nnlogic.report.rows import Artifact, Command, FunnelRow, StepRow
from nnlogic.run import facts
from nnlogic.run.compile_run import Job
from nnlogic.run.dsp_choice import (
    choose_engine,
    engines_beside,
    lut_problems,
    room_of,
    try_engines,
)
from nnlogic.run.dsp_kernels import (
    KernelsPoint,
    choose_kernels,
    make_kernels,
    write_kernels_engine,
)
from nnlogic.run.dsp_rows import (
    INTERPRETER_CHECK,
    OPS_CHECK,
    PROGRAM_CHECK,
    engine_report,
    open_dsp_ladder,
    write_tried,
)
from nnlogic.run.ladder_rows import accuracy_rows
from nnlogic.run.options import Options

if TYPE_CHECKING:
    from nnlogic.run.mixed_choice import Candidate

PAIRS = 2
"""Inputs of a node that one operation computes."""
EXHAUSTIVE_BITS = 16
SAMPLES = 4096


class DspJob(Job):
    """A compile job whose network becomes an engine of DSP slices, always or under budgets."""

    def __post_init__(self) -> None:
        self.on = self.opts.backend == "dsp"
        if self.on:
            room_of(self.target, self.opts)
        super().__post_init__()
        self.graph: OpGraph | None = None
        self.point: Point | None = None
        self.tried: tuple[Point, ...] = ()
        self.mixes: tuple[Candidate, ...] = ()
        self.kernels: KernelsPoint | None = None
        self.choice = "asked for with --backend dsp"
        if self.on:
            self.k = PAIRS
            self.report = open_dsp_ladder(self.report)

    def funnel(self) -> list[FunnelRow]:
        """Nodes of two inputs are not LUTs: they are counted as operations instead."""
        logic = None if self.on else self.logic
        return facts.funnel_facts(self.tables, logic, self.target.lut_size)

    def _design(self, schedule: str | int) -> None:
        if not self.on and self.opts.budgeted:
            self._decide(schedule)
        if not self.on:
            super()._design(schedule)
        elif not self.report.failed and not self.mixes:
            self._program()

    def _decide(self, schedule: str | int) -> None:
        """Turn the DSP backend on where the LUT backend misses the budgets."""
        from nnlogic.backends.dsp.model.build import build_ops
        from nnlogic.design.build import build

        if self.logic.k == PAIRS:
            raise UsageError(
                "LUTs cannot be counted on this run",
                where="--from",
                why=f"its LogicNet was made for the DSP backend, with nodes of {PAIRS} inputs",
                fix="--from logic, or --backend dsp",
            )
        design = build(self.logic, name=self.name, schedule=schedule, stream=self.opts.stream)
        figures, missed = lut_problems(design, self.target, self.opts)
        if not missed:
            self.report = self.report.put(StepRow(f"--backend auto: LUTs, {figures}"))
            return
        told: list[Problem] = []
        engine: Point | None = None
        mapped = self.logic
        try:
            room_of(self.target, self.opts)
            self._logic_again()
            if self.report.failed:
                return
            self.graph = build_ops(self.logic, effort=self.opts.effort)
            self.tried = try_engines(self.graph, self.target, self.opts)
            engine = choose_engine(self.graph, self.target, self.opts, self.tried)
        except (TargetMissed, UsageError) as error:
            why = f"{error.what}: {error.why}"
            found = error.problems or (Problem(error.where, why, error.fix),)
            told = [replace(p, where=f"{p.where} (DSP)") for p in found]
        nearest: list[Problem] = []
        if self.logic is not mapped:
            nearest = self._consider_mixes(mapped, engine, figures)
        if self.mixes:
            return
        if engine is None:
            raise TargetMissed(
                "no backend meets the budgets", where=self.target.name,
                problems=[*missed, *told, *nearest],
            )  # fmt: skip
        self.point = engine
        self.choice = f"by --backend auto: with LUTs it is {figures}, outside the budgets"
        self.report = open_dsp_ladder(self.report)

    def _consider_mixes(
        self, mapped: LogicNet, engine: Point | None, figures: str
    ) -> list[Problem]:
        """Keep the mixed plans that meet the budgets and are faster than the engine.

        Returns what the nearest plans miss where none meets the budgets.
        """
        from nnlogic.run.mixed_choice import Planner, nearest_problems

        names = tuple(layer.name for layer in self.net.layers)
        with self.progress.step("cost of mixed plans"):
            planner = Planner(names, mapped, self.logic, self.target, self.opts)
            found = planner.candidates()
        least = engine.cost.throughput if engine is not None else 0.0
        self.mixes = tuple(c for c in found if not c.missed and c.design.throughput > least)
        alone = "misses the budgets" if engine is None else f"{least:,.0f} vectors per second"
        self.choice = (
            f"by --backend auto: with LUTs alone it is {figures}, outside the budgets; one engine "
            f"for all layers: {alone}; {len(found)} mixed plans compared"
        )
        return [] if any(not c.missed for c in found) else nearest_problems(found)

    def finished(self) -> Job:
        """Return the job with the result: that of a mixed plan where one was chosen."""
        if not self.mixes:
            return self
        from nnlogic.run.mixed_job import run_plans

        return run_plans(self, self.mixes, self.choice)

    def _logic_again(self) -> None:
        """Make the LogicNet anew, of nodes that are operations, unless it is from another run."""
        self.on, self.k = True, PAIRS
        self.report = self.report.replace(minimization=())
        self._logic()

    def _program(self) -> None:
        from nnlogic.backends.dsp.checks.program import prove_ops, prove_program
        from nnlogic.backends.dsp.model.build import build_ops

        def make() -> OpGraph:
            with self.progress.step("network to operations"):
                return self.graph or build_ops(self.logic, effort=self.opts.effort)

        graph: OpGraph = self._stage("ops", OpGraph, make, self.logic)
        self._check(
            4, OPS_CHECK, lambda: _ops_verdict(self.logic, graph, prove_ops, self.opts.tool_timeout)
        )
        kind = room_of(self.target, self.opts).kind
        try:
            with self.progress.step("schedule"):
                tried = self.tried or try_engines(graph, self.target, self.opts)
        except MemoryMissed:
            if self.opts.most_kernels == 1:
                raise
            with self.progress.step("cut into kernels"):
                found = choose_kernels(graph, self.target, self.opts)
            if isinstance(found, KernelsPoint):
                self.kernels = found
                chain = make_kernels(self, graph, found, kind)
                self._interpreted(chain)
                return
            tried = (found,)
        with self.progress.step("compare engines"):
            point = self.point or choose_engine(graph, self.target, self.opts, tried)
            compared = engines_beside(graph, point, tried, self.target, self.opts)
        self.program: Program = self._stage("program", Program, lambda: point.program, graph)
        self._check(4, PROGRAM_CHECK, lambda: prove_program(graph, self.program))
        report = engine_report(self.report, point, graph.depth, kind, self.choice, compared)
        self.report = report.put(*write_tried(self.folder, compared[0]))
        self._interpreted(self.program)

    def _interpreted(self, program: Program | KernelChain) -> None:
        """Compare what the interpreter of a program, or of all kernels, computes."""
        codes = self.rows.codes[:SAMPLES]
        self._check(4, INTERPRETER_CHECK, lambda: compare(self.logic, program, codes))
        outputs = program.evaluate(self.rows.codes)
        rows = accuracy_rows(self.net, self.rows, "DSP program", outputs)
        self.report = self.report.put(*rows)

    def _rtl(self) -> None:
        if self.mixes:
            return
        if not self.on:
            super()._rtl()
            return
        from nnlogic.flows.vivado import write_vivado
        from nnlogic.hw.dsp.verilog import write_engine

        started = time.monotonic()
        kind = room_of(self.target, self.opts).kind
        rtl, flows = self.folder / "rtl", self.folder / "flows"
        if self.kernels is not None:
            engine, *models = write_kernels_engine(self, self.kernels, kind)
        else:
            engine, *models = write_engine(self.program, rtl, kind=kind, progress=self.progress)
        self.report = self.report.put(
            StepRow("rtl", round(time.monotonic() - started, 3)),
            Artifact(f"rtl/{engine.name}", f"Verilog of the engine, {kind}"),
        )
        for model in models:
            # Synthesis tools know the cells; a model beside them would be taken for the real one.
            model.rename(self.folder / "sim" / model.name)
            what = Artifact(f"sim/{model.name}", "model of the slice, for simulation only")
            self.report = self.report.put(what)
        if self.target.part:
            goal = self.opts.clock
            written = write_vivado([engine], engine.stem, self.target, flows, goal, port="aclk")
            names = ("Vivado script", "clock constraint")
            for file, about in zip(written, names, strict=True):
                self.report = self.report.put(Artifact(f"flows/{file.name}", about))
        self.report = self.report.put(*self._commands())

    def _commands(self) -> list[Command]:
        commands = super()._commands()
        flags = f" --backend {self.opts.backend}"
        for name in (
            "dsps", "max_dsps", "max_luts", "max_latency", "program_words", "bank_rows",
        ):  # fmt: skip
            value = getattr(self.opts, name)
            if value is not None:
                flags += f" --{name.replace('_', '-')} {value:g}"
        if self.opts.kernels != Options.kernels:
            flags += f" --kernels {self.opts.kernels}"
        out = [replace(commands[0], line=commands[0].line + flags), *commands[1:]]
        if not self.on:
            return out
        without = {"run the plain bench"} | (set() if self.target.part else {"Vivado"})
        return [c for c in out if c.purpose not in without]


def compare(logic: LogicNet, program: Program | KernelChain, codes: IntArray) -> Verdict:
    """Run interpreter and network: on every input where they are few, else on rows.

    Parameters
    ----------
    logic : LogicNet
    program : Program or KernelChain
    codes : int array, shape (samples, inputs)
        Rows taken beside random ones where not every input is tried.
    """
    started = time.monotonic()
    if program.n_inputs <= EXHAUSTIVE_BITS:
        words = bits.index_words(program.n_inputs)
        wrong = (logic.evaluate_words(words) != program.evaluate_words(words)).any(axis=1)
        how = "exhaustive"
    else:
        random = bits.random_codes(program.inputs, SAMPLES, seed=1)
        codes = np.concatenate([codes, random])
        unequal = logic.evaluate(codes) != program.evaluate(codes)
        wrong, how = unequal.any(axis=0), f"sampled n={len(codes)}"
    where = f"output {int(wrong.argmax())}" if wrong.any() else ""
    verdict = Verdict("LogicNet", "program", not wrong.any(), how, where=where)
    return verdict.timed(started)


def _ops_verdict(
    logic: LogicNet, graph: OpGraph, prove: Callable[..., Verdict], timeout: float
) -> Verdict:
    """Prove, or where no proof is found in time, sample."""
    started = time.monotonic()
    try:
        return prove(logic, graph, timeout=timeout)
    except ToolFailed as error:
        codes = bits.random_codes(graph.inputs, SAMPLES, seed=2)
        equal = bool((logic.evaluate(codes) == graph.evaluate(codes)).all())
        detail = f"no proof: {error.what}"
        verdict = Verdict("LogicNet", "OpGraph", equal, f"sampled n={SAMPLES}", detail=detail)
        return verdict.timed(started)
