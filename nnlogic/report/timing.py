"""Time in a report: in cycles, and in ns where a clock is known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from nnlogic.report.codec import LATER
from nnlogic.report.rows import CountSource

LATENCY_DEFINITION = (
    "Clock edges from the one that samples an input to the one at which its output can be "
    "sampled, in the core without the stream wrapper. In ns: cycles divided by the clock."
)


@dataclass(frozen=True)
class Timing:
    """Time, in cycles and in ns.

    Attributes
    ----------
    latency_cycles, initiation_interval, segments : int or None
    levels_per_segment : tuple of int
        LUT levels on the longest path of each pipeline segment.
    clock_mhz : float or None
        The clock that was asked for.
    fmax_mhz : float or None
        The clock that was reached, as `fmax_source` says.
    fmax_source : str or None
        ``"estimate"`` or ``"pnr"``.
    latency_ns : float or None
        `latency_cycles` at `rate_mhz`.
    definition : str
        What latency means, in words.
    estimate_mhz : float or None
        The clock that the target's delay model expects of the deepest segment.
    rate_mhz : float or None
        The clock that latency and throughput in time are given at: the one asked for while there
        is only an estimate, else the one that was reached.
    samples_per_second : float or None
        At `rate_mhz`, `samples_per_interval` every `initiation_interval` cycles.
    samples_per_interval : int
        More than one where samples are taken in groups.
    """

    latency_cycles: int | None = None
    initiation_interval: int | None = None
    segments: int | None = None
    levels_per_segment: tuple[int, ...] = ()
    clock_mhz: float | None = None
    fmax_mhz: float | None = None
    fmax_source: CountSource | None = None
    latency_ns: float | None = None
    definition: str = LATENCY_DEFINITION
    estimate_mhz: float | None = field(default=None, metadata=LATER)
    rate_mhz: float | None = field(default=None, metadata=LATER)
    samples_per_second: float | None = field(default=None, metadata=LATER)
    samples_per_interval: int = field(default=1, metadata=LATER)

    def reached(self, fmax_mhz: float) -> Timing:
        """Return latency and throughput in time, at a clock that place and route reached."""
        return self._at(fmax_mhz, fmax_mhz, "pnr")

    def estimated(self) -> Timing:
        """Return latency and throughput in time as estimated; none where there is no estimate."""
        if self.estimate_mhz is None:
            return replace(
                self, fmax_mhz=None, fmax_source=None, rate_mhz=None, latency_ns=None,
                samples_per_second=None,
            )  # fmt: skip
        return self._at(self.estimate_mhz, self.clock_mhz or self.estimate_mhz, "estimate")

    def _at(self, fmax: float, rate: float, source: CountSource) -> Timing:
        cycles, interval = self.latency_cycles, self.initiation_interval
        per_second = None if interval is None else 1e6 * rate * self.samples_per_interval / interval
        return replace(
            self,
            fmax_mhz=round(fmax, 2),
            fmax_source=source,
            rate_mhz=round(rate, 2),
            latency_ns=None if cycles is None else round(1000.0 * cycles / rate, 2),
            samples_per_second=None if per_second is None else round(per_second, 1),
        )
