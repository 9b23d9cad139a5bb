"""Rows of the networks that stream: compiled by the stream backend, synthesized with everything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

import nnlogic
from benchmarks.zoo.row import LEVELS_PER_STAGE, PLACED, TOO_LARGE, Settings, proofs_of, rows_of
from nnlogic.backends.stream import section
from nnlogic.backends.stream.model.cycles import run_frames
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.backends.stream.segments import load_cores
from nnlogic.backends.stream.stages import cut_of
from nnlogic.core.errors import InputError, TargetMissed
from nnlogic.job.backend import backend_of
from nnlogic.job.context import saved_context
from nnlogic.job.directory import Run
from nnlogic.report.model import Report
from nnlogic.run.synth_run import synth

STREAM = "_stream_"
"""In names of networks for the stream backend."""
TARGET = "xc7"
CHUNK = 500
PARTS = (section.KERNELS, section.DENSE, section.FRAME, section.LINES, section.CONTROL)

HEAD = f"""\
# Networks that stream

`nnlogic compile zoo/NAME.safetensors --backend stream --target xc7 --objective area
--levels-per-stage {LEVELS_PER_STAGE}`, then `nnlogic synth --no-pnr --primitives`: one position per
clock, the whole network behind AXI4-Stream.

- *test*: the compiled stream, its cycle model on the whole test split.
- LUT6 after synthesis: kernels (all copies), dense layers with votes and argmax, lines (LUTs used
  as memory among them), control (window generators and frame register), core; then the AXI4-Stream
  wrapper, and everything.
- *bits*: of all lines; *BRAM*: block memories of 18 Kb beside the LUTs.
- *depth*: LUT levels between registers. *latency*: clocks from the first beat of a frame to its
  result; *interval*: clocks from one frame to the next. *frames/s*: in millions, at 200 MHz, which
  is assumed, and at the Fmax of ecp5, which is placed and routed.
- *unrolled*: the same LUTs with a copy of each kernel at every position, computed, not compiled;
  compiled it is less, since what later layers do not read is not made (docs/guide/windows.md).
  `--backend lut` refuses more than 20,000 tables unless `--unroll-limit` allows them.
- *proofs*: 3 and 5 are of kernels and dense layers, 4 also of whole frames. 6: these parts of the
  netlist are proved; where *sampled* is said, the whole netlist was simulated. What `nnlogic
  verify` does (unique tags through window generators, cocotb, planted faults) is not in this table.
- ecp5: compiled again for LUT4s, Yosys and nextpnr, everything included. `-`: not run.

"""


@dataclass(frozen=True)
class StreamRow:
    """Figures of one network that streams.

    Attributes
    ----------
    name : str
    validation : float or None
    test : float
        Percent.
    test_rows : int
    luts : dict of str to int
        LUT6 by part as the report names them; ``total``.
    memory_luts, line_bits, brams, depth, latency, interval, unrolled : int
    frames_per_second : float
    proofs : dict of str to str
    seconds : float
        Of compilation.
    ecp5 : str
    luts4, ffs : int or None
    fmax : float or None
    key : str
    """

    name: str
    validation: float | None
    test: float
    test_rows: int
    luts: dict[str, int]
    memory_luts: int
    line_bits: int
    brams: int
    depth: int
    latency: int
    interval: int
    unrolled: int
    frames_per_second: float
    proofs: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    ecp5: str = ""
    luts4: int | None = None
    ffs: int | None = None
    fmax: float | None = None
    key: str = ""

    @property
    def core(self) -> int:
        """LUT6 without the wrapper."""
        return self.luts["total"] - self.luts.get(section.WRAPPER, 0)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> StreamRow:
        """Read what `save` wrote."""
        return StreamRow(**json.loads(path.read_text(encoding="utf-8")))


def _compiled(path: Path, out: Path, target: str, settings: Settings, jobs: int) -> Run:
    return nnlogic.compile(
        path, out / f"{path.stem}-{target}", target=target, backend="stream", objective="area",
        arith="auto", effort=settings.effort, jobs=jobs, force=True,
        levels_per_stage=LEVELS_PER_STAGE,
    )  # fmt: skip


def measure(path: Path, out: Path, settings: Settings, jobs: int) -> StreamRow:
    """Return the row of a checkpoint without its ecp5 columns.

    Raises
    ------
    InputError
        The checkpoint names no data set, or another version of it.
    """
    net = nnlogic.load(path)
    rows = rows_of(net, path, settings.data_dir)
    run = _compiled(path, out, TARGET, settings, jobs)
    seconds = float(run.report.seconds or 0.0)
    column = net.class_output
    if column is None:
        raise InputError("the network has no class output", where=str(path))
    found = _classes(run, net.encode(rows.x_test), column)
    run = synth(run.path, pnr=False, primitives=True)
    recorded = net.info.get("accuracy", {})
    return replace(
        row_of(path.stem, run.report, StreamDesign.load(run.ir_path("design"))),
        validation=100 * recorded["validation"] if "validation" in recorded else None,
        test=float(100 * np.mean(found == rows.y_test)),
        test_rows=len(rows.y_test),
        seconds=seconds,
        key=settings.key(path),
    )


def row_of(name: str, report: Report, design: StreamDesign) -> StreamRow:
    """Return the row that a synthesized run gives, without accuracies.

    Raises
    ------
    InputError
        The run is none of a stream, or not synthesized.
    """
    facts = section.of(report)
    if facts is None or facts.measured_luts is None:
        raise InputError("not the report of a stream that was synthesized", where=name)
    copies = zip(facts.layers, design.layers, strict=True)
    unrolled = sum(
        mine.luts // layer.scan.output_lanes * layer.scan.output.positions for mine, layer in copies
    )
    return StreamRow(
        name=name,
        validation=None,
        test=0.0,
        test_rows=0,
        luts={r.part: int(r.luts or 0) for r in report.resources if r.source == "synth"},
        memory_luts=facts.measured_line_luts or 0,
        line_bits=facts.line_bits,
        brams=facts.measured_brams or 0,
        depth=max(report.timing.levels_per_segment, default=0),
        latency=facts.latency_cycles,
        interval=facts.interval_cycles,
        unrolled=unrolled + facts.dense_luts,
        frames_per_second=facts.frames_per_second,
        proofs=proofs_of(report),
    )


def _classes(run: Run, codes: np.ndarray, column: int) -> np.ndarray:
    design = StreamDesign.load(run.ir_path("design"))
    cores = load_cores(run.path, cut_of(saved_context(backend_of(run), run)).parts)
    logic = {name: core.logic for name, core in cores.items()}
    starts = range(0, len(codes), CHUNK)
    chunks = [run_frames(design, logic, codes[at : at + CHUNK])[:, column] for at in starts]
    return np.concatenate(chunks)


def with_ecp5(row: StreamRow, path: Path, out: Path, settings: Settings, jobs: int) -> StreamRow:
    """Return the row with its ecp5 columns: compiled for LUT4s, synthesized, placed and routed."""
    run = _compiled(path, out, "ecp5", settings, jobs)
    try:
        run = synth(run.path)
    except TargetMissed:
        return replace(row, ecp5=TOO_LARGE)
    placed = next(r for r in run.report.resources if r.source == "pnr" and r.part == "total")
    fmax = run.report.timing.fmax_mhz
    return replace(row, ecp5=PLACED, luts4=placed.luts, ffs=placed.ffs, fmax=fmax)


def table(rows: Sequence[StreamRow]) -> str:
    """Return the section of the page."""
    head = (
        "network", "test %", "val %", "kernels", "dense", "lines", "of these memory", "control",
        "**core**", "wrapper", "**LUT6**", "bits", "BRAM", "depth", "latency", "interval",
        "frames/s", "unrolled", "ecp5 LUT4", "FF", "Fmax MHz", "frames/s ecp5", "s", "proofs",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in sorted(rows, key=lambda r: r.luts["total"]):
        luts = row.luts
        control = luts.get(section.CONTROL, 0) + luts.get(section.FRAME, 0)
        cells = (
            row.name,
            f"{row.test:.2f}",
            "-" if row.validation is None else f"{row.validation:.2f}",
            luts.get(section.KERNELS, 0),
            luts.get(section.DENSE, 0),
            luts.get(section.LINES, 0),
            row.memory_luts,
            control,
            f"**{row.core}**",
            luts.get(section.WRAPPER, 0),
            f"**{luts['total']}**",
            row.line_bits,
            row.brams,
            row.depth,
            row.latency,
            row.interval,
            f"{row.frames_per_second / 1e6:.3f}",
            f"{row.unrolled:,}",
            _or_dash(row.luts4),
            _or_dash(row.ffs),
            _or_dash(row.fmax),
            "-" if row.fmax is None else f"{row.fmax / row.interval:.3f}",
            f"{row.seconds:.0f}",
            "; ".join(f"{rung} {how}" for rung, how in sorted(row.proofs.items())),
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return HEAD + "\n".join(lines) + "\n\n"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
