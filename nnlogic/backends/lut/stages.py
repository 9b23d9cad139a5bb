"""Stages of the LUT backend after the logic: pipeline, and Verilog with benches and scripts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import cast

from nnlogic.backends.lut.artifacts import write_user_files
from nnlogic.backends.lut.estimate import lut_problems
from nnlogic.backends.lut.options import LutOptions
from nnlogic.backends.lut.rows import DESIGN_CHECK, FORMAL_CHECK
from nnlogic.checks import check
from nnlogic.checks.formal import prove_verilog
from nnlogic.checks.unread import check_unread
from nnlogic.core.errors import TargetMissed
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.design.unread import kept_text, port_codes, read_bits, without_unread
from nnlogic.hw.header import Origin
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.job import facts
from nnlogic.job.commands import origin
from nnlogic.job.context import Context
from nnlogic.job.stage import Comparison, Stage
from nnlogic.logic.ir import LogicNet
from nnlogic.report.model import Row
from nnlogic.report.rows import Artifact

PORTS, PORTS_CHECK = "ports", "LogicNet = LogicNet without unread bits"


class PortsStage(Stage):
    """The logic without the input bits that it does not read."""

    name = PORTS
    group = "logic"
    kind = LogicNet
    before = "logic"

    def make(self, ctx: Context) -> LogicNet:
        """Leave them out of the ports."""
        return without_unread(ctx.values["logic"])

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare node by node."""
        logic, less = ctx.values["logic"], ctx.values[self.name]
        yield Comparison(3, PORTS_CHECK, lambda: check_unread(logic, less))


class DesignStage(Stage):
    """Registers placed by layer, by LUT levels, or by the levels a clock allows."""

    name = group = "design"
    kind = HardwareDesign
    before = "logic"

    def make(self, ctx: Context) -> HardwareDesign:
        """Place the registers."""
        logic = ctx.values.get(PORTS, ctx.values["logic"])
        design = build(logic, name=ctx.name, schedule=ctx.schedule, stream=ctx.opts.stream)
        return replace(design, sideband=cast(LutOptions, ctx.opts).beside)

    def facts(self, ctx: Context) -> Iterable[Row]:
        """Return estimated hardware; timing goes into the report directly.

        Raises
        ------
        TargetMissed
            Budgets are missed.
        """
        design: HardwareDesign = ctx.values[self.name]
        _, missed = lut_problems(design, ctx.target, cast(LutOptions, ctx.opts))
        if missed:
            raise TargetMissed(
                "the pipeline misses budgets", where=ctx.target.name, problems=missed
            )
        timing = facts.timing_facts(design, ctx.opts.clock, ctx.target.delay)
        ctx.report = ctx.report.replace(timing=timing)
        pins = facts.pin_facts(design, _origin(ctx, design).notes, stream=design.stream)
        return [*facts.estimate_facts(design), *pins]

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare the cycle model with the logic."""
        logic, design = ctx.values.get(PORTS, ctx.values["logic"]), ctx.values[self.name]
        codes = port_codes(ctx.values["logic"], design, ctx.rows.codes)
        yield Comparison(4, DESIGN_CHECK, lambda: check(logic, design, codes=codes))


class RtlStage(Stage):
    """Verilog, plain benches, and scripts for other tools."""

    name = group = "rtl"

    def make(self, ctx: Context) -> None:
        """Write the Verilog."""
        design = ctx.values["design"]
        files = write_verilog(
            design, ctx.folder / "rtl", origin=_origin(ctx, design), progress=ctx.progress
        )
        ctx.put(*(Artifact(f"rtl/{f.name}", "Verilog") for f in files))

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Prove the Verilog equal to the logic."""
        design, files = ctx.values["design"], verilog_files(ctx.folder)
        timeout = ctx.opts.tool_timeout
        yield Comparison(5, FORMAL_CHECK, lambda: prove_verilog(design, files, timeout=timeout))

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Write benches and scripts."""
        with ctx.progress.step("write bench and flow scripts"):
            return write_user_files(
                ctx.values["design"],
                verilog_files(ctx.folder),
                ctx.folder,
                ctx.target,
                ctx.opts.clock,
                port_codes(ctx.values["logic"], ctx.values["design"], ctx.rows.codes),
            )


def _origin(ctx: Context, design: HardwareDesign) -> Origin:
    """Say what files are made from, and which bits of which inputs their ports are."""
    found, logic = origin(ctx), ctx.values["logic"]
    if design.inputs == logic.inputs:
        return found
    notes, left = dict(found.notes), []
    for port, bits in zip(logic.inputs, read_bits(logic), strict=True):
        if not bits:
            left.append(port.name)
        elif len(bits) < port.format.bits:
            said = f"bits {kept_text(bits)} of {port.format}"
            notes[port.name] = ", ".join(t for t in (notes.get(port.name, ""), said) if t)
    return replace(found, notes=notes, left_out=tuple(left))


def verilog_files(folder: Path) -> tuple[Path, ...]:
    """Return the Verilog of a run."""
    return tuple(sorted((folder / "rtl").glob("*.v")))
