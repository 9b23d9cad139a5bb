"""The segments of a mixed design as runs of their own, and what they say about themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnlogic.backends.chain.model.chain import Chain, Segment
from nnlogic.backends.chain.options import ChainOptions
from nnlogic.backends.chain.section import SegmentRow
from nnlogic.backends.dsp import section as dsp_section
from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.mac.model.ir import MacNet
from nnlogic.core.bits import total_bits
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import Progress
from nnlogic.flows.targets import Target
from nnlogic.hw.chain.top import ChainShape
from nnlogic.hw.dsp.vectors import TurnShape
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.job.backend import backend_named
from nnlogic.job.context import open_context
from nnlogic.job.directory import ir_path, staged_run
from nnlogic.job.option import options_of
from nnlogic.job.options import Options
from nnlogic.job.rows import Rows
from nnlogic.job.runner import run_stages
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import TOTAL, Report

STREAM_CYCLES = 3
"""Clocks that the stream wrapper of a segment without an engine adds."""


def stream_luts(width: int) -> int:
    """Return the estimated LUT6 of such a wrapper: credits, and a FIFO of results in LUT RAM.

    Parameters
    ----------
    width : int
        Bits of a result.
    """
    # A RAM32M holds six bits in four LUTs; 20 are for credits and addresses, as yosys counts.
    return 20 + 4 * -(-width // 6)


@dataclass(frozen=True, eq=False)
class Part:
    """A compiled segment: its network, its run, and where the stream of vectors is."""

    segment: Segment
    net: QuantNet
    folder: Path
    turn: TurnShape | None

    @property
    def stream(self) -> str:
        """Module with a stream of vectors."""
        return f"{self.net.name}_stream"

    def rtl(self) -> tuple[Path, ...]:
        """Return the Verilog of the segment, without corner turns and simulation models."""
        return tuple(sorted((self.folder / "rtl").glob("*.v")))

    def models(self) -> tuple[Path, ...]:
        """Return the simulation models of the cells it instantiates."""
        return tuple(sorted((self.folder / "sim").glob("*_models.v")))


def segment_options(opts: ChainOptions, segment: Segment) -> Options:
    """Return the options of a segment's run: those of the chain that its backend knows."""
    cls = backend_named(segment.kind).options
    changes: dict[str, Any] = {
        "rows": None,
        "label": None,
        "raw": None,
        "stream": True,
        "dsps": segment.slices,
        "max_dsps": None,
        "max_luts": None,
        "max_latency": None,
        "samples_per_second": None,
        "kernels": "1",
    }
    known: dict[str, Any] = {
        name: getattr(opts, name, default) for name, (_, default) in options_of(cls).items()
    }
    return cls(**{**known, **{name: v for name, v in changes.items() if name in known}})


def compile_segment(
    net: QuantNet,
    segment: Segment,
    folder: Path,
    opts: ChainOptions,
    *,
    target: Target,
    rows: Rows,
    progress: Progress,
) -> Report:
    """Compile a segment in its folder below the run of the chain; return its report.

    Parameters
    ----------
    net : QuantNet
        Of the segment.
    segment : Segment
    folder : Path
        Of the chain's run.
    opts : ChainOptions
    target : Target
    rows : Rows
        What enters the segment, with labels where it gives the class.
    progress : Progress
    """
    place = folder / segment.folder
    place.parent.mkdir(exist_ok=True)
    source = place.parent / f"{net.name}.safetensors"
    net.save(source)
    backend = backend_named(segment.kind)
    mine = segment_options(opts, segment)
    with staged_run(place, force=False) as work:
        ctx = open_context(backend, mine, source, work, target=target, rows=rows, progress=progress)
        return run_stages(ctx)


def open_parts(chain: Chain, folder: Path) -> tuple[Part, ...]:
    """Return the segments of a run, with corner turns whose patience suits the whole chain.

    A group is closed early where no vector comes for as long as the slowest engine takes for
    one of its own groups, so that the bursts of one engine do not cut the groups of the next.
    """
    nets = [QuantNet.load(ir_path(folder / s.folder, "quant")) for s in chain.segments]
    programs = {
        s.number: Program.load(ir_path(folder / s.folder, "program"))
        for s in chain.segments
        if s.kind == "dsp"
    }
    idle = max((TurnShape.of(p).interval(p.interval) for p in programs.values()), default=0)
    return tuple(
        Part(
            segment,
            net,
            folder / segment.folder,
            TurnShape.of(programs[segment.number], idle) if segment.number in programs else None,
        )
        for segment, net in zip(chain.segments, nets, strict=True)
    )


def chain_shape(chain: Chain, parts: tuple[Part, ...]) -> ChainShape:
    """Return what the top module connects."""
    widths = [total_bits(chain.inputs), *(total_bits(p.net.outputs) for p in parts)]
    return ChainShape(
        chain.top, tuple(p.stream for p in parts), tuple(widths), chain.inputs, chain.outputs
    )


def segment_row(part: Part, report: Report, target: Target, clock: float | None) -> SegmentRow:
    """Return the facts of a compiled segment."""
    segment, timing, turn = part.segment, report.timing, part.turn
    dsp = dsp_section.of(report)
    estimate = report.resource(TOTAL, "estimate")
    plain = SegmentRow(
        number=segment.number,
        kind=segment.kind,
        layers=tuple(layer.name for layer in part.net.layers),
        run=segment.folder,
        luts=estimate.luts if estimate else None,
        turn_luts=0,
        dsps=0,
        brams=0,
        group=1,
        interval_cycles=1,
        latency_cycles=(timing.latency_cycles or 0) + STREAM_CYCLES,
        clock_mhz=0.0,
    )
    if segment.kind == "mac":
        mac = MacNet.load(ir_path(part.folder, "mac"))
        plain = replace(plain, dsps=mac.slices if mac.slice_kind != FABRIC else 0)
    if dsp is None or turn is None:
        if plain.luts is not None:
            plain = replace(plain, luts=plain.luts + stream_luts(total_bits(part.net.outputs)))
        period = target.delay.segment_ns(max(timing.levels_per_segment, default=1))
        return replace(plain, clock_mhz=round(1000.0 / period if clock is None else clock, 2))
    return replace(
        plain,
        turn_luts=turn.luts,
        dsps=dsp.slices if dsp.kind != FABRIC else 0,
        brams=dsp.data_brams + dsp.program_brams,
        group=turn.vectors,
        interval_cycles=turn.interval(dsp.interval_cycles),
        latency_cycles=turn.latency(dsp.stream_cycles),
        clock_mhz=dsp.clock_mhz,
    )


def rows_between(parts: list[QuantNet], rows: Rows) -> list[Rows]:
    """Return what enters each segment, for the rows of the run."""
    from nnlogic.backends.chain.checks import run_chain

    values: list[IntArray] = run_chain(parts, rows.codes)
    out = [Rows(codes, None, f"{rows.what}, through the segments before") for codes in values[:-1]]
    out[0] = rows if len(parts) == 1 else Rows(rows.codes, None, rows.what)
    out[-1] = replace(out[-1], labels=rows.labels)
    return out
