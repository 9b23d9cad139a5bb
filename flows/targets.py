"""Targets as data: what each device family is, and which tools and options serve it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from nnlogic.core.errors import Problem, TargetMissed, UsageError
from nnlogic.flows.target_facts import DelayModel, Device, DspRoom, PnrSettings
from nnlogic.flows.target_table import CellPattern, Source, Text
from nnlogic.hw.lut_cell import LutCell
from nnlogic.tools.find import Program

CELL_KINDS = ("luts", "wide_muxes", "ffs", "carry", "brams", "dsps")
FULL = 0.9
LUT_SIZES = range(2, 7)


@dataclass(frozen=True, eq=False)
class Target:
    """A device family and its flow; `Target.of` reads it from targets.toml or a user's file.

    Attributes
    ----------
    name, title : str
    lut_size : int
        Inputs of the family's LUT: the K to map for.
    yosys : tuple of str
        Synthesis command and options, without ``-top``.
    cells : mapping of str to tuple of str
        Cell type patterns of each kind in `CELL_KINDS`.
    clock_mhz : float
        Clock asked of the tools when the user names none.
    delay : DelayModel
    lut_cell : LutCell
    cell_models : tuple of str
        Verilog that says what the cells do: ``+/`` is yosys' library, else a name in `files`.
    memory_luts : mapping of str to int
        LUTs that cells occupy which are not LUTs.
    part : str
        Vivado part; empty where Vivado does not serve the family.
    dsp : DspRoom or None
        None where no engine is made for the target.
    pnr : PnrSettings or None
        None where there is no open place-and-route.
    files : mapping of str to str
        A user's target file and the Verilog beside it, text by file name; empty for a target of
        this package.
    """

    name: str
    title: Text
    lut_size: int
    yosys: tuple[str, ...]
    cells: Mapping[str, tuple[CellPattern, ...]]
    clock_mhz: float
    delay: DelayModel
    lut_cell: LutCell
    cell_models: tuple[Source, ...]
    memory_luts: Mapping[str, int] = field(default_factory=dict)
    part: str = ""
    dsp: DspRoom | None = None
    pnr: PnrSettings | None = None
    files: Mapping[str, str] = field(default_factory=dict, repr=False)

    @staticmethod
    def names() -> tuple[str, ...]:
        """Return the names of all targets of this package."""
        from nnlogic.flows.target_file import packaged

        return tuple(packaged().targets)

    @staticmethod
    def named(name: str) -> Target:
        """Return a target of this package by name.

        Raises
        ------
        UsageError
            No such target; the message lists those there are.
        """
        from nnlogic.flows.target_file import packaged

        try:
            return packaged().targets[name]
        except KeyError:
            raise UsageError(
                f"unknown target {name!r}",
                why=f"targets are {', '.join(Target.names())}",
                fix="choose one, or give a file of your own, FILE.toml",
            ) from None

    @staticmethod
    def load(path: Path | str) -> Target:
        """Read a user's target from a file; docs/guide/targets.md says what it holds.

        Raises
        ------
        UsageError
            The file cannot be read; all that is wrong with it, at once.
        """
        from nnlogic.flows.target_file import load_target

        return load_target(Path(path))

    @staticmethod
    def of(asked: Path | str, kept: Path | None = None) -> Target:
        """Return the target a user asked for: a name, or a file that ends in ``.toml``.

        Parameters
        ----------
        asked : str or Path
        kept : Path, optional
            A folder that `keep` wrote to; its targets have names too.

        Raises
        ------
        UsageError
            No such target, or the file cannot be read.
        """
        from nnlogic.flows.target_file import kept_target

        if str(asked).endswith(".toml"):
            return Target.load(asked)
        return kept_target(str(asked), kept) or Target.named(str(asked))

    @staticmethod
    def default() -> Target:
        """Return the target of those who name none."""
        from nnlogic.flows.target_file import packaged

        return packaged().default

    @staticmethod
    def default_vivado() -> Target:
        """Return the target of Vivado scripts where Vivado does not serve the one asked for."""
        from nnlogic.flows.target_file import packaged

        return packaged().vivado

    @staticmethod
    def flags(wanted: Callable[[Target], bool]) -> str:
        """Return the targets of this package that are wanted as a user would ask for them."""
        names = (name for name in Target.names() if wanted(Target.named(name)))
        return " or ".join(f"--target {name}" for name in names)

    @staticmethod
    def programs() -> tuple[Program, ...]:
        """Return the programs that the targets of this package need, each once."""
        all_ = (Target.named(name).pnr for name in Target.names())
        return tuple(dict.fromkeys(p for pnr in all_ if pnr is not None for p in pnr.programs))

    @property
    def asked(self) -> str:
        """What a user gives ``--target``."""
        return f"{self.name}.toml" if self.files else self.name

    def keep(self, folder: Path) -> None:
        """Write a user's target into a folder, from which `of` reads it by name."""
        from nnlogic.core.archive import write_bytes

        for name, text in self.files.items():
            folder.mkdir(parents=True, exist_ok=True)
            write_bytes(folder / name, text.encode())

    def model_sources(self, folder: Path) -> tuple[str, ...]:
        """Write a user's cell models into a folder; return the names for a script that runs there.

        Names that begin with ``+/`` are of yosys' library.
        """
        from nnlogic.core.archive import write_bytes

        for name in self.cell_models:
            if name in self.files:
                write_bytes(folder / name, self.files[name].encode())
        return self.cell_models

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, named by key."""
        if set(self.cells) != set(CELL_KINDS):
            why = f"kinds are {', '.join(self.cells)}"
            yield Problem("cells", why, f"lists for {', '.join(CELL_KINDS)}, and no others")
        if self.lut_size not in LUT_SIZES:
            yield Problem("lut_size", f"{self.lut_size} inputs", "2 to 6")
        for key in ("cells", "inputs"):
            if (n := len(getattr(self.lut_cell, key))) != self.lut_size:
                yield Problem(f"lut_cell.{key}", f"{n} names for {self.lut_size} inputs")
        if not self.yosys or not self.yosys[0].startswith("synth"):
            yield Problem("yosys", "no synthesis command", "begin with one, synth_... of yosys")
        if not self.cell_models:
            yield Problem("cell_models", "none", "Verilog of the cells, to prove netlists with")

    @property
    def fastest_mhz(self) -> float:
        """Clock the delay model expects of segments of one level, in MHz."""
        return 1000.0 / self.delay.segment_ns(1)

    def levels_for(self, clock_mhz: float) -> int:
        """LUT levels that fit between registers at a clock, by the delay model.

        Parameters
        ----------
        clock_mhz : float
            Positive and finite.

        Returns
        -------
        int
            At least 1.

        Raises
        ------
        UsageError
            The clock is not a positive number.
        TargetMissed
            The period is too short for one level.
        """
        if not 0 < clock_mhz < float("inf"):
            raise UsageError("the clock must be a positive number of MHz", why=f"got {clock_mhz}")
        period = 1000.0 / clock_mhz
        levels = int((period - self.delay.register_ns) / self.delay.level_ns + 1e-9)
        if levels < 1:
            raise TargetMissed(
                f"{clock_mhz:g} MHz is out of reach on {self.name}",
                why=f"the period is {period:.2f} ns; a register and one LUT level are expected to "
                f"need {self.delay.segment_ns(1):.2f} ns ({self.fastest_mhz:.0f} MHz)",
                fix=f"ask for at most {self.fastest_mhz:.0f} MHz, or another target",
            )
        return levels

    def device_for(self, luts: int, ffs: int) -> Device:
        """Return the smallest device that holds a design with room to route it.

        Raises
        ------
        TargetMissed
            Even the largest is too small, or the family has no open place-and-route.
        """
        if self.pnr is None:
            raise TargetMissed(
                f"{self.name} has no open place-and-route",
                fix="run the Vivado script that nnlogic wrote, or choose another target",
            )
        for device in self.pnr.devices:
            if luts <= FULL * device.luts and ffs <= FULL * device.ffs:
                return device
        last = self.pnr.devices[-1]
        raise TargetMissed(
            f"the design does not fit the largest {self.title} device",
            where=last.name,
            why=f"needs {luts} LUTs and {ffs} flip-flops; {last.name} has {last.luts} and "
            f"{last.ffs}, of which {FULL:.0%} can be used",
            fix="choose a larger target, or a smaller network",
        )

    def kind_of(self, cell: str) -> str | None:
        """Return which of `CELL_KINDS` a cell type belongs to, or None."""
        for kind, patterns in self.cells.items():
            if any(fnmatchcase(cell, pattern) for pattern in patterns):
                return kind
        return None
