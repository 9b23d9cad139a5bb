"""A whole stream on a simulator: what its kinds have in common, and what each says of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from nnlogic.backends.stream.model.cut import Cut
from nnlogic.core.errors import ToolNotFound
from nnlogic.core.progress import Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.job.directory import Run
from nnlogic.job.simulate import need_simulator
from nnlogic.report.model import Row
from nnlogic.report.rows import Check
from nnlogic.sim.cocotb_run import CocotbRun


@dataclass(frozen=True, eq=False)
class Whole(ABC):
    """A stream of a run, and what is sent through it.

    Attributes
    ----------
    design : StreamDesign or ContinuousDesign
    cut : Cut
        Its parts.
    folder : Path
        Of the run.
    sent, expected : int arrays
        What goes in, and the results that must come out.
    progress : Progress
    facts : mapping of str to str
        By what a simulation measures: its name in the report.
    planted : tuple of str
        Faults planted in windows.
    absent : str
        Said of one that no window of a network can have.
    netlist_tests : tuple of str
        What a netlist is put through; the Verilog it was made from goes through all tests.
    wrong_bits_test : str
        The test that needs a wrong bit to be seen.
    core_ports, netlist_ports : str
        Verilog around the stream for place and route, and around its netlist for simulation; see
        `nnlogic.backends.stream.synth`.
    """

    design: Any
    cut: Cut
    folder: Path
    sent: Any
    expected: Any
    progress: Progress

    facts: ClassVar[Mapping[str, str]]
    planted: ClassVar[tuple[str, ...]]
    absent: ClassVar[str]
    netlist_tests: ClassVar[tuple[str, ...]]
    wrong_bits_test: ClassVar[str]
    core_ports: ClassVar[str]
    netlist_ports: ClassVar[str]

    def files(self) -> list[Path]:
        """Return the Verilog of the run."""
        return sorted((self.folder / "rtl").glob("*.v"))

    @property
    @abstractmethod
    def latency(self) -> int:
        """Clocks from the last input a result needs, or the first of its frame, to the result."""

    @abstractmethod
    def run(
        self,
        files: Sequence[Path],
        folder: Path,
        simulator: str,
        *,
        tests: tuple[str, ...] | None = None,
        faults: int = 0,
    ) -> CocotbRun:
        """Simulate files of the stream; `faults` is the width of a netlist's input for them."""

    @abstractmethod
    def promised(self) -> Mapping[str, int]:
        """Return what a simulation must measure, by name."""

    @abstractmethod
    def times(self, found: Mapping[str, Any]) -> str:
        """Return measured times in words."""

    @abstractmethod
    def tags(self) -> tuple[int, str]:
        """Return how many unique tags are sent, and how in words; 0 and why where none are."""

    @abstractmethod
    def run_tags(
        self, files: Sequence[Path], folder: Path, simulator: str, which: Any = None
    ) -> CocotbRun:
        """Send unique tags through all windows, or through one."""

    @abstractmethod
    def wrong_windows(self) -> Iterator[tuple[str, Any, Any, str]]:
        """Yield faults: title, which window, its wrong shape, and what that is in words."""

    @abstractmethod
    def write(
        self, cores: Mapping[str, HardwareDesign], folder: Path, shapes: Mapping[Any, Any]
    ) -> tuple[Path, ...]:
        """Write the stream with windows of other shapes; the free-running one first."""

    def accuracy(self, run: Run) -> Iterable[Row]:
        """Return how accurate the simulated results are."""
        return ()


def regression_check(title: str, whole: Whole, result: CocotbRun) -> Check:
    """Return what a simulation of a whole stream says; the times must be those promised."""
    promised = whole.promised()
    found = {name: result.measured.get(name) for name in promised}
    failed = len(result.tests) - result.passed
    good = not failed and found == promised
    bad = next((t for t in result.tests if not t.passed), None)
    detail = (
        f"{result.passed} tests passed, {failed} failed; {whole.times(found)}; promised "
        f"{', '.join(map(str, promised.values()))}"
    )
    detail += f"; {bad.name}: {bad.message}" if bad else ""
    how, seconds = f"sampled n={len(whole.expected)}", round(result.seconds, 3)
    return Check(title, "pass" if good else "fail", how, detail, seconds)


def tag_simulator() -> str:
    """Return the simulator that windows run on: the one that builds faster.

    Raises
    ------
    ToolNotFound
        There is none.
    """
    try:
        need_simulator("icarus")
    except ToolNotFound:
        need_simulator("verilator")
        return "verilator"
    return "icarus"
