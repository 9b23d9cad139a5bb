"""Program -> instruction words: one word per step, the fields of all banks and slices in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.core.errors import Problem, UsageError
from nnlogic.hw.dsp.logic_unit import OPCODE_BITS
from nnlogic.hw.dsp.slice import SLICE_LATENCY

MIN_LATENCY = SLICE_LATENCY + 2
"""Issue to write, no optional registers: memory read, slice, memory write."""
FETCH = 2
"""Clocks from the program counter to the instruction word: memory read, output register."""
START_UP = FETCH + 1
"""Clocks from a group's start to issue cycle 0 of `Program`: fetch, address adder."""


@dataclass(frozen=True)
class Field:
    """A field of the instruction word: its lowest bit and its width."""

    at: int
    width: int


@dataclass(frozen=True)
class Kernel:
    """What the sequencer and the streams must know about a program.

    Attributes
    ----------
    first : int
        Word of the program memory it begins at.
    steps, contexts, latency, rows, input_rows, output_rows : int
        As in `Program`.
    """

    first: int
    steps: int
    contexts: int
    latency: int
    rows: int
    input_rows: int
    output_rows: int

    @staticmethod
    def of(program: Program, first: int = 0) -> Kernel:
        """Return the kernel of a program that begins at word `first`."""
        return Kernel(
            first=first,
            steps=program.steps,
            contexts=program.contexts,
            latency=program.latency,
            rows=max(program.rows, 1),
            input_rows=program.input_rows,
            output_rows=program.output_rows,
        )

    @property
    def cycles(self) -> int:
        """Clocks the program runs for one group."""
        return self.steps * self.contexts

    @property
    def beats_in(self) -> int:
        """Beats that load a group."""
        return self.contexts * self.input_rows

    @property
    def beats_out(self) -> int:
        """Beats that read out a group."""
        return self.contexts * self.output_rows

    @property
    def interval(self) -> int:
        """Clocks per group at full rate."""
        return max(self.cycles, self.beats_in, self.beats_out)

    @property
    def turnaround(self) -> int:
        """Clocks from the last beat in to the last beat out of a group that has no company."""
        return START_UP + self.cycles + self.latency + self.beats_out + 4

    @property
    def input_buffers(self) -> int:
        """Input buffers, a power of two: two, or more where a group is short.

        A buffer is taken from the first beat of a group until its last read; there must be
        enough of them to start a group every `interval` clocks.
        """
        return self._buffers(self.beats_in + self.cycles + START_UP + 2)

    @property
    def output_buffers(self) -> int:
        """Output buffers, a power of two; taken from the start of a group to its last beat."""
        return self._buffers(START_UP + self.cycles + self.latency + self.beats_out + 2)

    def visit(self, groups: int, *, load: bool) -> int:
        """Clocks from a command being offered to the last beat out, at full rate.

        Parameters
        ----------
        groups : int
            At least 1.
        load : bool
            Whether the packet brings the program.
        """
        packet = 1 + (self.steps if load else 0)
        return packet + self.beats_in + self.turnaround + (groups - 1) * self.interval

    def _buffers(self, taken: int) -> int:
        return max(2, 1 << (-(-taken // self.interval) - 1).bit_length())


@dataclass(frozen=True)
class EngineShape:
    """Everything about one or several programs that decides the hardware, apart from the words.

    Attributes
    ----------
    slices, input_banks, latency : int
        As in `Program`.
    emitters : tuple of int
        Slices that emit in any of the programs; each has 48 bits of the output stream.
    kernels : tuple of Kernel
        In the order of the programs.
    words : int
        Depth of the program memory.
    """

    slices: int
    input_banks: int
    latency: int
    emitters: tuple[int, ...]
    kernels: tuple[Kernel, ...]
    words: int

    @staticmethod
    def of(program: Program) -> EngineShape:
        """Return the shape of an engine with one program; raises as `of_all`."""
        return EngineShape.of_all([program], program.steps)

    @staticmethod
    def of_all(programs: Sequence[Program], most: int) -> EngineShape:
        """Return the shape of an engine that runs programs one after the other.

        Parameters
        ----------
        programs : sequence of Program
            At least one; for the same number of slices, input banks and the same latency.
        most : int
            Words of program memory there may be. Programs that fit side by side each have a
            place of their own; otherwise all begin at word 0, and loading one replaces another.

        Raises
        ------
        UsageError
            The engine cannot be built for them; all reasons are given.
        """
        problems = [p for program in programs for p in _problems(program, programs[0], most)]
        if problems:
            raise UsageError(
                "no engine can be built for this program",
                problems=problems,
                fix="a network of constants needs no engine; else schedule with a latency of "
                f"{MIN_LATENCY} or more",
            )
        first = programs[0]
        total = sum(p.steps for p in programs)
        starts = np.cumsum([0, *(p.steps for p in programs[:-1])]).tolist()
        if total > most:
            starts = [0] * len(programs)
        return EngineShape(
            slices=first.slices,
            input_banks=first.input_banks,
            latency=first.latency,
            emitters=tuple(
                i for i in range(first.slices) if any(p.emit[:, i].any() for p in programs)
            ),
            kernels=tuple(Kernel.of(p, at) for p, at in zip(programs, starts, strict=True)),
            words=total if total <= most else max(p.steps for p in programs),
        )

    @property
    def resident(self) -> bool:
        """Whether every program has a place of its own in the program memory."""
        return self.words == sum(k.steps for k in self.kernels)

    @property
    def contexts(self) -> int:
        """Contexts of the program that has most."""
        return max(k.contexts for k in self.kernels)

    @property
    def rows(self) -> int:
        """Rows of a slice bank: all contexts of the program that needs most."""
        return max(k.contexts * k.rows for k in self.kernels)

    @property
    def beats_in(self) -> int:
        """Most beats that load a group, and rows of a buffer of an input bank."""
        return max(k.beats_in for k in self.kernels)

    @property
    def beats_out(self) -> int:
        """Most beats that read out a group, and words of a buffer of an output memory."""
        return max(k.beats_out for k in self.kernels)

    @property
    def turnaround(self) -> int:
        """`Kernel.turnaround` of the program that takes longest."""
        return max(k.turnaround for k in self.kernels)

    @property
    def input_buffers(self) -> int:
        """Input buffers that suffice for every program."""
        return max(k.input_buffers for k in self.kernels)

    @property
    def output_buffers(self) -> int:
        """Output buffers that suffice for every program."""
        return max(k.output_buffers for k in self.kernels)

    @property
    def banks(self) -> int:
        """Slice banks and input banks."""
        return self.slices + self.input_banks

    def is_input(self, bank: int) -> bool:
        """Whether a bank is written by the loader."""
        return bank >= self.slices

    def bank_rows(self, bank: int) -> int:
        """Most rows that one context of a program has in a bank."""
        return max(k.input_rows if self.is_input(bank) else k.rows for k in self.kernels)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The instruction word, lowest field first.

        ``x_row<b>`` and ``z_row<b>`` per bank; per slice ``opcode<i>``, ``x_bank<i>``,
        ``z_bank<i>``, ``write_row<i>``, ``write<i>`` and ``emit<i>``.
        """
        widths: dict[str, int] = {}
        for bank in range(self.banks):
            bits = index_bits(self.bank_rows(bank))
            widths |= {f"x_row{bank}": bits, f"z_row{bank}": bits}
        for i in range(self.slices):
            select = index_bits(self.banks)
            widths |= {f"opcode{i}": OPCODE_BITS, f"x_bank{i}": select, f"z_bank{i}": select}
            bits = index_bits(self.bank_rows(i))
            widths |= {f"write_row{i}": bits, f"write{i}": 1, f"emit{i}": 1}
        fields, at = {}, 0
        for name, width in widths.items():
            fields[name] = Field(at, width)
            at += width
        return fields

    @property
    def word_bits(self) -> int:
        """Width of the program memory."""
        return sum(field.width for field in self.fields.values())


def index_bits(count: int) -> int:
    """Bits of an index below `count`; at least 1."""
    return max(1, (count - 1).bit_length())


def instruction_words(program: Program, shape: EngineShape | None = None) -> list[int]:
    """Return the program memory of a verified program, one integer per step.

    What nobody reads (rows of idle ports, fields of idle slices) is 0, apart from the opcode.

    Parameters
    ----------
    program : Program
    shape : EngineShape, optional
        Of the engine, when it runs other programs too.
    """
    shape = EngineShape.of(program) if shape is None else shape
    columns: dict[str, NDArray[Any]] = {}
    for bank in range(shape.banks):
        columns[f"x_row{bank}"] = np.maximum(program.x_row[:, bank], 0)
        columns[f"z_row{bank}"] = np.maximum(program.z_row[:, bank], 0)
    for i in range(shape.slices):
        columns[f"opcode{i}"] = program.opcode[:, i]
        columns[f"x_bank{i}"] = program.x_bank[:, i]
        columns[f"z_bank{i}"] = program.z_bank[:, i]
        columns[f"write_row{i}"] = np.maximum(program.write_row[:, i], 0)
        columns[f"write{i}"] = program.write_row[:, i] >= 0
        columns[f"emit{i}"] = program.emit[:, i]
    words = [0] * program.steps
    for name, field in shape.fields.items():
        for step, value in enumerate(columns[name].tolist()):
            words[step] |= int(value) << field.at
    return words


def _problems(program: Program, first: Program, most: int) -> list[Problem]:
    why = []
    if program.latency < MIN_LATENCY:
        why.append(
            f"its latency is {program.latency} cycles, the engine's is at least {MIN_LATENCY}"
        )
    if not program.steps:
        why.append("it has no steps")
    if program.steps > most:
        why.append(f"its {program.steps} steps are more than {most} words of program memory")
    if not program.emit.any():
        why.append("it emits no outputs")
    if program.input_banks < 1 or program.input_rows < 1:
        why.append("it reads no inputs")
    for name in ("slices", "input_banks", "latency"):
        one, other = getattr(program, name), getattr(first, name)
        if one != other:
            why.append(f"{name} {one}, but {other} in {first.name}")
    return [Problem(program.name, text) for text in why]
