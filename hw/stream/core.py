"""The free-running stream: window generators, kernels, frame register and dense layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.backends.stream.model.ir import DenseCore, MapLayer, StreamDesign
from nnlogic.core.names import Identifier
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.names import port_names
from nnlogic.hw.stream.frame import FrameRegister
from nnlogic.hw.stream.window import WindowGenerator, WindowShape, line_buffer


def window_shape(layer: MapLayer) -> WindowShape:
    """Return what the window generator of a layer is made for."""
    return WindowShape(layer.scan, layer.width, layer.padding, layer.used, layer.buffer)


@dataclass(frozen=True)
class Beats:
    """Beats on their way: whether there is one, begins or ends a frame, its bits and its tag."""

    valid: Value
    first: Value
    last: Value
    data: Value
    tag: Value = field(default_factory=lambda: Const(0, 0))


class StreamCore(wiring.Component):
    """A StreamDesign as gateware; no part of it ever waits for what comes behind.

    Beats come in with ``in_valid``, the first of a frame with ``in_first``, the last of a whole one
    with ``in_last``, and leave likewise. ``go`` allows the windows that a frame still owes to
    leave by themselves. Where the design has a tag, ``in_tag`` comes with ``in_first`` and leaves
    as ``out_tag`` with all beats of the result. Everything in it is instantiated by name: kernels,
    dense layers, and what `stream_parts` returns.

    Parameters
    ----------
    design : StreamDesign
    cores : mapping of str to HardwareDesign
        Kernels and dense layers, by module.
    """

    def __init__(self, design: StreamDesign, cores: Mapping[str, HardwareDesign]) -> None:
        self.design, self.cores = design, cores
        super().__init__(
            {
                "in_valid": In(1),
                "in_first": In(1),
                "in_last": In(1),
                "go": In(1),
                "x": In(design.input_width),
                "out_valid": Out(1),
                "out_first": Out(1),
                "out_last": Out(1),
                "y": Out(design.output_width),
                **({"in_tag": In(design.tag), "out_tag": Out(design.tag)} if design.tag else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        beats = Beats(self.in_valid, self.in_first, self.in_last, self.x)
        if self.design.tag:
            beats = replace(beats, tag=self.in_tag)
        for number, layer in enumerate(self.design.layers):
            beats = self._layer(m, number, layer, beats)
        if self.design.dense is not None:
            beats = self._dense(m, beats, self.design.dense)
        m.d.comb += [
            self.out_valid.eq(beats.valid),
            self.out_first.eq(beats.first),
            self.out_last.eq(beats.last),
            self.y.eq(beats.data),
        ]
        if self.design.tag:
            m.d.comb += self.out_tag.eq(beats.tag)
        return m

    def _layer(self, m: Module, number: int, layer: MapLayer, beats: Beats) -> Beats:
        prefix = str(self.design.module(number, "")).removeprefix(f"{self.design.name}_")
        if layer.scan.passes:
            read_bits = [bit for _, bit in window_shape(layer).places]
            windows = replace(beats, data=Cat(beats.data[bit] for bit in read_bits))
        else:
            windows = self._windows(m, number, layer, beats)
        at = {place: windows.data[i] for i, place in enumerate(layer.used)}
        words: list[Value] = []
        valid: Value = Const(0, 1)
        for lane in range(layer.scan.output_lanes):
            for group in range(layer.groups):
                kernel = layer.kernels[group % len(layer.kernels)]
                bits = layer.group_bits(group)
                read = {i: at[lane, bits[i][0], bits[i][1]] for i in kernel.reads}
                place = f"{prefix}lane{lane}_group{group}"
                done, word = self._core(m, place, kernel.module, windows.valid, read)
                if kernel.latency == layer.latency:
                    valid = done
                words.append(_later(m, word, layer.latency - kernel.latency, f"{place}_later"))
        marks = Cat(windows.first, windows.last)
        later = _later(m, marks, layer.latency, f"{prefix}marks")
        tag = _later(m, windows.tag, layer.latency if self.design.tag else 0, f"{prefix}tag")
        return Beats(valid, later[0], later[1], Cat(words), tag)

    def _windows(self, m: Module, number: int, layer: MapLayer, beats: Beats) -> Beats:
        """Place the window generator of a layer."""
        prefix = str(self.design.module(number, "")).removeprefix(f"{self.design.name}_")
        window = Signal(len(layer.used), name=f"{prefix}window")
        shown = Signal(name=f"{prefix}shown")
        marks = Signal(2, name=f"{prefix}marks")
        tag = Signal(self.design.tag, name=f"{prefix}tag")
        tagged = {"i_in_tag": beats.tag, "o_out_tag": tag} if self.design.tag else {}
        m.submodules[f"{prefix}windows"] = Instance(
            self.design.module(number, "window"),
            **CLOCK,
            i_in_valid=beats.valid,
            i_in_first=beats.first,
            i_in_last=beats.last,
            i_go=self.go,
            i_x=beats.data,
            o_out_valid=shown,
            o_out_first=marks[0],
            o_out_last=marks[1],
            o_window=window,
            **tagged,
        )
        return Beats(shown, marks[0], marks[1], window, tag)

    def _dense(self, m: Module, beats: Beats, dense: DenseCore) -> Beats:
        frame = Signal(len(dense.reads), name="frame")
        full = Signal(name="frame_full")
        m.submodules.frame = Instance(
            frame_module(self.design),
            **CLOCK,
            i_in_valid=beats.valid,
            i_in_last=beats.last,
            i_x=beats.data,
            o_out_valid=full,
            o_frame=frame,
        )
        read = {bit: frame[i] for i, bit in enumerate(dense.reads)}
        valid, word = self._core(m, "dense", dense.module, full, read)
        tag = Signal(self.design.tag, name="frame_tag", reset_less=True)
        if self.design.tag:
            with m.If(beats.valid & beats.last):
                m.d.sync += tag.eq(beats.tag)
        tag = _later(m, tag, dense.latency if self.design.tag else 0, "dense_tag")
        return Beats(valid, Const(1, 1), Const(1, 1), word, tag)

    def _core(
        self, m: Module, place: str, module: str, valid: Value, read: Mapping[int, Value]
    ) -> tuple[Value, Value]:
        """Place a core whose input bits, port by port, are `read`, zero elsewhere."""
        core = self.cores[module]
        x_names, y_names = port_names(core)
        out = Signal(sum(p.format.bits for p in core.outputs), name=f"{place}_y")
        done = Signal(name=f"{place}_valid")
        pins: dict[str, Value] = {**CLOCK, "i_in_valid": valid}
        at = 0
        for port in core.inputs:
            bits = range(at, at + port.format.bits)
            pins[f"i_{x_names[port.name]}"] = Cat(read.get(i, Const(0, 1)) for i in bits)
            at = bits.stop
        at = 0
        for port in core.outputs:
            pins[f"o_{y_names[port.name]}"] = out[at : at + port.format.bits]
            at += port.format.bits
        m.submodules[f"{place}_core"] = Instance(module, **pins, o_out_valid=done)
        return done, out


def stream_parts(
    design: StreamDesign, shapes: Mapping[int, WindowShape] | None = None
) -> dict[str, wiring.Component]:
    """Return window generators, line buffers and frame register of a stream, by module.

    Parameters
    ----------
    design : StreamDesign
    shapes : mapping of int to WindowShape, optional
        In place of what `window_shape` says of a layer, by its number: for planted faults.
    """
    parts: dict[str, wiring.Component] = {}
    for number, layer in enumerate(design.layers):
        if layer.scan.passes:
            continue
        shape = (shapes or {}).get(number) or window_shape(layer)
        lines = design.module(number, "lines")
        if shape.keep:
            parts[lines] = line_buffer(shape)
        parts[design.module(number, "window")] = WindowGenerator(shape, lines, design.tag)
    if design.dense is not None:
        beats = design.layers[-1].scan.output_beats
        parts[frame_module(design)] = FrameRegister(beats, design.map_width, design.dense.reads)
    return parts


def frame_module(design: StreamDesign) -> Identifier:
    """Return the name of the module of the frame register."""
    return Identifier(f"{design.name}_frame")


CLOCK: dict[str, Value] = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}


def _later(m: Module, value: Value, clocks: int, name: str) -> Value:
    """A value some clocks later."""
    for i in range(clocks):
        stage = Signal(len(value), name=f"{name}{i}", reset_less=True)
        m.d.sync += stage.eq(value)
        value = stage
    return value
