"""Neurons that sum small tables of integers: a base of families."""

from __future__ import annotations

from fractions import Fraction
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from nnlogic.core.archive import frozen
from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.model.layer import SUMS, LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.connect import Connection, Learned, connect
from nnlogic.nn.family import (
    Family,
    activation_codes,
    enumerate_codes,
    enumerated,
    exact_copy,
    index_bits,
    look_up,
    refuse,
)
from nnlogic.nn.gates import LEAST_BITS, Price, present, probe, probed_gates, read_at_all
from nnlogic.nn.quantizers import LearnedBits, make_activation, round_half_up
from nnlogic.quant.fold import Levels
from nnlogic.quant.ir import Layer, Linear

SMALLEST_STEP = 2.0**-12


class Steps(nn.Module):
    """Signed integers times a learned step, with straight-through gradients.

    Parameters
    ----------
    bits : int
        Of the integers; halves round up.
    clip : float
        Value of the largest, at first.
    """

    def __init__(self, bits: int, clip: float = 2.0) -> None:
        super().__init__()
        self.low, self.high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        self.raw = nn.Parameter(torch.tensor([clip / max(1, self.high)]))
        self.quantized = True

    @property
    def step(self) -> Tensor:
        """The step in use, positive, shape (1,)."""
        return self.raw.clamp_min(SMALLEST_STEP)

    def forward(self, x: Tensor) -> Tensor:
        """Return the integers nearest to ``x / step``, as floats; not rounded when turned off."""
        position = torch.clamp(x / self.step, self.low, self.high)
        return round_half_up(position) if self.quantized else position


class Summed(Family):
    """Each neuron an exact sum of `parts` tables of integers, then batch-norm and activation.

    With ``activation = "none"`` the sums themselves leave, for scores. A subclass implements
    `partials`. In hardware: the tables, an adder per neuron, comparators where sums are cut.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
    generator : torch.Generator
    parts : int
        Tables per neuron.
    fan_in : int
        Wires of each table.
    part_bits : int
        Bits of the signed integers summed.
    distinct : bool
        Whether all tables of a neuron read different wires.
    """

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        parts: int,
        fan_in: int,
        part_bits: int,
        distinct: bool,
    ) -> None:
        super().__init__(x, spec)
        self.parts, self.fan_in = parts, fan_in
        if spec.activation == LearnedBits.kind:
            why = "sums are cut at the same number of places in every neuron"
            raise refuse(
                spec, why, "part_bits and lut_cost: ranges of the tables shrink by themselves"
            )
        rows, per_row = (spec.width, parts * fan_in) if distinct else (spec.width * parts, fan_in)
        if per_row > self.inputs:
            why = f"it needs {per_row} different wires, the layer before has {self.inputs}"
            raise refuse(spec, why, "use a smaller fan_in")
        self.connect: Connection = connect(
            spec.connect, self.inputs, rows, per_row, generator, channels=x.channels
        )
        self.steps = Steps(part_bits)
        plain = spec.activation == SUMS
        self.norm = nn.BatchNorm1d(spec.width) if spec.batch_norm and not plain else None
        self.bias = None if self.norm is not None else nn.Parameter(torch.zeros(spec.width))
        self.activation = None if plain else make_activation(spec)

    def partials(self, x: Tensor) -> Tensor:
        """Return one float per table, (samples, tables), of what it reads (..., tables, fan_in)."""
        raise NotImplementedError

    def _integers(self, x: Tensor) -> Tensor:
        out: Tensor = self.steps(self.partials(x))
        return out

    def _offset(self, bias: Tensor) -> Tensor:
        # A whole number of steps: a plain sum stays an integer.
        return round_half_up(bias / self.steps.step.detach())

    def _normed(self, sums: Tensor) -> Tensor:
        if self.bias is not None:
            return self.steps.step * (sums + self._offset(self.bias))
        out: Tensor = self.norm(self.steps.step * sums) if self.norm is not None else sums
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return fake-quantized values (samples, width) of values (samples, inputs)."""
        read = self.connect(x).reshape(len(x), -1, self.fan_in)
        sums = self._integers(read).reshape(len(x), self.spec.width, self.parts).sum(2)
        z = self._normed(sums)
        return z if self.activation is None else self.activation(z)

    def wires(self) -> Tensor:
        """Return the wires each table reads, int64 (tables, fan_in)."""
        return self.connect.wires().reshape(-1, self.fan_in)

    @torch.no_grad()
    def tables(self, x: Codes) -> list[IntArray]:
        """Return the integers each table holds, by input index, first wire in low bits."""
        return enumerate_codes(exact_copy(self)._integers, self.wires(), x)

    def _reach(self, tables: list[IntArray]) -> tuple[IntArray, IntArray]:
        low = np.array([t.min() for t in tables]).reshape(-1, self.parts).sum(1)
        high = np.array([t.max() for t in tables]).reshape(-1, self.parts).sum(1)
        return low, high

    @torch.no_grad()
    def _cut(self, low: int, high: int) -> IntArray:
        # Output code of every sum from low to high, (sums, width): enumeration defines these too.
        exact = exact_copy(self)
        sums = torch.arange(low, high + 1, dtype=torch.float64)[:, None]
        z = exact._normed(sums.expand(-1, self.spec.width))
        if exact.activation is None:
            raise IRError("a plain sum is not cut", where=self.spec.name)
        codes: IntArray = exact.activation.codes(z).numpy()
        return codes

    def _shift(self, low: IntArray) -> tuple[IntArray, int]:
        # Of plain sums: the offset of each neuron, and the smallest sum of all.
        if self.bias is None:
            raise IRError("a plain sum without a bias", where=self.spec.name)
        exact = exact_copy(self)
        offset = exact._offset(self.bias.detach().cpu().double()).to(torch.int64).numpy()
        return offset, int((low + offset).min())

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        if self.activation is not None:
            return activation_codes(self.activation, self.spec.width)
        tables = self.tables(x)
        low, _ = self._reach(tables)
        offset, common = self._shift(low)
        tops = np.array([g * f.hi for _, g, f in map(_moved, tables)])
        high = low + offset - common + tops.reshape(-1, self.parts).sum(1)
        bits = tuple(IntFormat.holding(0, int(h)).bits for h in high)
        scale = Fraction(float(self.steps.step.detach()))
        return Codes.uniform(bits, Levels(scale, Fraction(common), 1 << max(bits)))

    def quantized(self, name: str, sources: tuple[str, ...], x: Codes) -> list[Layer]:
        """Return the tables, moved to start at zero, and the sums of them, cut or plain."""
        tables = self.tables(x)
        low, high = self._reach(tables)
        small, gain, formats = zip(*map(_moved, tables), strict=True)
        role = self.spec.role
        first = enumerated(f"{name}_parts", sources, self.wires(), [*small], x, formats, role)
        weights = np.zeros((self.spec.width, len(tables)), np.int64)
        weights[np.arange(len(tables)) // self.parts, np.arange(len(tables))] = gain
        bias = np.zeros(self.spec.width, np.int64)
        thresholds = None
        if self.activation is None:
            offset, common = self._shift(low)
            bias, role = low + offset - common, "output"
        else:
            codes = self._cut(int(low.min()), int(high.max()))
            start = low - low.min()
            cuts = [
                _thresholds(codes[s : s + h - b + 1, i], self.spec.bits)
                for i, (s, b, h) in enumerate(zip(start, low, high, strict=True))
            ]
            weights *= np.array([sign for sign, _ in cuts])[:, None]
            thresholds = frozen([bounds for _, bounds in cuts], np.int64)
        formats = self.output(x).formats
        second = Linear(
            name,
            (first.name,),
            frozen(weights, np.int64),
            frozen(bias, np.int64),
            thresholds,
            formats,
            role,
        )
        return [first, second]

    @torch.no_grad()
    def evaluate(self, codes: Tensor, x: Codes) -> Tensor:
        """Return exact codes, int64 (samples, width), of int64 codes (samples, inputs)."""
        tables = self.tables(x)
        low, high = self._reach(tables)
        parts = look_up(tables, codes, self.wires(), x)
        sums = parts.reshape(len(codes), self.spec.width, self.parts).sum(2)
        if self.activation is None:
            offset, common = self._shift(low)
            return sums + torch.from_numpy(offset - common).to(codes.device)
        cut = torch.from_numpy(self._cut(int(low.min()), int(high.max()))).to(codes.device)
        return cut.gather(0, sums - int(low.min()))

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return the LUT6 of tables and adders, and how far the inputs are read.

        A table's output bits are those of its range. Sums that are narrow enough are tables too,
        of the bits added or of all inputs, whatever is cheapest.
        """
        wires = self.wires()
        values, bits = probe(wires, x.bits, x.values)
        at = self.partials(values.flatten(0, 1)) / self.steps.step
        at = at.clamp(self.steps.low, self.steps.high)
        gates = present(probed_gates(at.unflatten(0, values.shape[:2]), bits), x.size, wires)
        in_bits = gates.sum((1, 2))
        span = at.amax(0) - at.amin(0)
        size = torch.log2(1 + span).clamp_min(LEAST_BITS)

        def of_neuron(parts: Tensor) -> Tensor:
            return parts.reshape(-1, self.parts).sum(1)

        entering, total = of_neuron(size), torch.log2(1 + of_neuron(span)).clamp_min(LEAST_BITS)
        if self.activation is None:
            sums, out_bits = price.adder(entering, total, 0), total
        else:
            out_bits = torch.full_like(live, float(self.spec.bits))
            sums = price.adder(entering, total, (1 << self.spec.bits) - 1)
            sums = torch.minimum(sums, price.table(entering, out_bits))
        luts = of_neuron(price.table(in_bits, size)) + sums
        luts = torch.minimum(luts, price.table(of_neuron(in_bits), out_bits))
        per_table = live.repeat_interleave(self.parts)
        read = read_at_all(wires, gates.amax(2), per_table, self.inputs)
        return (luts * live).sum(), read

    def fan_in_bits(self, x: Codes) -> int:
        """Return the input bits of the widest table."""
        return int(index_bits(self.wires(), x)[2].max())

    def share_scale(self, other: Self) -> None:
        """Give the outputs the same scale as `other`, learned together."""
        if self.activation is None:
            self.steps = other.steps
        else:
            self.activation = other.activation

    def anneal(self, progress: float) -> None:
        """Follow the schedule of training, `progress` from 0 to 1."""
        if isinstance(self.connect, Learned):
            self.connect.anneal(progress)

    def set_quantized(self, on: bool) -> None:
        """Turn rounding on or off."""
        super().set_quantized(on)
        self.steps.quantized = on


def _moved(table: IntArray) -> tuple[IntArray, int, IntFormat]:
    # The table from zero on and without a common factor, that factor (0: a constant), the format.
    rising = table - table.min()
    gain = int(np.gcd.reduce(rising))
    small = frozen(rising // max(1, gain), np.int64)
    return small, gain, IntFormat.holding(0, int(small.max()))


def _thresholds(codes: IntArray, bits: int) -> tuple[int, IntArray]:
    # Codes by sum, counted from the smallest sum: +1 and bounds of rising codes, or -1 and the
    # bounds of the negated sum. Batch-norm and activation are monotone, in floats too.
    wanted = np.arange(1, 1 << bits)
    if codes[-1] >= codes[0]:
        return 1, np.searchsorted(codes, wanted)
    return -1, np.searchsorted(codes[::-1], wanted) - (len(codes) - 1)
