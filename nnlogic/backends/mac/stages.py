"""Stages of the mac backend: the first layer's sums on slices, the rest as a pipeline of LUTs."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from nnlogic.backends.mac.checks.proof import prove_mac
from nnlogic.backends.mac.model.ir import MacNet
from nnlogic.backends.mac.model.lower import compile_mac
from nnlogic.backends.mac.rows import (
    FORMAL_CHECK,
    INTERPRETER_CHECK,
    PROOF_CHECK,
    TAIL_CHECK,
    check_limits,
    check_room,
    pair_report,
    slice_kind,
)
from nnlogic.checks import check
from nnlogic.checks.formal import prove_verilog
from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.formats import IntArray
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.vivado import write_vivado
from nnlogic.hw.mac.verilog import MacPair, write_mac_pair
from nnlogic.hw.slices import MODELS
from nnlogic.job import facts
from nnlogic.job.commands import origin
from nnlogic.job.context import Context
from nnlogic.job.stage import Comparison, Stage
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Row
from nnlogic.report.rows import Artifact

EXHAUSTIVE_BITS = 14
SAMPLES = 1024


class MacStage(Stage):
    """The sums of the first layer as chains of slices."""

    name = "mac"
    group = "quant"
    kind = MacNet
    before = "quant"

    def make(self, ctx: Context) -> MacNet:
        """Lower the first layer; the rest waits for the next stage."""
        net = replace(ctx.net, name=f"{ctx.name}_mac")
        with ctx.progress.step("sums to slices"):
            dsp = ctx.target.dsp
            column = dsp.column if dsp else None
            plan = compile_mac(net, slice_kind(ctx.target), column=column)
        check_room(plan.mac, ctx)
        ctx.values["planned tail"] = replace(plan.tail, name=f"{ctx.name}_tail")
        return plan.mac


class TailStage(Stage):
    """The network behind the sums, whose inputs are the fields of the MacNet."""

    name = "tail"
    group = "quant"
    kind = QuantNet
    before = "quant"

    def make(self, ctx: Context) -> QuantNet:
        """Return what is left of the network."""
        tail: QuantNet = ctx.values["planned tail"]
        return tail

    def use(self, ctx: Context, value: QuantNet) -> None:
        """Go on with the tail: the next stages see its inputs only."""
        super().use(ctx, value)
        ctx.values["codes"] = ctx.rows.codes
        ctx.net = value
        ctx.rows = replace(ctx.rows, codes=ctx.values["mac"].evaluate(ctx.rows.codes))

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare chains and tail with the network."""
        net, mac, tail = ctx.whole, ctx.values["mac"], ctx.values[self.name]
        codes = ctx.values["codes"][:SAMPLES]
        yield Comparison(4, PROOF_CHECK, lambda: prove_mac(net, mac, tail))
        yield Comparison(4, INTERPRETER_CHECK, lambda: compare(net, mac, tail, codes))


class DesignStage(Stage):
    """The pipeline of the tail; P of the last slice is its input register."""

    name = group = "design"
    kind = HardwareDesign
    before = "logic"

    def make(self, ctx: Context) -> HardwareDesign:
        """Place the registers."""
        return build(
            ctx.values["logic"],
            name=f"{ctx.name}_tail",
            schedule=ctx.schedule,
            input_register=False,
            stream=False,
        )

    def facts(self, ctx: Context) -> Iterable[Row]:
        """Report both cores together."""
        design: HardwareDesign = ctx.values[self.name]
        timing = facts.timing_facts(design, ctx.opts.clock, ctx.target.delay)
        ctx.report = ctx.report.replace(timing=timing)
        ctx.report = pair_report(ctx.report, _pair(ctx))
        check_limits(ctx.report, ctx)
        return facts.pin_facts(_pair(ctx), stream=ctx.opts.stream)

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare the cycle model with the logic."""
        logic, design, codes = ctx.values["logic"], ctx.values[self.name], ctx.rows.codes
        yield Comparison(4, TAIL_CHECK, lambda: check(logic, design, codes=codes))


class RtlStage(Stage):
    """Verilog of chains and tail, and scripts for Vivado."""

    name = group = "rtl"

    def make(self, ctx: Context) -> None:
        """Write the files."""
        rtl, flows = ctx.folder / "rtl", ctx.folder / "flows"
        written = write_mac_pair(_pair(ctx), rtl, origin=origin(ctx), progress=ctx.progress)
        files = [f for f in written if f.name != MODELS]
        ctx.put(*(Artifact(f"rtl/{f.name}", "Verilog") for f in files))
        for model in set(written) - set(files):
            # Synthesis tools know the cells; a model beside them would be taken for the real one.
            model.rename(ctx.folder / "sim" / model.name)
            what = "model of the slice, for simulation only"
            ctx.put(Artifact(f"sim/{model.name}", what))
        if ctx.target.part:
            core = [f for f in files if f.stem != f"{ctx.name}_stream"]
            scripts = write_vivado(core, ctx.name, ctx.target, flows, ctx.opts.clock)
            names = ("Vivado script", "clock constraint")
            ctx.put(*(Artifact(f"flows/{f.name}", n) for f, n in zip(scripts, names, strict=True)))

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Prove the Verilog of the tail equal to its logic."""
        design = ctx.values["design"]
        files = [ctx.folder / "rtl" / f"{design.name}.v"]
        timeout = ctx.opts.tool_timeout
        yield Comparison(5, FORMAL_CHECK, lambda: prove_verilog(design, files, timeout=timeout))


def _pair(ctx: Context) -> MacPair:
    return MacPair(ctx.name, ctx.values["mac"], ctx.values["design"], ctx.opts.stream)


def compare(net: QuantNet, mac: MacNet, tail: QuantNet, codes: IntArray) -> Verdict:
    """Run chains and tail against the network: on every input where they are few, else on rows.

    Parameters
    ----------
    net, mac, tail
        As for `nnlogic.backends.mac.checks.proof.prove_mac`.
    codes : int array, shape (samples, inputs)
        Rows taken beside random ones where not every input is tried.
    """
    started = time.monotonic()
    width = bits.total_bits(net.inputs)
    if width <= EXHAUSTIVE_BITS:
        codes = bits.unpack_ports(bits.index_words(width), net.inputs, 1 << width)
        how = "exhaustive"
    else:
        codes = np.concatenate([codes, bits.random_codes(net.inputs, SAMPLES, seed=1)])
        how = f"sampled n={len(codes)}"
    wrong = (tail.evaluate(mac.evaluate(codes)) != net.evaluate(codes)).any(axis=1)
    where = f"row {int(wrong.argmax())}" if wrong.any() else ""
    verdict = Verdict("MacNet and tail", "QuantNet", not wrong.any(), how, where=where)
    return verdict.timed(started)
