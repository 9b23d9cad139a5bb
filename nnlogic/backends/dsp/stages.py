"""Stages of the DSP backend after the logic: operations, a program, and the engine's Verilog."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import numpy as np

from nnlogic.backends.dsp.checks.kernels import prove_chain
from nnlogic.backends.dsp.checks.program import prove_ops, prove_program
from nnlogic.backends.dsp.choice import choose_engine, engines_beside, room_of, try_engines
from nnlogic.backends.dsp.kernels import (
    KernelsPoint,
    choose_kernels,
    kernels_report,
    open_kernels_ladder,
    write_kernels_engine,
)
from nnlogic.backends.dsp.model import build
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.dsp.model.place import MemoryMissed
from nnlogic.backends.dsp.model.search import Point
from nnlogic.backends.dsp.options import DspOptions
from nnlogic.backends.dsp.rows import (
    INTERPRETER_CHECK,
    OPS_CHECK,
    PROGRAM_CHECK,
    engine_report,
    pin_rows,
    write_tried,
)
from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.errors import ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.flows.vivado import write_vivado
from nnlogic.hw.dsp.verilog import write_engine
from nnlogic.job.commands import origin
from nnlogic.job.context import Context
from nnlogic.job.directory import ir_path
from nnlogic.job.ladder import accuracy_rows
from nnlogic.job.stage import Comparison, Stage
from nnlogic.logic.ir import LogicNet
from nnlogic.report.model import Row
from nnlogic.report.rows import Artifact

EXHAUSTIVE_BITS = 16
SAMPLES = 4096


def _options(ctx: Context) -> DspOptions:
    return cast(DspOptions, ctx.opts)


class OpsStage(Stage):
    """The network as bitwise operations of two operands."""

    name = "ops"
    group = "design"
    kind = OpGraph
    before = "logic"

    def make(self, ctx: Context) -> OpGraph:
        """Lower the logic."""
        with ctx.progress.step("network to operations"):
            return build.build_ops(ctx.values["logic"], effort=ctx.opts.effort)

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare with the logic."""
        logic, graph = ctx.values["logic"], ctx.values[self.name]
        timeout = ctx.opts.tool_timeout
        yield Comparison(4, OPS_CHECK, lambda: _ops_verdict(logic, graph, timeout))


class ProgramStage(Stage):
    """The operations scheduled on an engine: one program, or several kernels."""

    name = "program"
    group = "design"
    kind = Program
    before = "ops"

    def make(self, ctx: Context) -> Program | KernelChain:
        """Schedule; where one program does not fit, cut it into kernels if that is allowed."""
        graph, opts, target = ctx.values["ops"], _options(ctx), ctx.target
        kind = room_of(target, opts).kind
        tried: tuple[Point, ...]
        try:
            with ctx.progress.step("schedule"):
                tried = try_engines(graph, target, opts)
        except MemoryMissed:
            if opts.most_kernels == 1:
                raise
            with ctx.progress.step("cut into kernels"):
                found = choose_kernels(graph, target, opts)
            if isinstance(found, KernelsPoint):
                ctx.values["kernels_point"] = found
                ctx.report = open_kernels_ladder(ctx.report)
                ctx.report = kernels_report(ctx.report, found, graph.depth, kind, ctx.choice)
                return found.cut.chain
            tried = (found,)
        with ctx.progress.step("compare engines"):
            point = choose_engine(graph, target, opts, tried)
            compared = engines_beside(graph, point, tried, target, opts)
        ctx.report = engine_report(ctx.report, point, graph.depth, kind, ctx.choice, compared)
        ctx.put(*write_tried(ctx.folder, compared[0]))
        return point.program

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Follow the program on the operations, and interpret it."""
        graph, logic, program = ctx.values["ops"], ctx.values["logic"], ctx.values[self.name]
        if isinstance(program, KernelChain):
            yield Comparison(4, PROGRAM_CHECK, lambda: prove_chain(graph, program))
        else:
            yield Comparison(4, PROGRAM_CHECK, lambda: prove_program(graph, program))
        codes = ctx.rows.codes[:SAMPLES]
        yield Comparison(4, INTERPRETER_CHECK, lambda: compare(logic, program, codes))

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Say how accurate the program is, and what its streams carry."""
        program = ctx.values[self.name]
        outputs = program.evaluate(ctx.rows.codes)
        pins = [] if isinstance(program, KernelChain) else pin_rows(program)
        return [*pins, *accuracy_rows(ctx.net, ctx.rows, "DSP program", outputs)]

    def file(self, value: Program | KernelChain) -> str:
        """Return where a program, or a chain of kernels, is saved."""
        return "kernels" if isinstance(value, KernelChain) else self.name

    def load(self, ctx: Context, folder: Path) -> Program | KernelChain | None:
        """Return the program or the kernels of a run."""
        if ir_path(folder, "kernels").exists():
            return KernelChain.load(ir_path(folder, "kernels"))
        found: Program | None = super().load(ctx, folder)
        return found


class RtlStage(Stage):
    """Verilog of the engine, and scripts for Vivado."""

    name = group = "rtl"

    def make(self, ctx: Context) -> None:
        """Write the files."""
        kind = room_of(ctx.target, _options(ctx)).kind
        program, rtl = ctx.values["program"], ctx.folder / "rtl"
        if isinstance(program, KernelChain):
            engine, *models = write_kernels_engine(ctx, ctx.values["kernels_point"], kind)
        else:
            engine, *models = write_engine(
                program, rtl, kind=kind, origin=origin(ctx), progress=ctx.progress
            )
        ctx.put(Artifact(f"rtl/{engine.name}", f"Verilog of the engine, {kind}"))
        for model in models:
            # Synthesis tools know the cells; a model beside them would be taken for the real one.
            model.rename(ctx.folder / "sim" / model.name)
            what = "model of the slice, for simulation only"
            ctx.put(Artifact(f"sim/{model.name}", what))
        if ctx.target.part:
            flows, goal = ctx.folder / "flows", ctx.opts.clock
            written = write_vivado([engine], engine.stem, ctx.target, flows, goal, port="aclk")
            names = ("Vivado script", "clock constraint")
            ctx.put(*(Artifact(f"flows/{f.name}", n) for f, n in zip(written, names, strict=True)))


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


def _ops_verdict(logic: LogicNet, graph: OpGraph, timeout: float) -> Verdict:
    """Prove, or where no proof is found in time, sample."""
    started = time.monotonic()
    try:
        return prove_ops(logic, graph, timeout=timeout)
    except ToolFailed as error:
        codes = bits.random_codes(graph.inputs, SAMPLES, seed=2)
        equal = bool((logic.evaluate(codes) == graph.evaluate(codes)).all())
        detail = f"no proof: {error.what}"
        verdict = Verdict("LogicNet", "OpGraph", equal, f"sampled n={SAMPLES}", detail=detail)
        return verdict.timed(started)
