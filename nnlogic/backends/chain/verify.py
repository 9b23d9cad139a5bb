"""Verify a mixed run: each segment by its own ladder, then the whole chain in simulation."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnlogic.backends.chain import section as mixed_section
from nnlogic.backends.chain.checks import check_structure, run_chain
from nnlogic.backends.chain.model.chain import Chain
from nnlogic.backends.chain.rows import (
    LANES_FAULT,
    ORDER_FAULT,
    WIRES_FAULT,
    with_segment,
    with_simulated,
)
from nnlogic.backends.chain.section import MixedDesign
from nnlogic.backends.chain.segments import Part, chain_shape, open_parts
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.errors import Different, IRError, ToolNotFound
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import Progress
from nnlogic.hw.chain.top import write_chain
from nnlogic.hw.dsp.vectors import write_vector_engine
from nnlogic.job.backend import Simulate
from nnlogic.job.directory import Run, open_run
from nnlogic.job.ladder import accuracy_rows, verdict_check
from nnlogic.job.rows import read_saved
from nnlogic.job.simulate import missing_simulator, need_simulator, simulator_facts
from nnlogic.job.verify import verified
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, Check
from nnlogic.sim.chain.run import run_chain_bench
from nnlogic.sim.cocotb_run import RegressionResult

log = logging.getLogger("nnlogic")
ROWS = 600
"""Rows of the run that the simulators replay, over and over."""


@dataclass(frozen=True, eq=False)
class _Chain:
    chain: Chain
    design: MixedDesign
    parts: tuple[Part, ...]
    folder: Path
    codes: IntArray
    expected: IntArray
    progress: Progress

    @property
    def patience(self) -> int:
        """Clocks for a group, the waiting of all its parts for company included."""
        idle = sum(part.turn.idle for part in self.parts if part.turn is not None)
        return self.design.latency_cycles + 2 * idle

    def files(self) -> list[Path]:
        """Return the Verilog of the run, and the models of its cells."""
        models = sorted((self.folder / "sim").glob("*_models.v"))
        return [*sorted((self.folder / "rtl").glob("*.v")), *models]

    def simulate(self, files: Sequence[Path], folder: str, simulator: str) -> RegressionResult:
        return run_chain_bench(
            self.chain.top,
            files,
            self.folder / "sim" / folder,
            inputs=self.chain.inputs,
            outputs=self.chain.outputs,
            codes=self.codes,
            expected=self.expected,
            group=self.design.group,
            patience=self.patience,
            interval=self.design.interval_cycles,
            simulator=simulator,
            progress=self.progress,
        )


def simulate_mixed(run: Run, ask: Simulate) -> Report:
    """Verify the segments and simulate the chain; return the report with their checks.

    Raises
    ------
    ToolNotFound
        A simulator that is required is missing.
    """
    report = run.report
    design = mixed_section.of(report)
    if design is None:
        raise IRError("the report has no section of a mixed design", where=str(run.path))
    chain = Chain.load(run.ir_path("chain"))
    for segment in chain.segments:
        place = run.path / segment.folder
        try:
            verified(place, ask)
        except Different:
            # The segment's report names the check; its verdict becomes one of this run's.
            log.warning("%s failed", segment.title())
        report = with_segment(report, segment, open_run(place).report)
    if report.failed:
        return report
    rows, expected = read_saved(run.path / "sim" / "rows.npz")
    whole = _Chain(
        chain,
        design,
        open_parts(chain, run.path),
        run.path,
        rows.codes[:ROWS],
        expected[:ROWS],
        ask.progress,
    )
    ran = []
    for name in ask.simulators:
        check, result = _regression(whole, name, ask)
        report = report.with_check(5, check)
        if result is not None:
            ran.append(name)
            report = with_simulated(report, result.measured_latency, result.measured_interval)
    net = QuantNet.load(run.ir_path("quant"))
    if ran and not report.failed:
        simulated = replace(rows, codes=whole.codes, labels=_first(rows.labels, len(whole.codes)))
        report = report.put(*accuracy_rows(net, simulated, "RTL", whole.expected))
        with ask.progress.step("planted faults"):
            for title, caught in _faults(whole, net, ran[-1]):
                report = report.with_check(0, verdict_check(title, caught))
    return report.put(*simulator_facts(ran), Artifact("sim/rows.npz", "rows simulated"))


def _first(labels: IntArray | None, count: int) -> IntArray | None:
    return None if labels is None else labels[:count]


def _regression(
    whole: _Chain, simulator: str, ask: Simulate
) -> tuple[Check, RegressionResult | None]:
    title = f"cocotb on {simulator}"
    try:
        need_simulator(simulator)
        result = whole.simulate(whole.files(), f"cocotb-{simulator}", simulator)
    except ToolNotFound as error:
        return missing_simulator(title, error, ask), None
    latency, interval = result.measured_latency, result.measured_interval
    detail = (
        f"{result.passed} tests passed, {result.failed} failed; {latency} cycles for a group of "
        f"{whole.design.group} alone, then one every {interval}"
    )
    bad = next((t for t in result.tests if not t.passed), None)
    detail += f"; {bad.name}: {bad.message}" if bad else ""
    good = (
        result.failed == 0
        and result.passed > 0
        and latency is not None
        and latency <= whole.design.latency_cycles
        and interval is not None
        and interval <= whole.design.interval_cycles
    )
    how = f"sampled n={len(whole.codes)}"
    seconds = round(result.seconds, 3)
    return Check(title, "pass" if good else "fail", how, detail, seconds), result


def _faults(whole: _Chain, net: QuantNet, simulator: str) -> Iterator[tuple[str, Verdict]]:
    """Faults in a corner turn, in the wires, in the order; each with whether it was caught."""
    engine = next((p for p in whole.parts if p.turn is not None), None)
    if engine is not None:
        yield LANES_FAULT, _exchanged_lanes(whole, engine, simulator)
    yield WIRES_FAULT, _exchanged_wires(whole, simulator)
    if len(whole.parts) > 1:
        started = time.monotonic()
        nets = [p.net for p in whole.parts]
        said = check_structure(net, [nets[1], nets[0], *nets[2:]])
        yield ORDER_FAULT, Verdict(
            "planted fault", "check", not said.equal, said.how, said.where, "segments 0 and 1"
        ).timed(started)  # fmt: skip


def _exchanged_lanes(whole: _Chain, part: Part, simulator: str) -> Verdict:
    first = whole.expected[:LANES]
    differs = np.flatnonzero((first != first[0]).any(axis=1))
    if part.turn is None or not len(differs):
        raise IRError("no exchange of lanes shows on these rows", where=whole.chain.name)
    order = list(range(LANES))
    other = int(differs[0])
    order[0], order[other] = other, 0
    folder = whole.folder / "sim" / "faulty"
    folder.mkdir(exist_ok=True)
    wrong = write_vector_engine(replace(part.turn, order=tuple(order)), folder)
    where = f"lanes 0 and {other} of {part.segment.title()}"
    return _caught(whole, wrong, simulator, where)


def _exchanged_wires(whole: _Chain, simulator: str) -> Verdict:
    """Exchange two bits before the last segment, such that rows show it."""
    nets = [p.net for p in whole.parts]
    boundary = len(nets) - 1
    entering = run_chain(nets, whole.codes)[boundary]
    ports = nets[boundary].inputs
    words = bits.pack_ports(entering, ports)
    rng = np.random.default_rng(0)
    for _ in range(200):
        a, b = (int(i) for i in rng.integers(len(words), size=2))
        order = np.arange(len(words))
        order[[a, b]] = b, a
        codes = bits.unpack_ports(words[order], ports, len(entering))
        if (nets[boundary].evaluate(codes) != whole.expected).any():
            break
    else:
        raise IRError("no exchange of wires shows on these rows", where=whole.chain.name)
    folder = whole.folder / "sim" / "faulty"
    folder.mkdir(exist_ok=True)
    shape = replace(chain_shape(whole.chain, whole.parts), crossed=((boundary, a, b),))
    where = f"bits {a} and {b} before segment {boundary}"
    return _caught(whole, write_chain(shape, folder), simulator, where)


def _caught(whole: _Chain, wrong: Path, simulator: str, where: str) -> Verdict:
    """Simulate the chain with one file replaced: the bench must see it."""
    started = time.monotonic()
    files = [wrong if f.name == wrong.name else f for f in whole.files()]
    result = whole.simulate(files, "faults", simulator)
    detail = f"{result.failed} of {result.failed + result.passed} tests failed on {simulator}"
    how = f"sampled n={len(whole.codes)}"
    return Verdict("planted fault", "bench", result.failed > 0, how, detail, where).timed(started)
