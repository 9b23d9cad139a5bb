"""What a program costs and how fast it is. Every figure here is an estimate until a tool ran.

Block RAMs are counted as 36 Kb blocks of 512 x 72 bits (7-series and UltraScale alike);
memories of up to 64 words are taken to be LUT RAM. The clock is a model, not a measurement: a
fixed part for clock-to-output, set-up and routing, one LUT delay per level of the crossbar's
multiplexers, and routing that grows with the number of slices it reaches.
"""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.dsp.model.machine import BRAM_ROWS
from nnlogic.backends.dsp.model.ops import LANES

LUTRAM_ROWS = 64
BRAM_SHAPES = ((512, 72), (1024, 36), (2048, 18), (4096, 9), (8192, 4), (16384, 2), (32768, 1))
"""Words and bits of a 36 Kb block RAM."""
FIXED_NS, LEVEL_NS, SLICE_NS = 0.9, 0.45, 0.02
MOST_MHZ = 600.0
CLOCK_SOURCE = (
    f"model: {FIXED_NS} ns + {LEVEL_NS} ns per crossbar level + {SLICE_NS} ns per slice, "
    f"at most {MOST_MHZ:.0f} MHz, for a recent FPGA; no tool was run"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Estimated resources and speed of a program.

    Attributes
    ----------
    slices : int
        DSP slices.
    data_brams, program_brams : int
        36 Kb block RAMs of the banks (two copies each, input and output memories included) and
        of the program.
    crossbar_luts, memory_luts : int
        LUT6 of the operand multiplexers, and of memories small enough for LUT RAM.
    mhz : float
        Clock of the model, see `CLOCK_SOURCE`, or the one given.
    mhz_source : str
    interval, latency : int
        Cycles between groups, and from issue to readable outputs.
    vectors : int
        Input vectors per group.
    """

    slices: int
    data_brams: int
    program_brams: int
    crossbar_luts: int
    memory_luts: int
    mhz: float
    mhz_source: str
    interval: int
    latency: int
    vectors: int

    @property
    def brams(self) -> int:
        """All 36 Kb block RAMs."""
        return self.data_brams + self.program_brams

    @property
    def luts(self) -> int:
        """All LUT6 counted; the sequencer's few hundred are not."""
        return self.crossbar_luts + self.memory_luts

    @property
    def throughput(self) -> float:
        """Input vectors per second."""
        return self.vectors * self.mhz * 1e6 / max(1, self.interval)

    @property
    def latency_ns(self) -> float:
        """Nanoseconds from the issue of a loaded group to its outputs being readable."""
        return self.latency * 1e3 / self.mhz


def program_width(program: Program) -> int:
    """Bits of a program word: opcode, emit, write enable and row, selects, and port rows."""
    select = max(1, (program.banks - 1).bit_length())
    row = max(1, (program.rows - 1).bit_length())
    input_row = max(1, (program.input_rows - 1).bit_length())
    per_slice = 5 + 1 + 1 + row + 2 * select
    rows = 2 * (program.slices * row + program.input_banks * input_row)
    return program.slices * per_slice + rows


def model_mhz(program: Program) -> float:
    """Return the clock of the model in MHz, see `CLOCK_SOURCE`."""
    return modelled_mhz(program.slices, program.banks)


def modelled_mhz(slices: int, banks: int) -> float:
    """Return the clock of a number of slices and of banks they read."""
    levels = max(1, -(-(banks - 1).bit_length() // 2))
    return min(MOST_MHZ, 1e3 / (FIXED_NS + LEVEL_NS * levels + SLICE_NS * slices))


def crossbar_luts(slices: int, banks: int) -> int:
    """Return the LUT6 that bring every bank to both operands of every slice."""
    return 2 * slices * LANES * -(-(banks - 1) // 3)


def cost_of(program: Program, *, mhz: float | None = None) -> Cost:
    """Return the cost of a program; `mhz` replaces the clock of the model."""
    contexts = program.contexts
    emitting = int(program.emit.any(axis=0).sum())
    data, luts = 0, 0
    for words, count in (
        (program.rows * contexts, 2 * program.slices),
        (2 * program.input_rows * contexts, 2 * program.input_banks),
        (2 * program.output_rows * contexts, emitting),
    ):
        if words <= LUTRAM_ROWS:
            luts += count * _lutram(words)
        else:
            data += count * -(-words // BRAM_ROWS)
    program_brams, program_luts = program_memory(program_width(program), program.steps)
    crossbar = crossbar_luts(program.slices, program.banks)
    return Cost(
        slices=program.slices,
        data_brams=data,
        program_brams=program_brams,
        crossbar_luts=crossbar,
        memory_luts=luts + program_luts,
        mhz=model_mhz(program) if mhz is None else mhz,
        mhz_source=CLOCK_SOURCE if mhz is None else "assumed",
        interval=program.interval,
        latency=program.cycles,
        vectors=program.vectors,
    )


def _lutram(words: int) -> int:
    return 0 if not words else LANES * 4 // 3 if words > 32 else LANES * 2 // 3


def program_memory(width: int, words: int) -> tuple[int, int]:
    """Return the 36 Kb block RAMs and the LUT6 of a program memory."""
    if words <= LUTRAM_ROWS:
        return 0, -(-width * _lutram(words) // LANES)
    for depth, bits in BRAM_SHAPES:
        if words <= depth:
            return -(-width // bits), 0
    depth, _ = BRAM_SHAPES[-1]
    return width * -(-words // depth), 0
