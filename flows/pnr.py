"""Place and route with nextpnr: the core in its harness, real Fmax, and a bitstream."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import TargetMissed, ToolFailed
from nnlogic.core.progress import SILENT, Progress, Step
from nnlogic.flows.harness import HARNESS, harness_script, harness_verilog
from nnlogic.flows.reports import TimingPath, read_pnr_report, read_stat
from nnlogic.flows.synth import SynthResult
from nnlogic.flows.target_facts import Device, PnrSettings
from nnlogic.flows.targets import Target
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

SEED = 1
REPORT = "pnr.json"
CORE = "core."
# First words of nextpnr's log lines that start a phase, in order, and the phase's name.
PHASES = (
    ("Packing", "packing"),
    ("Creating initial analytic placement", "initial placement"),
    ("Running main analytical placer", "placement"),
    ("Running simulated annealing placer", "refining placement"),
    ("Routing..", "routing"),
    ("Routing complete", "timing"),
)
# What nextpnr says when a design is too large for the device.
NO_ROOM = re.compile(
    "Unable to find a placement|Unable to find legal placement|Unable to place cell|"
    "failed to place|no BELs remaining"
)


@dataclass(frozen=True)
class PnrResult:
    """What place-and-route measured, and the files it left.

    Attributes
    ----------
    target, device : str
    tool : str
        Program and version.
    command : str
        The command as run, with its seed.
    seed : int
    fmax_mhz : float
        Of the clock, over all register-to-register paths.
    asked_mhz : float
        Clock given to nextpnr as its goal.
    clock_mhz : float or None
        Clock the user asked for; None when there was none, so `asked_mhz` is only a goal.
    utilization : mapping of str to (int, int)
        Used and available, core and harness together.
    harness_luts, harness_ffs : int
        The harness's share.
    path : TimingPath or None
        The path that limits the clock.
    path_in_core : bool
        Whether that path starts and ends in the core; if not, the core alone may be faster.
    files : mapping of str to Path
        ``report`` (JSON), ``log``, ``harness``, ``layout``, ``bitstream``.
    seconds : float
    """

    target: str
    device: str
    tool: str
    command: str
    seed: int
    fmax_mhz: float
    asked_mhz: float
    clock_mhz: float | None
    utilization: Mapping[str, tuple[int, int]]
    harness_luts: int
    harness_ffs: int
    path: TimingPath | None
    path_in_core: bool
    files: Mapping[str, Path]
    seconds: float

    @property
    def met(self) -> bool | None:
        """Whether the user's clock was met; None when there was none."""
        return None if self.clock_mhz is None else self.fmax_mhz >= self.clock_mhz

    def require_clock(self) -> None:
        """Raise TargetMissed when the user's clock was not met."""
        if self.met is not False:
            return
        path = self.path
        detail = (
            ""
            if path is None
            else (
                f"\nlongest path {path.delay_ns:.2f} ns, {path.levels} levels, "
                f"{path.routing_ns:.2f} ns of it routing\nfrom {path.start}\nto   {path.end}"
            )
        )
        raise TargetMissed(
            f"the clock of {self.clock_mhz:g} MHz is not met",
            where=f"{self.target}, {self.device}",
            why=f"place and route reached {self.fmax_mhz:.1f} MHz{detail}",
            fix="lower --clock, or --levels-per-stage for more pipeline registers",
        )


def pnr_arguments(
    settings: PnrSettings, device: Device, clock_mhz: float, seed: int = SEED
) -> list[str]:
    """Return nextpnr's arguments; file names are relative to the run's folder."""
    return [
        device.option,
        *settings.arguments,
        *("--json", "harness.json", "--top", HARNESS),
        *("--freq", f"{clock_mhz:g}", "--timing-allow-fail"),
        *("--seed", str(seed)),
        *("--report", REPORT, settings.layout_option, settings.layout),
    ]


def place_and_route(
    synth: SynthResult,
    target: Target,
    folder: Path,
    *,
    clock: float | None = None,
    seed: int = SEED,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> PnrResult:
    """Place and route a synthesized core on the smallest device that holds it.

    The netlist that was counted is placed as it is, inside the harness, so that the number of
    pins does not matter and the core's paths run from register to register.

    Parameters
    ----------
    synth : SynthResult
        Of a core with the ports of `nnlogic.flows.harness.CONTROL`.
    target : Target
        One with `pnr` settings.
    folder : Path
        Receives scripts, logs, report, layout and bitstream; made when missing.
    clock : float, optional
        MHz asked for; the goal is the target's own clock when there is none.
    seed : int
        Of nextpnr's random numbers.
    timeout : float, optional
        Seconds, for each program.
    progress : Progress

    Returns
    -------
    PnrResult
        Also when `clock` was not met; see `PnrResult.require_clock`.

    Raises
    ------
    TargetMissed
        The design does not fit, with the numbers.
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    device = target.device_for(synth.luts_total, synth.ffs)
    settings = target.pnr
    if settings is None:
        raise TargetMissed(f"{target.name} has no open place-and-route")
    nextpnr, packer = (find(program) for program in settings.programs)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    goal = target.clock_mhz if clock is None else clock
    arguments = pnr_arguments(settings, device, goal, seed)
    report, layout, bitstream = (
        folder / name for name in (REPORT, settings.layout, settings.bitstream)
    )
    log = folder / "pnr.log"
    with progress.step(f"place and route on {device.name}, seed {seed}", len(PHASES) + 2) as step:
        harness_luts, harness_ffs = _join_harness(synth, target, folder, timeout)
        step.advance(1, "harness")
        try:
            done = run_tool(
                nextpnr,
                arguments,
                cwd=folder,
                timeout=timeout,
                outputs=(report, layout),
                log_file=log,
                on_line=PhaseCounter(step),
            )
        except ToolFailed as error:
            _raise_if_full(error, synth, device)
            raise
        run_tool(
            packer,
            [settings.layout, settings.bitstream],
            cwd=folder,
            timeout=timeout,
            outputs=(bitstream,),
        )
        step.advance(1, "bitstream")
    read = read_pnr_report(report, settings.packed_suffix)
    return PnrResult(
        target=target.name,
        device=device.name,
        tool=f"{nextpnr.name} {nextpnr.version_text}",
        command=" ".join([nextpnr.name, *arguments]),
        seed=seed,
        fmax_mhz=read.fmax_mhz,
        asked_mhz=goal,
        clock_mhz=clock,
        utilization=read.utilization,
        harness_luts=harness_luts,
        harness_ffs=harness_ffs,
        path=read.path,
        path_in_core=read.path is not None
        and read.path.start.startswith(CORE)
        and read.path.end.startswith(CORE),
        files={
            "report": report,
            "log": log,
            "harness": folder / "harness.v",
            "layout": layout,
            "bitstream": bitstream,
        },
        seconds=done.seconds,
    )


class PhaseCounter:
    """Turns nextpnr's log into progress: one advance per phase, in order."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.at = 0

    def __call__(self, line: str) -> None:
        """Take one line of the log."""
        if self.at < len(PHASES) and line.startswith(f"Info: {PHASES[self.at][0]}"):
            self.step.advance(1, PHASES[self.at][1])
            self.at += 1


def _join_harness(
    synth: SynthResult, target: Target, folder: Path, timeout: float | None
) -> tuple[int, int]:
    verilog = harness_verilog(synth.top, synth.ports)
    netlist = os.path.relpath(synth.files["netlist_json"], folder)
    script = harness_script("harness.v", synth.top, " ".join(target.yosys), netlist)
    write_bytes(folder / "harness.v", verilog.encode())
    write_bytes(folder / "harness.ys", script.encode())
    stat = folder / "harness.stat.json"
    run_tool(
        find("yosys"),
        ["harness.ys"],
        cwd=folder,
        timeout=timeout,
        outputs=(stat, folder / "harness.json"),
        failure_phrases=("ERROR:",),
        log_file=folder / "harness.log",
    )
    whole, _ = read_stat(stat, target)
    return whole.luts_total - synth.luts_total, whole.ffs - synth.ffs


def _raise_if_full(error: ToolFailed, synth: SynthResult, device: Device) -> None:
    if NO_ROOM.search(error.why):
        raise TargetMissed(
            "the design does not fit the device",
            where=device.name,
            why=f"needs {synth.luts_total} LUTs and {synth.ffs} flip-flops and the harness; the "
            f"device has {device.luts} and {device.ffs}\n{error.why}",
            fix="choose a larger target, or a smaller network",
        ) from error
