"""Simulate the engine of a run with several kernels, and plant faults in kernels and host."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from nnlogic.backends.dsp import section as dsp_section
from nnlogic.backends.dsp.checks.kernels import (
    ORDER_FAULT,
    WORD_FAULT,
    plant_chain,
    planted_chain_faults,
    prove_chain,
)
from nnlogic.backends.dsp.kernels import SIMULATED, host_path
from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.dsp.patches import Patches
from nnlogic.backends.dsp.rows import ENGINE_FAULT
from nnlogic.backends.dsp.verify import engine_files, fault_rows, logic_faults
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import IRError, ToolNotFound
from nnlogic.core.folders import fresh_folder
from nnlogic.core.formats import IntArray
from nnlogic.hw.dsp.host import write_host
from nnlogic.job.backend import Simulate, backend_of
from nnlogic.job.context import Context, saved_context
from nnlogic.job.directory import Run
from nnlogic.job.ladder import verdict_check
from nnlogic.job.rows import read_saved
from nnlogic.job.simulate import missing_simulator, need_simulator, simulator_facts
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, Check
from nnlogic.sim.dsp.kernels_run import Kernels, KernelsRegression, chain_kernels, run_kernels

GROUPS = 3
"""Groups of a pass: more than one engine buffers of most kernels."""


def simulate_kernels(run: Run, ask: Simulate) -> Report:
    """Run cocotb on an engine and a host that follows the schedule; parameters as of a backend.

    The rows are those of the run, against the outputs of the QuantNet, repeated to fill `GROUPS`
    groups.

    Raises
    ------
    ToolNotFound
        A simulator that is required is missing.
    """
    report = run.report
    dsp = dsp_section.of(report)
    if dsp is None:
        raise IRError("the report has no section of an engine", where=str(run.path))
    chain = KernelChain.load(run.ir_path("kernels"))
    patches = None if run.ir_path("ops").exists() else Patches(run, _context(run))
    if patches is not None:
        report = patches.check_parts(report, ask)
        if report.failed:
            return report
    rows, outputs = read_saved(run.path / "sim" / "rows.npz")
    picked = np.arange(GROUPS * chain.vectors) % len(rows.codes)
    codes, expected = rows.codes[picked], outputs[picked]
    words = dsp.memory_words
    folder = fresh_folder(run.path / "sim" / "host")
    faults, where = _faulty_hosts(chain, codes, folder, words)
    kernels = chain_kernels(
        chain, host_path(run.path, chain), folder, most=words, codes=codes, expected=expected,
        faults=faults,
    )  # fmt: skip
    distinct = min(len(picked), len(rows.codes))
    seen: dict[str, Check] = {}
    ran = []
    for name in ask.simulators:
        check, result = _regression(run, kernels, name, ask, distinct)
        report = report.with_check(5, check)
        if result is not None:
            ran.append(name)
            seen = {t: _seen(result, t, where[t], distinct) for t in faults}
    if report.failed:
        return report
    for check in seen.values():
        report = report.with_check(0, check)
    with ask.progress.step("planted faults"):
        if patches is not None:
            prove = patches.prove
        else:
            prove = partial(prove_chain, OpGraph.load(run.ir_path("ops")))
            for title, caught in logic_faults(run, rows.codes):
                report = report.with_check(0, verdict_check(title, caught))
        some = fault_rows(chain.inputs, rows.codes)
        for title, caught in planted_chain_faults(prove, chain, codes=some):
            report = report.with_check(0, verdict_check(title, caught))
    return report.put(*simulator_facts(ran), Artifact("sim/rows.npz", "rows simulated"))


def _context(run: Run) -> Context:
    return saved_context(backend_of(run), run)


def _faulty_hosts(
    chain: KernelChain, codes: IntArray, folder: Path, words: int
) -> tuple[dict[str, Path], dict[str, str]]:
    """Write a schedule with each fault, and say where it is; a loaded word stays, so it is last."""
    files, places = {}, {}
    for title, kind, load in (
        (ORDER_FAULT + SIMULATED, ORDER_FAULT, None),
        (WORD_FAULT + SIMULATED, WORD_FAULT, None),
        (ENGINE_FAULT, "fault in an opcode", True),
    ):
        wrong, where = plant_chain(kind, chain, codes)
        path = folder / f"{kind.replace(' ', '_')}.json"
        write_host(wrong, path, most=words, load=load)
        files[title] = path
        places[title] = f"{where}, in a word loaded" if load else where
    return files, places


def _regression(
    run: Run, kernels: Kernels, simulator: str, ask: Simulate, rows: int
) -> tuple[Check, KernelsRegression | None]:
    title = f"cocotb on {simulator}"
    try:
        need_simulator(simulator)
        result = run_kernels(
            kernels,
            engine_files(run.path),
            run.path / "sim" / f"cocotb-{simulator}",
            simulator=simulator,
            progress=ask.progress,
        )
    except ToolNotFound as error:
        return missing_simulator(title, error, ask), None
    detail = (
        f"{result.passed} tests passed, {result.failed} failed; {sum(result.visits):,} cycles for "
        f"{GROUPS} groups through {len(kernels.programs)} kernels, the host's answers included"
    )
    bad = "; ".join(f"{t.name}: {t.message}" for t in result.tests if not t.passed)
    good = result.failed == 0 and result.passed > 0 and result.visits == result.promised
    word = "pass" if good else "fail"
    detail = "; ".join(t for t in (detail, bad) if t)[:600]
    how = f"sampled n={rows}"
    return Check(title, word, how, detail, round(result.seconds, 3)), result  # type: ignore[arg-type]


def _seen(result: KernelsRegression, title: str, where: str, rows: int) -> Check:
    """Say whether the host's outputs were wrong."""
    started = time.monotonic()
    seen: Mapping[str, str] = result.faults
    said = seen.get(title, "")
    verdict = Verdict("planted fault", "bench", bool(said), f"sampled n={rows}", said, where)
    return verdict_check(title, verdict.timed(started))
