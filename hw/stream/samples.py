"""The stream without frames: windows that slide over samples, kernels, and AXI4-Stream around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    Const,
    Instance,
    Module,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from nnlogic.backends.stream.model.continuous import ContinuousDesign
from nnlogic.backends.stream.model.ir import DenseCore, MapLayer
from nnlogic.core.names import Identifier
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.stream.core import CLOCK, Beats, StreamCore, frame_module


@dataclass(frozen=True)
class SampleShape:
    """What a sliding window is made for.

    Attributes
    ----------
    width : int
        Bits of a sample.
    extent : int
        Samples from the first tap to the last: as many must have come in.
    stride : int
        Samples from one window to the next.
    places : tuple of (int, int)
        What leaves: samples since it came in, and bit of the sample.
    """

    width: int
    extent: int
    stride: int
    places: tuple[tuple[int, int], ...]

    @cached_property
    def ages(self) -> dict[int, int]:
        """How often each bit of a sample is registered."""
        out: dict[int, int] = {}
        for age, bit in self.places:
            out[bit] = max(out.get(bit, 0), age + 1)
        return out

    @property
    def registers(self) -> int:
        """Registers of data and of what has come in."""
        return sum(self.ages.values()) + self.extent


def sample_shapes(design: ContinuousDesign) -> dict[str, SampleShape]:
    """Return the sliding windows of a design by module; layers that read one sample have none."""
    out = {
        str(design.module(number, "window")): _layer_shape(layer)
        for number, layer in enumerate(design.layers)
        if not layer.scan.passes
    }
    if design.dense is not None:
        width, positions = design.map_width, design.map.width
        places = tuple((positions - 1 - at // width, at % width) for at in design.dense.reads)
        out[str(frame_module(design))] = SampleShape(width, positions, 1, places)
    return out


def _layer_shape(layer: MapLayer) -> SampleShape:
    extent, step = layer.window.extent[1], layer.window.dilation[1]
    places = tuple((extent - 1 - tap * step, bit) for _, tap, bit in layer.used)
    return SampleShape(layer.width, extent, layer.window.stride[1], places)


class SampleWindow(wiring.Component):
    """Taps of a chain of samples side by side, for every window of a stream.

    A sample moves the chain. Behind it, a chain of marks tells which places hold a sample since
    reset: a window is valid when its oldest has one, and then every `stride` samples.

    Parameters
    ----------
    shape : SampleShape
    """

    def __init__(self, shape: SampleShape) -> None:
        self.shape = shape
        super().__init__(
            {
                "in_valid": In(1),
                "x": In(shape.width),
                "out_valid": Out(1),
                "window": Out(len(shape.places)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m, shape = Module(), self.shape
        shown = Signal()
        marks = Signal(shape.extent)
        m.d.sync += shown.eq(self.in_valid)
        before: dict[int, Value] = {bit: self.x[bit] for bit in shape.ages}
        taps: dict[tuple[int, int], Value] = {}
        for age in range(max(shape.ages.values(), default=0)):
            kept = [bit for bit, most in shape.ages.items() if most > age]
            stage = Signal(len(kept), name=f"age{age}", reset_less=True)
            with m.If(self.in_valid):
                m.d.sync += stage.eq(Cat(before[bit] for bit in kept))
            before = {bit: stage[i] for i, bit in enumerate(kept)}
            taps |= {(age, bit): value for bit, value in before.items()}
        with m.If(self.in_valid):
            m.d.sync += marks.eq(Cat(Const(1, 1), marks[:-1]))
        full = Signal()
        m.d.comb += [
            full.eq(shown & marks[-1]),
            self.out_valid.eq(full & self._turn(m, full)),
            self.window.eq(Cat(taps[place] for place in shape.places)),
        ]
        return m

    def _turn(self, m: Module, full: Signal) -> Value:
        """Whether it is a window's turn."""
        stride = self.shape.stride
        if stride == 1:
            return Const(1, 1)
        turn = Signal(range(stride))
        with m.If(full):
            m.d.sync += turn.eq(turn + 1)
            with m.If(turn == stride - 1):
                m.d.sync += turn.eq(0)
        return turn == 0


class SampleCore(StreamCore):
    """A ContinuousDesign as gateware; no part of it ever waits for what comes behind.

    A sample comes in with ``in_valid``, a result leaves with ``out_valid``. Everything in it is
    instantiated by name: kernels, dense layers, and what `sample_parts` returns.

    Parameters
    ----------
    design : ContinuousDesign
    cores : mapping of str to HardwareDesign
        Kernels and dense layers, by module.
    """

    def __init__(self, design: ContinuousDesign, cores: Mapping[str, HardwareDesign]) -> None:
        self.design, self.cores = design, cores
        self._frame = frame_module(design)
        wiring.Component.__init__(
            self,
            {
                "in_valid": In(1),
                "x": In(design.input_width),
                "out_valid": Out(1),
                "y": Out(design.output_width),
            },
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        beats = Beats(self.in_valid, Const(0, 1), Const(0, 1), self.x)
        for number, layer in enumerate(self.design.layers):
            beats = self._layer(m, number, layer, beats)
        if self.design.dense is not None:
            beats = self._dense(m, beats, self.design.dense)
        m.d.comb += [self.out_valid.eq(beats.valid), self.y.eq(beats.data)]
        return m

    def _windows(self, m: Module, number: int, layer: MapLayer, beats: Beats) -> Beats:
        return _placed(m, self.design.module(number, "window"), len(layer.used), beats)

    def _dense(self, m: Module, beats: Beats, dense: DenseCore) -> Beats:
        frame = _placed(m, self._frame, len(dense.reads), beats)
        read = {bit: frame.data[i] for i, bit in enumerate(dense.reads)}
        valid, word = self._core(m, "dense", dense.module, frame.valid, read)
        return Beats(valid, Const(0, 1), Const(0, 1), word)


def _placed(m: Module, module: Identifier, width: int, beats: Beats) -> Beats:
    """Place a sliding window."""
    window = Signal(width, name=f"{module}_taps")
    shown = Signal(name=f"{module}_valid")
    m.submodules[str(module)] = Instance(
        module,
        **CLOCK,
        i_in_valid=beats.valid,
        i_x=beats.data,
        o_out_valid=shown,
        o_window=window,
    )
    return Beats(shown, Const(0, 1), Const(0, 1), window)


def sample_parts(
    design: ContinuousDesign, shapes: Mapping[str, SampleShape] | None = None
) -> dict[str, wiring.Component]:
    """Return the sliding windows of a design, by module.

    Parameters
    ----------
    design : ContinuousDesign
    shapes : mapping of str to SampleShape, optional
        In place of what `sample_shapes` says: for planted faults.
    """
    return {
        module: SampleWindow((shapes or {}).get(module, shape))
        for module, shape in sample_shapes(design).items()
    }


class SampleStream(wiring.Component):
    """AXI4-Stream around a core: takes samples while there is room for what is under way.

    There are no frames, and no ``tlast``. ``aresetn`` is synchronous and forgets all samples.

    Parameters
    ----------
    design : ContinuousDesign
    """

    def __init__(self, design: ContinuousDesign) -> None:
        self.design = design
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(8 * -(-design.input_width // 8)),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(8 * -(-design.output_width // 8)),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m, design = Module(), self.design
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        go, out_valid = Signal(name="go"), Signal(name="out_valid")
        result = Signal(design.output_width)
        depth = design.fifo_depth
        m.submodules.fifo = queue = fifo.SyncFIFOBuffered(width=len(result), depth=depth)
        m.d.sync += go.eq(queue.level <= depth - design.fifo_room)
        m.d.comb += [
            self.s_axis_tready.eq(self.aresetn & go),
            queue.w_data.eq(result),
            queue.w_en.eq(out_valid),
            self.m_axis_tvalid.eq(self.aresetn & queue.r_rdy),
            self.m_axis_tdata[: design.output_width].eq(queue.r_data),
            queue.r_en.eq(self.m_axis_tvalid & self.m_axis_tready),
        ]
        m.submodules.core = Instance(
            design.name,
            **CLOCK,
            i_in_valid=self.s_axis_tvalid & self.s_axis_tready,
            i_x=self.s_axis_tdata[: design.input_width],
            o_out_valid=out_valid,
            o_y=result,
        )
        return m
