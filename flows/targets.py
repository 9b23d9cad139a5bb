"""Targets as data: what each device family is, and which tools and options serve it."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from nnlogic.core.errors import TargetMissed, UsageError

CELL_KINDS = ("luts", "wide_muxes", "ffs", "carry", "brams", "dsps")
FULL = 0.9


@dataclass(frozen=True)
class DelayModel:
    """Expected delay of a pipeline segment, in nanoseconds.

    Attributes
    ----------
    register_ns : float
        Clock to output, setup, and the route to or from the register.
    level_ns : float
        One LUT and one route.
    """

    register_ns: float
    level_ns: float

    def segment_ns(self, levels: int) -> float:
        """Return the delay of a segment of `levels` LUT levels."""
        return self.register_ns + levels * self.level_ns


@dataclass(frozen=True)
class Device:
    """One device of a family that nextpnr can place and route.

    Attributes
    ----------
    name : str
    option : str
        The option of nextpnr that chooses it.
    luts, ffs : int
        Capacity.
    """

    name: str
    option: str
    luts: int
    ffs: int


@dataclass(frozen=True)
class PnrSettings:
    """How nextpnr and the bitstream packer are called for a family.

    Attributes
    ----------
    tool, packer : str
        Names for `nnlogic.tools.find.find`.
    arguments : tuple of str
        Package and speed grade.
    layout_option, layout, bitstream : str
        Option that writes the layout, and names of the files.
    lut_resource, ff_resource : str
        Names in nextpnr's utilization report.
    devices : tuple of Device
        From small to large.
    """

    tool: str
    arguments: tuple[str, ...]
    layout_option: str
    layout: str
    packer: str
    bitstream: str
    lut_resource: str
    ff_resource: str
    devices: tuple[Device, ...]


@dataclass(frozen=True, eq=False)
class Target:
    """A device family and its flow; `Target.named` reads it from targets.toml.

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
    part : str
        Vivado part; empty where Vivado does not serve the family.
    pnr : PnrSettings or None
        None where there is no open place-and-route.
    """

    name: str
    title: str
    lut_size: int
    yosys: tuple[str, ...]
    cells: Mapping[str, tuple[str, ...]]
    clock_mhz: float
    delay: DelayModel
    part: str = ""
    pnr: PnrSettings | None = None

    @staticmethod
    def names() -> tuple[str, ...]:
        """Return the names of all targets."""
        return tuple(_targets())

    @staticmethod
    def named(name: str) -> Target:
        """Return a target by name.

        Raises
        ------
        UsageError
            No such target; the message lists those there are.
        """
        try:
            return _targets()[name]
        except KeyError:
            raise UsageError(
                f"unknown target {name!r}", why=f"targets are {', '.join(Target.names())}"
            ) from None

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


@functools.cache
def _targets() -> dict[str, Target]:
    text = Path(__file__).with_name("targets.toml").read_text("utf-8")
    return {name: _target(name, entry) for name, entry in tomllib.loads(text).items()}


def _target(name: str, entry: dict[str, Any]) -> Target:
    pnr = entry.get("pnr")
    return Target(
        name=name,
        title=entry["title"],
        lut_size=entry["lut_size"],
        yosys=tuple(entry["yosys"]),
        cells={kind: tuple(entry["cells"][kind]) for kind in CELL_KINDS},
        clock_mhz=entry["clock_mhz"],
        delay=DelayModel(**entry["delay"]),
        part=entry.get("part", ""),
        pnr=None if pnr is None else _settings(pnr),
    )


def _settings(entry: dict[str, Any]) -> PnrSettings:
    values = {
        **entry,
        "arguments": tuple(entry["arguments"]),
        "devices": tuple(Device(**device) for device in entry["devices"]),
    }
    return PnrSettings(**values)
