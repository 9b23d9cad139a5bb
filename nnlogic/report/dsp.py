"""The DSP section of a report: an engine, how near it is to its bounds, and how fast it is."""

from __future__ import annotations

from dataclasses import dataclass

KIND_WORDS = {
    "dsp48e1": "DSP48E1 slices",
    "dsp48e2": "DSP48E2 slices",
    "fabric": "slices of ordinary LUTs (fabric variant: the same program without DSP cells)",
}


@dataclass(frozen=True)
class DspEngine:
    """The engine that computes the network.

    Attributes
    ----------
    kind : str
        ``"dsp48e1"``, ``"dsp48e2"`` or ``"fabric"``.
    choice : str
        Why this backend and this engine.
    slices, input_banks, contexts, lanes : int
        A group is `lanes` times `contexts` input vectors.
    operations, depth : int
        Two-input operations per batch, and on the longest path.
    steps : int
        Words of the program.
    latency_cycles, interval_cycles : int
        From the issue of a group to its outputs being readable; from one group to the next.
    stream_cycles : int
        From the last beat in to the last beat out of a group alone.
    work, depth_bound, path, ports, load : int
        Lower bounds on `steps`, and of `load` on the steps of loading; see
        `nnlogic.dsp.machine.Bounds`.
    bound : int
        The strongest of those on `steps`.
    utilization : float
        Percent of slice steps that do an operation.
    data_brams, program_brams : int
        36 Kb block RAMs, estimated.
    luts : int or None
        LUT6 of crossbar and small memories, estimated; None for the fabric variant.
    clock_mhz : float
        Assumed, as `clock_source` says.
    clock_source : str
    latency_ns : float
        `latency_cycles` at `clock_mhz`.
    throughput : float
        Input vectors per second at `clock_mhz`, with groups back to back.
    measured_dsps, measured_brams, measured_luts, measured_ffs : int or None
        After synthesis; LUTs used as memory included.
    """

    kind: str
    choice: str
    slices: int
    input_banks: int
    contexts: int
    lanes: int
    operations: int
    depth: int
    steps: int
    latency_cycles: int
    interval_cycles: int
    stream_cycles: int
    work: int
    depth_bound: int
    path: int
    ports: int
    load: int
    bound: int
    utilization: float
    data_brams: int
    program_brams: int
    luts: int | None
    clock_mhz: float
    clock_source: str
    latency_ns: float
    throughput: float
    measured_dsps: int | None = None
    measured_brams: int | None = None
    measured_luts: int | None = None
    measured_ffs: int | None = None

    @property
    def vectors(self) -> int:
        """Input vectors of a group."""
        return self.lanes * self.contexts


def dsp_facts(dsp: DspEngine) -> list[tuple[str, str]]:
    """Return the section as labels and texts, for every view."""
    over = 100 * (dsp.steps / dsp.bound - 1) if dsp.bound else 0.0
    outside = "" if dsp.luts is None else f"; {dsp.luts:,} LUT6 for crossbar and small memories"
    return [
        ("engine", f"{dsp.slices} {KIND_WORDS[dsp.kind]}; memories for inputs: {dsp.input_banks}"),
        ("chosen", dsp.choice),
        ("operations", f"{dsp.operations:,}, {dsp.depth:,} on the longest path"),
        (
            "program",
            f"{dsp.steps:,} steps for at least {dsp.bound:,} ({over:.1f} % above the bound)",
        ),
        (
            "bounds",
            f"work {dsp.work:,}, depth {dsp.depth_bound:,}, work and depth {dsp.path:,}, "
            f"ports {dsp.ports:,}, loading {dsp.load:,}",
        ),
        ("slices busy", f"{dsp.utilization:.1f} % of all steps"),
        ("a group", f"{dsp.lanes} lanes x {dsp.contexts} contexts = {dsp.vectors} input vectors"),
        (
            "cycles",
            f"{dsp.latency_cycles:,} from issue to outputs ({dsp.stream_cycles:,} from the last "
            f"beat in to the last beat out), a group every {dsp.interval_cycles:,}",
        ),
        ("clock", f"{dsp.clock_mhz:,.1f} MHz, {dsp.clock_source}"),
        ("latency", f"{dsp.latency_ns:,.1f} ns at that clock"),
        ("throughput", f"{dsp.throughput:,.0f} vectors per second at that clock"),
        (
            "estimate",
            f"{dsp.data_brams} block RAMs (36 Kb) for data, {dsp.program_brams} for the program"
            + outside,
        ),
        ("synthesis", _measured(dsp)),
    ]


def _measured(dsp: DspEngine) -> str:
    if dsp.measured_dsps is None:
        return "not run"
    return (
        f"{dsp.measured_dsps} DSP cells, {dsp.measured_brams} block RAMs, "
        f"{dsp.measured_luts:,} LUTs, {dsp.measured_ffs:,} FFs"
    )
