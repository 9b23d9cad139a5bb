"""Options of the stream backend."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.backends.lut.options import sideband_of, sideband_problems
from nnlogic.backends.stream.model.memory import KINDS
from nnlogic.core.errors import Problem
from nnlogic.job.option import option
from nnlogic.job.options import Budgeted

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class StreamOptions(Budgeted):
    """Options of every run, the rate of the stream, and what its lines are made of."""

    backend: str = "stream"
    positions_per_clock: int | None = option(
        None, "Positions of the map that come in per clock (default: 1, or what the rate needs).",
        metavar="P", kind=int, least=1, implies=True,
    )  # fmt: skip
    continuous: bool = option(
        False, "One sample per clock without frames: the network slides over a stream that never "
        "ends.", kind=bool, implies=True, planned=False,
    )  # fmt: skip
    sideband: str | None = option(
        None, "Signals of the stream that pass from a sample to its result: tlast, tkeep, tuser=N.",
        metavar="NAME[=BITS],...", planned=False, until="design",
    )  # fmt: skip
    line_buffers: str = option(
        AUTO, "What lines of a map wait in.", choices=(AUTO, *KINDS), shown=True
    )

    @property
    def beside(self) -> tuple[tuple[str, int], ...]:
        """The signals of `sideband` and their bits."""
        return sideband_of(self.sideband)

    def problems(self) -> list[Problem]:
        """Return which options exclude each other."""
        out = [p for p in super().problems() if p.where not in ("--from", "--stop-after")]
        if not self.stream:
            out.append(Problem("--no-stream", "frames come and go as streams", "leave it out"))
        for flag, value in (("--from", self.start_from), ("--stop-after", self.stop_after)):
            if value is not None:
                why = "a stream is compiled as a whole; its kernels are runs of their own"
                out.append(Problem(flag, why, "leave it out"))
        if self.mode != "exact":
            why = "observed windows of a stream are not collected"
            out.append(Problem("--mode", why, "--mode exact, or --backend lut"))
        if self.continuous and (self.positions_per_clock or 1) > 1:
            why = (
                f"{self.positions_per_clock}, but a stream without frames takes a sample per clock"
            )
            out.append(Problem("--positions-per-clock", why, "leave it or --continuous out"))
        if self.max_dsps is not None:
            out.append(Problem("--max-dsps", "a stream has no DSP slices", "leave it out"))
        return [*out, *self._sideband_problems()]

    def _sideband_problems(self) -> list[Problem]:
        out = sideband_problems(self.sideband)
        if out:
            return out
        names, flag = {name for name, _ in self.beside}, "--sideband"
        if names and self.continuous:
            why = "a result is of many samples, and a stream without frames marks none of them"
            out.append(Problem(flag, why, "leave it or --continuous out"))
        if "tlast" in names:
            out.append(Problem(flag, "frames and results have tlast already", "leave tlast out"))
        if "tkeep" in names:
            why = "a window reads bytes of many beats, and none of them may be missing"
            out.append(Problem(flag, why, "a bit of tuser=N that says which frames are not whole"))
        return out
