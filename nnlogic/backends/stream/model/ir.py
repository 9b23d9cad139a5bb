"""StreamDesign: window generators, kernels, and what reads whole frames, in the order data flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from nnlogic.backends.stream.model.memory import KINDS
from nnlogic.backends.stream.model.scan import Scan
from nnlogic.core.bits import total_bits
from nnlogic.core.errors import IRError, Problem
from nnlogic.core.fields import stored
from nnlogic.core.formats import Port
from nnlogic.core.inert import printed
from nnlogic.core.names import Identifier
from nnlogic.core.stored import Stored
from nnlogic.core.windows import Frame, Window
from nnlogic.quant.kernel_network import module_name


@dataclass(frozen=True)
class KernelCore:
    """A kernel of a layer, as a core of its own.

    Attributes
    ----------
    module : str
    latency : int
        Clocks.
    reads : tuple of int
        Bits of the window of its group that it depends on: tap by tap, channel by channel.
    outputs : tuple of int
        Bits of each channel that it gives.
    """

    module: str
    latency: int
    reads: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class MapLayer:
    """A windowed layer: a window generator, and a copy of its kernels for each output lane.

    Attributes
    ----------
    name : str
        Of the network's layer.
    frame : Frame
        Of the map that comes in.
    window : Window
    lanes : int
        Positions of a beat that comes in.
    channels : tuple of int
        Bits of each channel that comes in.
    padding : int
        Padding code of a position, all its bits.
    groups : int
        Of channels; group g has kernel g modulo the number of kernels.
    kernels : tuple of KernelCore
    buffer : str
        What the lines are made of, of `nnlogic.backends.stream.model.memory.KINDS`.
    """

    name: str
    frame: Frame
    window: Window
    lanes: int
    channels: tuple[int, ...]
    padding: int
    groups: int
    kernels: tuple[KernelCore, ...]
    buffer: str

    @property
    def scan(self) -> Scan:
        """How the window moves."""
        return Scan(self.frame, self.window, self.lanes)

    @property
    def width(self) -> int:
        """Bits of a position that comes in."""
        return sum(self.channels)

    @property
    def latency(self) -> int:
        """Clocks of the slowest kernel."""
        return max(kernel.latency for kernel in self.kernels)

    @property
    def output_channels(self) -> tuple[int, ...]:
        """Bits of each channel that goes out."""
        by_group = (self.kernels[g % len(self.kernels)].outputs for g in range(self.groups))
        return tuple(bits for outputs in by_group for bits in outputs)

    def group_bits(self, group: int) -> tuple[tuple[int, int], ...]:
        """Return tap and bit of the position for every bit of the window of a group."""
        size = len(self.channels) // self.groups
        first = sum(self.channels[: group * size])
        wide = sum(self.channels[group * size : (group + 1) * size])
        return tuple((t, first + b) for t in range(self.window.taps) for b in range(wide))

    @cached_property
    def used(self) -> tuple[tuple[int, int, int], ...]:
        """Output lane, tap and bit of the position of all that any kernel reads, in order."""
        found = set()
        for group in range(self.groups):
            bits = self.group_bits(group)
            found |= {bits[i] for i in self.kernels[group % len(self.kernels)].reads}
        return tuple(
            (lane, tap, bit) for lane in range(self.scan.output_lanes) for tap, bit in sorted(found)
        )

    def problems(self) -> list[str]:
        """Return what breaks the rules."""
        out = self.scan.problems()
        if self.buffer not in KINDS:
            out.append(f"no line buffer of kind {self.buffer}")
        if len(self.channels) != self.frame.channels:
            out.append(f"{len(self.channels)} channels have bits, the frame is {self.frame}")
        if not self.kernels or self.groups % len(self.kernels):
            out.append(f"{len(self.kernels)} kernels cannot take turns in {self.groups} groups")
        return out


@dataclass(frozen=True)
class DenseCore:
    """The layers that read whole frames of the last map, as a core.

    Attributes
    ----------
    module : str
    latency : int
        Clocks.
    reads : tuple of int
        Bits of the frame that it depends on, position by position.
    """

    module: str
    latency: int
    reads: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class StreamDesign(Stored):
    """A network as a stream.

    Attributes
    ----------
    name : str
        Of the Verilog module; with AXI4-Stream ports it is ``<name>_stream``.
    inputs, outputs : tuple of Port
        Of the network. The inputs are a map, in the order of its wires.
    layers : tuple of MapLayer
        Each reads the map of the one before.
    dense : DenseCore or None
        None where the last map itself goes out.
    sideband : tuple of (str, int)
        Signals that pass from the first beat of a frame to its result, and their bits: only
        ``("tuser", N)``.
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    layers: tuple[MapLayer, ...]
    dense: DenseCore | None
    sideband: tuple[tuple[str, int], ...] = field(default=(), metadata=stored(grown=True))

    kind: ClassVar[str] = "StreamDesign"

    @property
    def tag(self) -> int:
        """Bits that pass from the first beat of a frame to its result."""
        return sum(bits for _, bits in self.sideband)

    @property
    def top(self) -> Identifier:
        """Module with AXI4-Stream ports."""
        return Identifier(f"{self.name}_stream")

    @property
    def beats(self) -> int:
        """Beats of a frame that comes in: clocks from one frame to the next."""
        return self.layers[0].scan.beats

    @property
    def input_width(self) -> int:
        """Bits of a beat that comes in."""
        return self.layers[0].width * self.layers[0].lanes

    @property
    def map_width(self) -> int:
        """Bits of a beat of the last map."""
        last = self.layers[-1]
        return sum(last.output_channels) * last.scan.output_lanes

    @property
    def output_beats(self) -> int:
        """Beats of a frame that goes out."""
        return 1 if self.dense else self.layers[-1].scan.output_beats

    @property
    def output_width(self) -> int:
        """Bits of a beat that goes out."""
        return total_bits(self.outputs) if self.dense else self.map_width

    @property
    def map(self) -> Frame:
        """Shape of the last map."""
        shape = self.layers[-1].scan.output
        return Frame(len(self.layers[-1].output_channels), shape.height, shape.width)

    def module(self, number: int, what: str) -> Identifier:
        """Return the name of a module of layer `number`."""
        return module_name(self.name, number, self.layers[number].name, what)

    def verify(self) -> None:
        """Raise IRError, with all problems, when a rule is broken."""
        found = [Problem(layer.name, why) for layer in self.layers for why in layer.problems()]
        if not self.layers:
            found.append(Problem(self.name, "no layer has windows"))
        if found:
            raise IRError("StreamDesign breaks its rules", where=self.name, problems=found)
        for layer, after in zip(self.layers, self.layers[1:], strict=False):
            shape = (after.lanes, after.channels, (after.frame.height, after.frame.width))
            size = layer.window.output(layer.frame)
            if shape != (layer.scan.output_lanes, layer.output_channels, size):
                found.append(Problem(after.name, f"does not read what {layer.name} gives"))
        widths = [self.layers[0].width * self.layers[0].frame.positions, total_bits(self.inputs)]
        if len(set(widths)) > 1:
            found.append(Problem("inputs", f"{widths[1]} bits, the frame has {widths[0]}"))
        if not self.dense and self.map.positions * sum(
            self.layers[-1].output_channels
        ) != total_bits(self.outputs):
            found.append(Problem("outputs", "are not the last map"))
        if found:
            raise IRError("StreamDesign breaks its rules", where=self.name, problems=found)

    def stats(self) -> dict[str, int]:
        """Layers, kernels, and beats of a frame."""
        kernels = sum(len(layer.kernels) for layer in self.layers)
        return {"layers": len(self.layers), "kernels": kernels, "beats": self.beats}

    def text(self) -> str:
        """Return the stable printed form."""
        lines = [f"StreamDesign {self.name}: {self.beats} beats of {self.input_width} bits a frame"]
        for layer in self.layers:
            scan = layer.scan
            lines.append(
                f"  {layer.name}: window {layer.window} of {layer.frame}, {layer.lanes} lanes, "
                f"{scan.delay} beats behind, lines of {scan.row_delay} in {layer.buffer}"
            )
            lines += [
                f"    {k.module}: {len(k.reads)} bits -> {sum(k.outputs)} bits, {k.latency} clocks"
                for k in layer.kernels
            ]
        if self.dense:
            lines.append(
                f"  {self.dense.module}: {len(self.dense.reads)} bits of {self.map}, "
                f"{self.dense.latency} clocks"
            )
        return printed([*lines, *(f"  output {p}" for p in self.outputs)])
