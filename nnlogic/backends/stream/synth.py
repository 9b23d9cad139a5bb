"""Synthesize a stream as a whole, count its parts, simulate the netlist."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nnlogic.backends.lut.synth import write_primitives
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.backends.stream.netlist import NetlistBench, netlist_checks
from nnlogic.backends.stream.rows import NETLIST_CHECK, NETLIST_PARTS
from nnlogic.backends.stream.section import (
    CONTROL,
    DENSE,
    FRAME,
    KERNELS,
    LINES,
    WRAPPER,
    encoders_of,
    with_facts,
)
from nnlogic.backends.stream.segments import load_cores
from nnlogic.backends.stream.stages import cut_of
from nnlogic.backends.stream.whole import Whole, regression_check
from nnlogic.checks.formal import prove_netlist
from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import (
    TargetMissed,
    ToolFailed,
    ToolNotFound,
    ToolTimeout,
)
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.memories import resources_of, stream_target
from nnlogic.flows.reports import Cells
from nnlogic.flows.synth import SynthResult, add_cells, dual_note, synthesize
from nnlogic.flows.targets import Target
from nnlogic.hw.stream.core import frame_module
from nnlogic.job.backend import backend_of
from nnlogic.job.context import saved_context
from nnlogic.job.directory import Run
from nnlogic.job.ladder import verdict_check
from nnlogic.job.tools import Ask, forget_tools, place, put_synth
from nnlogic.quant.encoder import ENCODER
from nnlogic.quant.kernel_network import Part
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.rows import Check, ResourceRow
from nnlogic.sim.cocotb_run import CocotbRun
from nnlogic.sim.netlist import WRONG


def synth_stream(run: Run, whole: Whole, ask: Ask) -> tuple[Report, TargetMissed | None]:
    """Return the report with the figures of the whole, and the error of a clock that is missed.

    Parameters
    ----------
    run : Run
    whole : Whole
        Of the run, with what its netlist is sent.
    ask : Ask

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    harness = _ports(whole.core_ports, whole.design)
    report, result = synthesized(run, ask, whole.design, whole.cut.parts, harness)
    for check in netlist_checks(result, _bench(whole), ask):
        report = report.with_check(6, check)
    return placed(report, run, result, ask, whole.latency)


def fits_cells(run: Run, target: Target) -> bool:
    """Whether the LUTs of all cores of a run fit those of a target."""
    parts = cut_of(saved_context(backend_of(run), run)).parts
    cores = load_cores(run.path, parts).values()
    return all(core.logic.k <= target.lut_cell.width for core in cores)


def synthesized(
    run: Run, ask: Ask, design: StreamDesign, parts: Sequence[Part], harness: str
) -> tuple[Report, SynthResult]:
    """Synthesize a stream, count its parts, and prove its cores in the netlist.

    Parameters
    ----------
    run : Run
    ask : Ask
    design : StreamDesign
    parts : sequence of Part
        Of the run.
    harness : str
        Verilog of a module around the stream, called as the stream's top with ``_core``, with the
        ports that place and route drives.
    """
    target, folder = stream_target(ask.target), run.path / "synth"
    core = f"{design.top}_core"
    wrapper = folder / f"{core}.v"
    write_bytes(wrapper, harness.encode())
    files = {file.name: file for file in sorted((run.path / "rtl").glob("*.v"))}
    cores = load_cores(run.path, parts)
    if ask.primitives:
        for part in cores.values():
            made = write_primitives(part, folder / "rtl", ask)
            files[made.name] = made
    goal = run.report.config.get("clock")
    result = synthesize(
        [*files.values(), wrapper], core, target, folder, clock=goal or target.clock_mhz,
        modules=True, timeout=ask.timeout, progress=ask.progress,
    )  # fmt: skip
    rows = resource_rows(design, result, target, encoders_of(run.report))
    report = put_synth(forget_tools(run.report), run.path, result, *rows)
    found = resources_of(result.total, ask.target)
    report = with_facts(
        report,
        measured_luts=found.luts,
        measured_line_luts=found.memory_luts,
        measured_brams=found.brams,
        measured_ffs=found.ffs,
    )
    with ask.progress.step(f"check: {NETLIST_PARTS}"):
        return report.with_check(6, prove_parts(cores, result, ask)), result


def placed(
    report: Report, run: Run, result: SynthResult, ask: Ask, latency: int
) -> tuple[Report, TargetMissed | None]:
    """Place and route what `synthesized` made; `latency` in clocks."""
    goal, target = run.report.config.get("clock"), stream_target(ask.target)
    return place(report, run.path, result, target, ask, goal, latency, "stream")


def _ports(template: str, design: StreamDesign) -> str:
    wide_in, wide_out = (8 * -(-w // 8) for w in (design.input_width, design.output_width))
    tag = design.tag
    tagged = {
        "tag_pin": f".s_axis_tuser(x[{wide_in + tag}:{wide_in + 1}]), ",
        "tag_port": f"input [{tag - 1}:0] s_axis_tuser, ",
        "tag_part": "s_axis_tuser, ",
    }
    return template.format(
        core=f"{design.top}_core", top=design.top, wx=wide_in, wy=wide_out, wrong=WRONG, tag=tag,
        **{name: text if tag else "" for name, text in tagged.items()},
    )  # fmt: skip


def resource_rows(
    design: StreamDesign, result: SynthResult, target: Target, encoders: Collection[str] = ()
) -> list[ResourceRow]:
    """Return the cells of a synthesized stream, part by part, and of the whole.

    Kernels of layers called as one of `encoders` are a part of their own.
    """
    numbers = range(len(design.layers))
    dense = design.dense.module if design.dense else ""
    parts: dict[str, list[tuple[Cells, int]]] = {
        name: [] for name in (ENCODER, KERNELS, DENSE, FRAME, LINES, CONTROL, WRAPPER)
    }
    kernels = {k.module: layer for layer in design.layers for k in layer.kernels}
    lines = {str(design.module(n, "lines")) for n in numbers}
    for module, cells in result.modules.items():
        kernel = next((k for k in kernels if module == k or module.startswith(f"{k}_")), None)
        if kernel is not None:
            layer = kernels[kernel]
            copies = layer.groups // len(layer.kernels) * layer.scan.output_lanes
            parts[ENCODER if layer.name in encoders else KERNELS].append((cells, copies))
        elif dense and (module == dense or module.startswith(f"{dense}_")):
            parts[DENSE].append((cells, 1))
        elif module == frame_module(design):
            parts[FRAME].append((cells, 1))
        elif module in lines:
            parts[LINES].append((cells, 1))
        else:
            whole = module.startswith(design.top)
            parts[WRAPPER if whole else CONTROL].append((cells, 1))
    rows = []
    for part, found in parts.items():
        if found:
            cells = add_cells(c for c, copies in found for _ in range(copies))
            rows.append(_row(part, cells, target))
    how = f"{result.target}: {result.tool}, {result.command}{dual_note(result.total, target)}; "
    return [*rows, _row(TOTAL, result.total, target, how)]


def _row(part: str, cells: Cells, target: Target, how: str = "") -> ResourceRow:
    found = resources_of(cells, target)
    detail = f"{found.brams} block RAMs, {found.memory_luts} of the LUTs are memory"
    detail += f", {found.carry} carry"
    return ResourceRow(part, "synth", found.luts, found.ffs, found.wide_muxes, how + detail)


def prove_parts(cores: Mapping[str, HardwareDesign], result: SynthResult, ask: Ask) -> Check:
    """Prove the netlist of every core equal to its logic, before modules are dissolved."""
    started = time.monotonic()
    netlist = result.files["modules_verilog"]
    try:
        for module, core in cores.items():
            verdict = prove_netlist(core, [netlist], target=ask.target, timeout=ask.timeout)
            if not verdict.equal:
                return verdict_check(NETLIST_PARTS, replace(verdict, where=module))
    except (ToolFailed, ToolNotFound, ToolTimeout) as error:
        return Check(NETLIST_PARTS, detail=f"{module}: {error.what}")
    took = round(time.monotonic() - started, 3)
    said = f"{len(cores)} modules of the netlist, each equal to its LogicNet"
    return Check(NETLIST_PARTS, "pass", "proved", said, took)


def _bench(whole: Whole) -> NetlistBench:
    def simulate(files: list[Path], folder: Path, simulator: str, faults: int) -> CocotbRun:
        tests = (*whole.netlist_tests, whole.wrong_bits_test)
        return whole.run(files, folder, simulator, tests=tests, faults=faults)

    return NetlistBench(
        whole.folder / "sim" / "netlist", f"{whole.design.top}_core",
        _ports(whole.netlist_ports, whole.design), whole.wrong_bits_test, simulate,
        lambda found: regression_check(NETLIST_CHECK, whole, found), len(whole.expected),
    )  # fmt: skip
