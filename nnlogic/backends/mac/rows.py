"""Rows of the report for a multiply-accumulate layer in front of LUTs."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from nnlogic.backends.mac.checks.faults import FAULTS
from nnlogic.backends.mac.model.ir import MacNet
from nnlogic.backends.mac.options import MacOptions
from nnlogic.core.errors import TargetMissed
from nnlogic.flows.targets import Target
from nnlogic.hw.mac.verilog import MacPair
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.job.budgets import LUTS, limit_problems, luts_fix
from nnlogic.job.context import Context
from nnlogic.job.facts import estimate_facts
from nnlogic.job.ladder import open_rungs
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.rows import Check, ResourceRow

PROOF_CHECK = "QuantNet = MacNet and tail"
INTERPRETER_CHECK = "interpreter of MacNet, and tail = QuantNet"
TAIL_CHECK = "LogicNet = HardwareDesign"
FORMAL_CHECK = "LogicNet = Verilog, formally"
VERILOG_FAULT = "fault in a slice of the Verilog, simulation"
COUNT_CHECK = "DSP cells in the netlist"
NETLIST_CHECK = "Verilog = netlist"
RUNGS = {
    0: ("planted faults are caught", (*FAULTS, VERILOG_FAULT)),
    4: (
        "QuantNet = multiply-accumulate chains and HardwareDesign",
        (PROOF_CHECK, INTERPRETER_CHECK, TAIL_CHECK),
    ),
    5: (
        "chains and HardwareDesign = Verilog",
        (FORMAL_CHECK, "bulk vectors, compiled model", "cocotb on verilator", "cocotb on icarus"),
    ),
    6: ("Verilog = post-synthesis netlist", (COUNT_CHECK, NETLIST_CHECK)),
}
NO_PROOF = "not part of this version: netlists with DSP cells are counted, not proved"


def open_mac_ladder(report: Report) -> Report:
    """Return a report whose rungs 0 and 4 to 6 are those of the mac backend, not run."""
    report = open_rungs(report, RUNGS)
    return report.with_check(6, Check(NETLIST_CHECK, detail=NO_PROOF))


def slice_kind(target: Target) -> str:
    """Return the slices of a target: those of its DSP cells, else ordinary LUTs."""
    return target.dsp.kind if target.dsp else FABRIC


def check_room(mac: MacNet, ctx: Context) -> None:
    """Raise TargetMissed where chains need more slices than the budget or the part has."""
    room = ctx.target.dsp
    part = None if room is None else room.dsps
    asked = getattr(ctx.opts, "max_dsps", None)
    for where, most in (("--max-dsps", asked), (getattr(room, "part", ""), part)):
        if most is not None and mac.slices > most:
            raise TargetMissed(
                "the layer needs more DSP slices than there are",
                where=where,
                why=f"{mac.slices} slices in {len(mac.chains)} chains, {mac.slices - most} "
                f"more than {most}",
                fix="prune weights or use fewer bits, so that more neurons share slices; or "
                "--backend lut --arith auto",
            )


def slices_row(mac: MacNet) -> ResourceRow:
    """Return the row of the chains: registers in fabric, and slices in words."""
    stats = mac.stats()
    delays = stats["delay_ffs"]
    detail = (
        f"{stats['slices']} slices ({mac.slice_kind}) in {stats['chains']} chains of at most "
        f"{stats['longest_chain']}; the registers delay inputs"
    )
    return ResourceRow("multiply-accumulate", "estimate", 0, delays, detail=detail)


def pair_report(report: Report, pair: MacPair) -> Report:
    """Return the report with estimates and latency of both cores together.

    Fabric slices are LUTs that only synthesis counts, so there is no total for them.
    """
    chains = slices_row(pair.mac)
    rows = [row for row in estimate_facts(pair.design) if row.part not in (TOTAL, "valid chain")]
    rows = [chains, *rows, ResourceRow("valid chain", "estimate", 0, pair.latency)]
    if pair.mac.slice_kind != "fabric":
        luts, ffs = (sum(getattr(r, name) or 0 for r in rows) for name in ("luts", "ffs"))
        rows.append(ResourceRow(TOTAL, "estimate", luts, ffs, detail=chains.detail))
    kept = [row for row in report.resources if row.source != "estimate"]
    report = report.replace(resources=tuple(kept)).put(*rows)
    timing = replace(report.timing, latency_cycles=pair.latency)
    return report.replace(timing=timing.estimated())


def check_limits(report: Report, ctx: Context) -> None:
    """Raise TargetMissed where chains and pipeline miss budgets, at the clock that holds for both.

    That is the one asked for, else the target's own.
    """
    opts, target = cast(MacOptions, ctx.opts), ctx.target
    total, clock = report.resource(TOTAL), opts.clock or target.clock_mhz
    cycles = report.timing.latency_cycles
    luts = total.luts if total is not None else None
    problems = limit_problems(
        f"chains and pipeline at {clock:g} MHz",
        opts,
        luts=luts,
        latency_ns=None if cycles is None else 1000.0 * cycles / clock,
        rate=1e6 * clock,
        fixes={} if luts is None else {LUTS: luts_fix(luts, opts)},
    )
    if problems:
        raise TargetMissed("chains and pipeline miss budgets", where=target.name, problems=problems)
