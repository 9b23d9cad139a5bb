"""What a target is made of: delays, devices, place and route, DSP slices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nnlogic.core.errors import Problem
from nnlogic.flows.target_table import Text
from nnlogic.hw.slice_kinds import KINDS
from nnlogic.tools.find import Program


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
        Names of the programs.
    arguments : tuple of str
        Package and speed grade.
    layout_option, layout, bitstream : str
        Option that writes the layout, and names of the files.
    lut_resource, ff_resource : str
        Names in nextpnr's utilization report.
    devices : tuple of Device
        From small to large.
    wheel : str
        YoWASP wheel that holds both programs; empty where only the system's are used.
    minimum : str
        Oldest version of `tool` that serves.
    packed_suffix : str
        Ending of the cells whose LUT nextpnr reports as setup of their flip-flop; empty where
        LUTs and flip-flops are cells of their own.
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
    wheel: str = ""
    minimum: str = ""
    packed_suffix: str = ""

    @property
    def programs(self) -> tuple[Program, Program]:
        """Place and route, and the packer."""
        minimum = tuple(int(n) for n in self.minimum.split(".") if n)
        return (
            Program(self.tool, "place and route", self.wheel, minimum),
            Program(self.packer, "bitstream", self.wheel),
        )

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, named by key."""
        for key, name, pattern in (
            ("tool", self.tool, r"nextpnr-\w+"),
            ("packer", self.packer, r"\w*pack"),
            ("wheel", self.wheel, r"(yowasp-[a-z0-9-]+)?"),
            ("minimum", self.minimum, r"(\d+(\.\d+)*)?"),
        ):
            if not re.fullmatch(pattern, name):
                yield Problem(key, f"{name!r} cannot be used", f"text like {pattern}")
        sizes = [device.luts for device in self.devices]
        if not sizes or sizes != sorted(sizes):
            yield Problem("devices", f"LUTs {sizes}", "one or more, from small to large")


@dataclass(frozen=True)
class DspRoom:
    """What the part of a target offers an engine of slices; None is no limit.

    Attributes
    ----------
    kind : str
        Slice of the engine, of `nnlogic.hw.slice_kinds`.
    part : str
    dsps, brams, luts : int or None
        DSP slices, 36 Kb block RAMs and LUT6.
    column : int or None
        Slices one above the other, which a cascade may join; None is the most that the kind allows.
    """

    kind: str
    part: Text = ""
    dsps: int | None = None
    brams: int | None = None
    luts: int | None = None
    column: int | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, named by key."""
        if self.kind not in KINDS:
            yield Problem("kind", f"no slices {self.kind!r}", f"one of {', '.join(KINDS)}")
