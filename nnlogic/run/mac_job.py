"""Compile with the first layer's sums on DSP slices, and everything after them in LUTs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from nnlogic.backends.mac.model.ir import MacNet
from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.errors import TargetMissed, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.targets import Target
from nnlogic.hw.mac.verilog import MacPair
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.quant.ir import QuantNet
from nnlogic.report.rows import Artifact, Command, StepRow
from nnlogic.run.compile_run import Job
from nnlogic.run.directory import is_mac_run, open_run
from nnlogic.run.mac_rows import INTERPRETER_CHECK, PROOF_CHECK, open_mac_ladder, pair_report

EXHAUSTIVE_BITS = 14
SAMPLES = 1024


def slice_kind(target: Target) -> str:
    """Return the slices of a target: those of its DSP cells, else ordinary LUTs."""
    return target.dsp.kind if target.dsp else FABRIC


class MacJob(Job):
    """A compile job whose first layer is added up by DSP slices.

    After the stage ``quant`` the job goes on with the tail of the network, whose inputs are the
    fields of the MacNet; stages and checks are those of the LUT backend.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.previous and not is_mac_run(open_run(self.source)):
            raise UsageError(
                "the mac backend cannot go on from this run",
                where="--from",
                why="its later stages are those of the whole network",
                fix="compile the network again, without --from",
            )
        self.report = open_mac_ladder(self.report)

    def _quant(self) -> None:
        from nnlogic.backends.mac.checks.proof import prove_mac
        from nnlogic.backends.mac.model.lower import compile_mac

        super()._quant()
        net = self.net
        with self.progress.step("sums to slices"):
            plan = compile_mac(
                replace(net, name=f"{self.name}_mac"),
                slice_kind(self.target),
                column=self.target.dsp.column if self.target.dsp else None,
            )
        self._check_room(plan.mac)
        self.mac: MacNet = self._stage("mac", MacNet, lambda: plan.mac, net)
        self.net = replace(plan.tail, name=f"{self.name}_tail")
        self._stage("tail", QuantNet, lambda: self.net, net)
        self._check(4, PROOF_CHECK, lambda: prove_mac(net, self.mac, self.net))
        codes = self.rows.codes
        self._check(4, INTERPRETER_CHECK, lambda: compare(net, self.mac, self.net, codes[:SAMPLES]))
        self.rows = replace(self.rows, codes=self.mac.evaluate(codes))

    def _check_room(self, mac: MacNet) -> None:
        room = self.target.dsp
        part = None if room is None else room.dsps
        for where, most in (("--max-dsps", self.opts.max_dsps), (getattr(room, "part", ""), part)):
            if most is not None and mac.slices > most:
                raise TargetMissed(
                    "the layer needs more DSP slices than there are",
                    where=where,
                    why=f"{mac.slices} slices in {len(mac.chains)} chains, {mac.slices - most} "
                    f"more than {most}",
                    fix="prune weights or use fewer bits, so that more neurons share slices; or "
                    "--backend lut --arith auto",
                )

    def _built(self, schedule: str | int) -> HardwareDesign:
        from nnlogic.design.build import build

        name = f"{self.name}_tail"
        # P is a register already.
        return build(self.logic, name=name, schedule=schedule, input_register=False, stream=False)

    def _design(self, schedule: str | int) -> None:
        super()._design(schedule)
        self.pair = MacPair(self.name, self.mac, self.design, self.opts.stream)
        self.report = pair_report(self.report, self.pair)

    def _rtl(self) -> None:
        from nnlogic.checks.formal import prove_verilog
        from nnlogic.flows.vivado import write_vivado
        from nnlogic.hw.mac.verilog import write_mac_pair
        from nnlogic.hw.slices import MODELS

        started = time.monotonic()
        rtl = self.folder / "rtl"
        written = write_mac_pair(self.pair, rtl, progress=self.progress)
        files = [f for f in written if f.name != MODELS]
        rows: list[Any] = [StepRow("rtl", round(time.monotonic() - started, 3))]
        rows += [Artifact(f"rtl/{f.name}", "Verilog") for f in files]
        for model in set(written) - set(files):
            # Synthesis tools know the cells; a model beside them would be taken for the real one.
            model.rename(self.folder / "sim" / model.name)
            rows.append(Artifact(f"sim/{model.name}", "model of the slice, for simulation only"))
        tail = [f for f in files if f.stem == self.design.name]
        timeout = self.opts.tool_timeout
        self._check(
            5,
            "LogicNet = Verilog, formally",
            lambda: prove_verilog(self.design, tail, timeout=timeout),
        )
        if self.target.part:
            core = [f for f in files if f.stem != f"{self.name}_stream"]
            flows = self.folder / "flows"
            scripts = write_vivado(core, self.name, self.target, flows, self.opts.clock)
            names = ("Vivado script", "clock constraint")
            rows += [
                Artifact(f"flows/{f.name}", what) for f, what in zip(scripts, names, strict=True)
            ]
        self.report = self.report.put(*rows, *self._commands())

    def _commands(self) -> list[Command]:
        commands = super()._commands()
        flags = " --backend mac"
        if self.opts.max_dsps is not None:
            flags += f" --max-dsps {self.opts.max_dsps}"
        without = {"run the plain bench"} | (set() if self.target.part else {"Vivado"})
        first = replace(commands[0], line=commands[0].line + flags)
        return [first, *(c for c in commands[1:] if c.purpose not in without)]


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
