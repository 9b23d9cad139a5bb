"""The engine: executes a Program on N logic slices, between two streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    Module,
    ResetSignal,
    Signal,
    Value,
    ValueLike,
)
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.hw.dsp.banks import Bank
from nnlogic.hw.dsp.commands import Commander, command_bits
from nnlogic.hw.dsp.crossbar import choose
from nnlogic.hw.dsp.encode import MIN_LATENCY, EngineShape, instruction_words
from nnlogic.hw.dsp.logic_unit import LANES
from nnlogic.hw.dsp.sequencer import Sequencer, delay, kernel_values, kernel_widths, write_ports
from nnlogic.hw.dsp.slice import SLICE_LATENCY, LogicSlice
from nnlogic.hw.dsp.streams import Loader, Tokens, Unloader
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.hw.slices import check_kind


def build_engine(program: Program, kind: str, four: str) -> Engine:
    """Return the engine of a verified program; parameters as those of `Engine`.

    Raises
    ------
    UsageError
        No engine can be built for the program, or the kind is unknown.
    """
    return Engine(EngineShape.of(program), instruction_words(program), check_kind(kind), four)


def build_kernels(programs: Sequence[Program], kind: str, four: str, *, most: int) -> Engine:
    """Return an engine that runs verified programs one after the other, as it is told.

    Parameters
    ----------
    programs : sequence of Program
    kind, four
        As those of `Engine`.
    most : int
        Words of program memory; see `EngineShape.of_all`.

    Raises
    ------
    UsageError
        No engine can be built for the programs, or the kind is unknown.
    """
    shape = EngineShape.of_all(programs, most)
    words = [w for p in programs for w in instruction_words(p, shape)] if shape.resident else []
    return Engine(shape, words, check_kind(kind), four, commanded=True)


class Engine(wiring.Component):
    """A program in hardware, or several that take turns.

    Ports, besides ``aclk`` and ``aresetn`` (synchronous, active low):

    - ``s_axis``: beat ``k * input_rows + r`` is row r of context k, 48 lanes of each input
      bank, bank 0 lowest;
    - ``m_axis``: beat ``k * output_rows + e`` is output word e of context k, 48 lanes of each
      slice that emits, lowest slice lowest; ``tlast`` marks the last beat of a context. A slice
      with fewer words than another leaves its part of the rest undefined;
    - ``busy``: the program runs.

    One group of ``48 * contexts`` vectors is loaded, one computed and one read out at the same
    time. A group starts when it is loaded and an output buffer is free, and then runs through.
    Reset drops everything in flight.

    With `commanded`, there is ``p_axis`` too, which brings packets: see
    `nnlogic.hw.dsp.commands.Commander`. A packet names a program, may replace words of the program
    memory, and says how many groups to run; ``s_axis`` takes the beats of so many, and the next
    packet is taken when the last of them has been read out. Reset drops all that but the words.

    Parameters
    ----------
    shape : EngineShape
    words : sequence of int
        The program memory.
    kind : {"dsp48e1", "dsp48e2", "fabric"}
        What the slices are made of; see `LogicSlice`.
    four : str
        Name of a module made from `nnlogic.hw.dsp.crossbar.Four`, which the engine instantiates.
    commanded : bool
        Without, the engine runs its only program for ever.
    """

    def __init__(
        self,
        shape: EngineShape,
        words: Sequence[int],
        kind: str,
        four: str,
        *,
        commanded: bool = False,
    ) -> None:
        self.shape, self._words, self.kind, self.four = shape, words, kind, four
        self.commanded = commanded
        commands = {
            "p_axis_tdata": In(command_bits(shape)),
            "p_axis_tvalid": In(1),
            "p_axis_tready": Out(1),
        }
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                **(commands if commanded else {}),
                "s_axis_tdata": In(LANES * shape.input_banks),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(LANES * len(shape.emitters)),
                "m_axis_tlast": Out(1),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "busy": Out(1),
            }
        )

    @property
    def uses_dsp(self) -> bool:
        """Whether the slices are DSP cells."""
        return self.kind != FABRIC

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        shape = self.shape
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        m.submodules.sequencer = sequencer = Sequencer(shape, self._words, writable=self.commanded)
        m.submodules.loader = loader = Loader(shape)
        m.submodules.unloader = unloader = Unloader(shape)
        kernel: Mapping[str, ValueLike] = kernel_values(shape.kernels[0])
        is_open: ValueLike = 1
        if self.commanded:
            m.submodules.commander = commander = Commander(shape)
            kernel = {name: getattr(commander, name) for name in kernel_widths(shape)}
            is_open = commander.open
            m.d.comb += [
                commander.tvalid.eq(self.p_axis_tvalid & self.aresetn),
                commander.tdata.eq(self.p_axis_tdata),
                commander.loaded.eq(loader.loaded),
                commander.emptied.eq(unloader.emptied),
                self.p_axis_tready.eq(commander.tready & self.aresetn),
                *(getattr(sequencer, n).eq(getattr(commander, n)) for n in write_ports(shape)),
            ]
        m.d.comb += [
            *(getattr(sequencer, name).eq(kernel[name]) for name in kernel),
            loader.last_beat.eq(kernel["last_beat_in"]),
            unloader.last_context.eq(kernel["last_context"]),
            unloader.last_word.eq(kernel["last_word_out"]),
        ]
        # In issue cycles, then in write cycles.
        valid, last = (Signal(name=f"issue_{name}") for name in ("valid", "last"))
        written, written_last = (Signal(name=f"write_{name}") for name in ("valid", "last"))
        delay(m, sequencer.valid, valid, 1, reset=True)
        delay(m, sequencer.last, last, 1, reset=True)
        delay(m, valid, written, shape.latency - 1, reset=True)
        delay(m, last, written_last, shape.latency - 1, reset=True)

        m.submodules.input_free = input_free = Tokens(shape.input_buffers, shape.input_buffers)
        m.submodules.input_full = input_full = Tokens(shape.input_buffers, 0)
        m.submodules.output_free = output_free = Tokens(shape.output_buffers, shape.output_buffers)
        m.submodules.output_full = output_full = Tokens(shape.output_buffers, 0)
        m.d.comb += [
            input_free.get.eq(loader.loaded),
            input_full.put.eq(loader.loaded),
            input_full.get.eq(sequencer.start),
            output_free.get.eq(sequencer.start),
            input_free.put.eq(last),
            output_full.put.eq(written_last),
            output_full.get.eq(unloader.emptied),
            output_free.put.eq(unloader.emptied),
            sequencer.ready.eq(input_full.some & output_free.some),
            loader.free.eq(input_free.some & is_open),
            loader.tvalid.eq(self.s_axis_tvalid & self.aresetn),
            unloader.filled.eq(output_full.some),
            unloader.last.eq(written_last),
            unloader.tready.eq(self.m_axis_tready & self.aresetn),
            self.s_axis_tready.eq(loader.tready & self.aresetn),
            self.m_axis_tvalid.eq(unloader.tvalid & self.aresetn),
            self.m_axis_tdata.eq(unloader.tdata),
            self.m_axis_tlast.eq(unloader.tlast),
            self.busy.eq(sequencer.busy),
        ]
        self._datapath(m, sequencer, loader, unloader, written)
        return m

    def _datapath(
        self,
        m: Module,
        sequencer: Sequencer,
        loader: Loader,
        unloader: Unloader,
        written: Signal,
    ) -> None:
        """Banks, crossbar and slices; see `Program` for what happens in which cycle."""
        shape = self.shape
        extra = shape.latency - MIN_LATENCY
        read = 1 + (extra > 0)  # issue to operand at the crossbar's inputs
        cross = max(extra - 1, 0)  # crossbar's inputs to the slice's
        operands = read + cross
        banks = self._banks(m, sequencer, registered=extra > 0)
        for b in range(shape.input_banks):
            bank = banks[shape.slices + b]
            m.d.comb += [
                bank.write.eq(loader.write),
                bank.write_row.eq(Cat(loader.row, loader.buffer)),
                bank.data.eq(self.s_axis_tdata[LANES * b : LANES * (b + 1)]),
            ]
        for i in range(shape.slices):
            m.submodules[f"slice{i}"] = unit = LogicSlice(self.kind)
            for port, out in (("x", unit.x), ("z", unit.z)):
                select = self._later(m, sequencer, f"{port}_bank{i}", read)
                chosen = Signal(LANES, name=f"{port}_operand{i}")
                sources = [getattr(bank, port) for bank in banks]
                m.d.comb += chosen.eq(
                    choose(m, f"{port}_choose{i}", select, sources, four=self.four)
                )
                arrived = Signal(LANES, name=f"{port}{i}")
                delay(m, chosen, arrived, cross)
                m.d.comb += out.eq(arrived)
            m.d.comb += unit.opcode.eq(self._later(m, sequencer, f"opcode{i}", operands))
            at_write = operands + SLICE_LATENCY
            row = self._row(m, sequencer, f"write_row{i}", sequencer.base)
            write_row = Signal.like(row, name=f"write_row{i}")
            delay(m, row, write_row, at_write)
            m.d.comb += [
                banks[i].write.eq(written & self._later(m, sequencer, f"write{i}", at_write)),
                banks[i].write_row.eq(write_row),
                banks[i].data.eq(unit.p),
            ]
            if i in shape.emitters:
                emit = self._later(m, sequencer, f"emit{i}", at_write)
                m.d.comb += getattr(unloader, f"emit{i}").eq(written & emit)
                m.d.comb += getattr(unloader, f"data{i}").eq(unit.p)

    def _banks(self, m: Module, sequencer: Sequencer, *, registered: bool) -> list[Bank]:
        shape = self.shape
        buffer = Signal.like(sequencer.buffer, name="issue_buffer")
        delay(m, sequencer.buffer, buffer, 1)
        banks = []
        for b in range(shape.banks):
            depth = shape.rows
            base = sequencer.base
            if shape.is_input(b):
                # The buffer is the top of the address, so that a row needs no second adder.
                depth = shape.input_buffers << len(sequencer.input_base)
                base = sequencer.input_base
            m.submodules[f"bank{b}"] = bank = Bank(depth, registered=registered)
            for port in ("x_row", "z_row"):
                row: Value = self._row(m, sequencer, f"{port}{b}", base)
                if shape.is_input(b):
                    row = Cat(row, buffer)
                m.d.comb += getattr(bank, port).eq(row)
            banks.append(bank)
        return banks

    def _row(self, m: Module, sequencer: Sequencer, field: str, base: Signal) -> Signal:
        """Return the physical row of a field in issue cycles."""
        row = Signal.like(base, name=f"{field}_c0", reset_less=True)
        m.d.sync += row.eq(self._field(sequencer, field) + base)
        return row

    def _later(self, m: Module, sequencer: Sequencer, field: str, cycles: int) -> Signal:
        """Return a field `cycles` clocks after its issue cycle."""
        source = self._field(sequencer, field)
        now = Signal(len(source), name=f"{field}_now")
        later = Signal(len(source), name=field)
        m.d.comb += now.eq(source)
        delay(m, now, later, 1 + cycles)
        return later

    def _field(self, sequencer: Sequencer, field: str) -> Value:
        place = self.shape.fields[field]
        return sequencer.word[place.at : place.at + place.width]
