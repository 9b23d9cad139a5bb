"""Compile a mixed design: segments as runs of their own, corner turns, and the chain."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace

from nnlogic.core.errors import Problem, TargetMissed, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.inert import ShellWord
from nnlogic.mixed.chain import Chain, Segment, segments_of
from nnlogic.mixed.split import split
from nnlogic.report.rows import Artifact, Command, StepRow
from nnlogic.run.compile_run import Job
from nnlogic.run.directory import FOLDERS, ir_path
from nnlogic.run.dsp_choice import room_of
from nnlogic.run.ladder_rows import accuracy_rows
from nnlogic.run.mixed_choice import Candidate, share_slices
from nnlogic.run.mixed_rows import (
    OUTPUTS,
    STRUCTURE,
    mixed_design,
    open_mixed_ladder,
    with_mixed,
    with_segment,
)
from nnlogic.run.mixed_segments import (
    chain_shape,
    compile_segment,
    open_parts,
    rows_between,
    segment_row,
)

TRIES = 3
"""Plans compiled in turn when what was estimated does not hold."""


def run_plans(before: Job, plans: Sequence[Candidate], choice: str) -> Job:
    """Compile plans in turn until one meets the budgets in earnest; return its job.

    Parameters
    ----------
    before : Job
        The job that chose them; its stages are thrown away.
    plans : sequence of Candidate
        Best first.
    choice : str
        Why, for the report.

    Raises
    ------
    TargetMissed
        None does, of the first `TRIES`: by how much each misses, as compiled.
    """
    problems: list[Problem] = []
    for candidate in plans[:TRIES]:
        for folder in before.folder.iterdir():
            if folder.is_dir():
                shutil.rmtree(folder)
        for name in FOLDERS:
            (before.folder / name).mkdir()
        job = MixedJob(
            before.source, before.folder, before.opts, before.target, before.allow_pickle,
            before.progress,
        )  # fmt: skip
        job.segments, job.choice = candidate.segments, f"{choice}; taken: {candidate.plan}"
        try:
            job.run("layer")
        except UsageError as error:
            # A boundary the network does not allow; the planner counts nodes, not wires.
            problems += error.problems
            continue
        except TargetMissed as error:
            problems += [replace(p, where=f"{p.where}, plan {error.where}") for p in error.problems]
            continue
        return job
    raise TargetMissed(
        "no plan meets the budgets", where="--backend auto",
        problems=problems,
    )  # fmt: skip


class MixedJob(Job):
    """A compile job that gives each layer to the backend the plan names."""

    choice = "asked for with --plan"
    segments: tuple[Segment, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        plan = tuple((self.opts.plan or "").split(","))
        if not self.segments and self.opts.plan is not None:
            self._refuse(plan)
            self.segments = segments_of(plan)

    def run(self, schedule: str | int) -> None:
        """Split, compile each segment, and connect them; each followed by its check."""
        self.segments = self._with_slices()
        self._quant()
        self.chain = Chain(self.name, self.net.inputs, self.net.outputs, self.segments)
        self.report = open_mixed_ladder(self.report, self.chain)
        for stage in (self._split, self._compile, self._connect):
            if self.report.failed:
                self.status = "failed"
                return
            stage()
        self.status = "failed" if self.report.failed else "compiled"

    def _refuse(self, plan: Sequence[str]) -> None:
        layers = [layer.name for layer in self.net.layers]
        if len(plan) != len(layers):
            raise UsageError(
                "the plan does not fit the network", where="--plan",
                why=f"{len(plan)} entries for {len(layers)} layers: {', '.join(layers)}",
                fix="one entry per layer, lut, dsp or mac, with commas between",
            )  # fmt: skip

    def _with_slices(self) -> tuple[Segment, ...]:
        """Give each engine its slices, unless the plan was chosen with them."""
        engines = [s for s in self.segments if s.kind == "dsp"]
        if not engines:
            return self.segments
        room_of(self.target, self.opts)
        if any(s.slices is None for s in engines):
            return share_slices(self.net, self.segments, self.target, self.opts)
        return self.segments

    def _split(self) -> None:
        from nnlogic.checks.chain import check_rows, check_structure

        self.chain.save(ir_path(self.folder, "chain"))
        (self.folder / "ir" / "chain.txt").write_text(self.chain.text())
        self.report = self.report.put(
            StepRow("chain", after=dict(self.chain.stats())),
            Artifact("ir/chain.safetensors", "Chain; printed in ir/chain.txt"),
        )
        self.parts = list(split(self.net, self.segments, self.name))
        self._check(2, STRUCTURE, lambda: check_structure(self.net, self.parts))
        self._check(2, OUTPUTS, lambda: check_rows(self.net, self.parts, self.rows.codes))

    def _compile(self) -> None:
        rows = rows_between(self.parts, self.rows)
        self.own = []
        for segment, net, entering in zip(self.segments, self.parts, rows, strict=True):
            with self.progress.step(f"{segment.title()}: {len(net.layers)} layers"):
                own = compile_segment(
                    net, segment, self.folder, self.opts,
                    target=self.target, rows=entering, progress=self.progress,
                )  # fmt: skip
            self.own.append(own)
            self.report = with_segment(self.report, segment, own).put(
                StepRow(segment.title(), own.seconds),
                Artifact(segment.folder, f"run of {segment.title()}: nnlogic report on it"),
            )
            if own.failed:
                return

    def _connect(self) -> None:
        from nnlogic.flows.vivado import write_vivado
        from nnlogic.hw.chain import write_chain
        from nnlogic.hw.dsp.vectors import write_vector_engine

        started = time.monotonic()
        rtl = self.folder / "rtl"
        parts = open_parts(self.chain, self.folder)
        made = [
            segment_row(part, own, self.target, self.opts.clock)
            for part, own in zip(parts, self.own, strict=True)
        ]
        design = mixed_design(made, self.choice, self.opts.clock, self.opts)
        missed = [row for row in design.budgets if not row.met]
        if missed:
            raise TargetMissed(
                "the plan misses the budgets", where=",".join(self.chain.plan),
                problems=[
                    Problem(
                        row.option,
                        f"{row.got:,.6g}, {row.got - row.limit:,.4g} more than {row.limit:,.6g}",
                        f"allow {row.got:,.6g}",
                    )
                    for row in missed
                ],
            )  # fmt: skip
        self.report = with_mixed(self.report, design)
        for part in parts:
            for file in part.rtl():
                shutil.copyfile(file, rtl / file.name)
            for model in part.models():
                shutil.copyfile(model, self.folder / "sim" / model.name)
            if part.turn is not None:
                write_vector_engine(part.turn, rtl)
        notes = [
            f"{s.title()}: {', '.join(row.layers)}"
            for s, row in zip(self.segments, made, strict=True)
        ]
        write_chain(chain_shape(self.chain, parts), rtl, notes)
        files = sorted(rtl.glob("*.v"))
        if self.target.part:
            flows, top = self.folder / "flows", self.chain.top
            goal = self.opts.clock or design.clock_mhz
            written = write_vivado(files, top, self.target, flows, goal, port="aclk")
            names = ("Vivado script", "clock constraint")
            for file, about in zip(written, names, strict=True):
                self.report = self.report.put(Artifact(f"flows/{file.name}", about))
        self.report = self.report.put(
            StepRow("rtl", round(time.monotonic() - started, 3)),
            *(Artifact(f"rtl/{f.name}", "Verilog") for f in files),
            *accuracy_rows(self.net, self.rows, "segments", self._outputs()),
            *self._commands(),
        )

    def _outputs(self) -> IntArray:
        from nnlogic.checks.chain import run_chain

        return run_chain(self.parts, self.rows.codes)[-1]

    def _commands(self) -> list[Command]:
        commands = super()._commands()
        flags = f" --plan {ShellWord(','.join(self.chain.plan))}"
        slices = sum(s.slices or 0 for s in self.segments)
        flags += f" --dsps {slices}" if slices else ""
        out = [replace(commands[0], line=commands[0].line + flags), *commands[1:]]
        without = {"run the plain bench"} | (set() if self.target.part else {"Vivado"})
        return [c for c in out if c.purpose not in without]
