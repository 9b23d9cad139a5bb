"""Program -> instruction words: one word per step, the fields of all banks and slices in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import UsageError
from nnlogic.dsp.ir import Program
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
class EngineShape:
    """Everything about a program that decides the hardware, apart from the instruction words.

    Attributes
    ----------
    slices, input_banks, contexts, latency, rows, input_rows, output_rows, steps : int
        As in `Program`.
    emitters : tuple of int
        Slices that emit; each has 48 bits of the output stream.
    """

    slices: int
    input_banks: int
    contexts: int
    latency: int
    rows: int
    input_rows: int
    output_rows: int
    steps: int
    emitters: tuple[int, ...]

    @staticmethod
    def of(program: Program) -> EngineShape:
        """Return the shape of a program.

        Raises
        ------
        UsageError
            The engine cannot be built for it; all reasons are given.
        """
        problems = []
        if program.latency < MIN_LATENCY:
            problems.append(f"its latency is {program.latency} cycles, the engine's is at least "
                            f"{MIN_LATENCY}")  # fmt: skip
        if not program.steps:
            problems.append("it has no steps")
        if not program.emit.any():
            problems.append("it emits no outputs")
        if program.input_banks < 1 or program.input_rows < 1:
            problems.append("it reads no inputs")
        if problems:
            raise UsageError(
                "no engine can be built for this program",
                where=program.name,
                why="; ".join(problems),
                fix="a network of constants needs no engine; else schedule with a latency of "
                f"{MIN_LATENCY} or more",
            )
        return EngineShape(
            slices=program.slices,
            input_banks=program.input_banks,
            contexts=program.contexts,
            latency=program.latency,
            rows=max(program.rows, 1),
            input_rows=program.input_rows,
            output_rows=program.output_rows,
            steps=program.steps,
            emitters=tuple(np.flatnonzero(program.emit.any(axis=0)).tolist()),
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

    def _buffers(self, taken: int) -> int:
        return max(2, 1 << (-(-taken // self.interval) - 1).bit_length())

    @property
    def banks(self) -> int:
        """Slice banks and input banks."""
        return self.slices + self.input_banks

    def is_input(self, bank: int) -> bool:
        """Whether a bank is written by the loader."""
        return bank >= self.slices

    def bank_rows(self, bank: int) -> int:
        """Rows of one context in a bank."""
        return self.input_rows if self.is_input(bank) else self.rows

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
            widths |= {f"write_row{i}": index_bits(self.rows), f"write{i}": 1, f"emit{i}": 1}
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


def instruction_words(program: Program) -> list[int]:
    """Return the program memory of a verified program, one integer per step.

    What nobody reads (rows of idle ports, fields of idle slices) is 0, apart from the opcode.
    """
    shape = EngineShape.of(program)
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
    words = [0] * shape.steps
    for name, field in shape.fields.items():
        for step, value in enumerate(columns[name].tolist()):
            words[step] |= int(value) << field.at
    return words
