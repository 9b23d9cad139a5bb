"""Packets that tell an engine which program to run, on how many groups."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.hw.dsp.encode import EngineShape, Field, index_bits
from nnlogic.hw.dsp.sequencer import kernel_values, kernel_widths, write_ports

GROUP_BITS = 32


def command_fields(shape: EngineShape) -> dict[str, Field]:
    """Return the fields of the first beat of a packet, lowest first.

    ``groups``: how many to run; ``load``: words of program that follow, one a beat, for the
    words of the program memory from ``first_word`` on; then the fields of
    `nnlogic.hw.dsp.sequencer.kernel_widths`.
    """
    widths = {"groups": GROUP_BITS, "load": index_bits(shape.words + 1), **kernel_widths(shape)}
    fields, at = {}, 0
    for name, width in widths.items():
        fields[name] = Field(at, width)
        at += width
    return fields


def command_bits(shape: EngineShape) -> int:
    """Return the width of ``p_axis_tdata``: whole bytes that hold a command, or a program word."""
    command = sum(field.width for field in command_fields(shape).values())
    return 8 * -(-max(command, shape.word_bits) // 8)


def command(shape: EngineShape, number: int, *, groups: int, load: bool) -> int:
    """Return the first beat of a packet that runs kernel `number` of a shape.

    Parameters
    ----------
    shape : EngineShape
    number : int
    groups : int
        Groups to run, below 2**32; 0 only loads.
    load : bool
        Whether the words of its program follow.
    """
    kernel = shape.kernels[number]
    values = {"groups": groups, "load": kernel.steps if load else 0, **kernel_values(kernel)}
    return sum(values[name] << field.at for name, field in command_fields(shape).items())


class Commander(wiring.Component):
    """Takes a packet when the groups of the one before have left the engine.

    The command is kept for as long as its groups are in the engine; `open` lets so many in.
    """

    def __init__(self, shape: EngineShape) -> None:
        self._shape = shape
        super().__init__(
            {
                "tdata": In(command_bits(shape)),
                "tvalid": In(1),
                "tready": Out(1),
                "loaded": In(1),  # the last beat of a group comes in
                "emptied": In(1),  # the last beat of a group is being read out
                "open": Out(1),
                **{name: Out(width) for name, width in kernel_widths(shape).items()},
                **{name: Out(port.shape) for name, port in write_ports(shape).items()},
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        fields = command_fields(self._shape)
        to_load = Signal(fields["load"].width)  # words
        to_enter, to_leave = (Signal(GROUP_BITS, name=f"to_{n}") for n in ("enter", "leave"))
        take, writing, idle = (Signal(name=name) for name in ("take", "writing", "idle"))
        word = Signal.like(self.write_word, name="next_word")
        m.d.comb += [
            writing.eq(to_load != 0),
            idle.eq((to_leave == 0) & ~writing),
            self.tready.eq(idle | writing),
            self.open.eq((to_enter != 0) & ~writing),
            take.eq(self.tvalid & idle),
            self.write.eq(self.tvalid & writing),
            self.write_word.eq(word),
            self.write_data.eq(self.tdata[: len(self.write_data)]),
        ]
        registers = {"groups": to_enter, "load": to_load}
        for name in kernel_widths(self._shape):
            registers[name] = Signal.like(getattr(self, name), name=f"{name}_q", reset_less=True)
            m.d.comb += getattr(self, name).eq(registers[name])
        with m.If(take):
            for name, register in registers.items():
                at = fields[name].at
                m.d.sync += register.eq(self.tdata[at : at + len(register)])
            first = fields["first_word"].at
            m.d.sync += [
                to_leave.eq(self.tdata[:GROUP_BITS]),
                word.eq(self.tdata[first : first + len(word)]),
            ]
        with m.Else():
            m.d.sync += [
                to_load.eq(to_load - self.write),
                word.eq(word + self.write),
                to_enter.eq(to_enter - self.loaded),
                to_leave.eq(to_leave - self.emptied),
            ]
        return m
