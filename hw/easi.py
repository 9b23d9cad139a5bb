"""EASI: independent components learned in hardware, as a fixed-point streaming core."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import ClockDomain, ClockSignal, Const, Module, ResetSignal, Signal, Value, signed
from amaranth.hdl import Mux as Choose
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.core.errors import Problem, UsageError

Matrix = list[list[int]]
CLOCKS = 3
"""From one row to the next."""


@dataclass(frozen=True)
class EasiParameters:
    """Sizes of the core, and what it computes: the reference and the gateware follow one another.

    Numbers are two's complement with `fraction` bits behind the point. Products and sums of
    products are exact, then cut off below the last bit (floor) and saturated to `bits`.

    Attributes
    ----------
    n : int
        Inputs and components, 2 to 4.
    bits : int
        Of each number.
    fraction : int
    rate : int
        A step is ``2**-rate`` of the gradient.
    """

    n: int = 2
    bits: int = 18
    fraction: int = 12
    rate: int = 8

    def __post_init__(self) -> None:
        """Raise UsageError with all that makes no sense."""
        bounds = {"n": (2, 4), "bits": (8, 24), "fraction": (4, self.bits - 4), "rate": (1, 16)}
        out = [
            Problem(name, f"{getattr(self, name)}, allowed {low} to {high}")
            for name, (low, high) in bounds.items()
            if not low <= getattr(self, name) <= high
        ]
        if out:
            raise UsageError("an EASI core cannot be made", problems=out)

    @property
    def one(self) -> int:
        """The number 1."""
        return 1 << self.fraction

    def start(self) -> Matrix:
        """Return the first separating matrix: the identity."""
        return [[self.one if i == j else 0 for j in range(self.n)] for i in range(self.n)]

    def saturated(self, value: int) -> int:
        """Return the nearest number there is."""
        high = (1 << (self.bits - 1)) - 1
        return max(-high - 1, min(high, value))

    def _cut(self, value: int) -> int:
        return self.saturated(value >> self.fraction)

    def step(self, b: Matrix, x: list[int]) -> tuple[Matrix, list[int]]:
        """Return the matrix after a row, and the components of the row by the matrix before.

        ``y = B x``, ``B -= 2**-rate (y y' - I + g y' - y g') B`` with ``g = y**3`` (Cardoso and
        Laheld 1996), which separates sources flatter than a normal distribution.

        Parameters
        ----------
        b : list of list of int
        x : list of int
            Within `bits`.
        """
        n, cut, sat = range(self.n), self._cut, self.saturated
        y = [cut(sum(b[i][j] * x[j] for j in n)) for i in n]
        g = [cut(v * cut(v * v)) for v in y]
        h = [
            [
                sat(
                    ((y[i] * y[j]) >> self.fraction)
                    - (self.one if i == j else 0)
                    + ((g[i] * y[j]) >> self.fraction)
                    - ((y[i] * g[j]) >> self.fraction)
                )
                for j in n
            ]
            for i in n
        ]
        half = 1 << (self.rate - 1)
        after = [
            [
                sat(b[i][j] - ((cut(sum(h[i][k] * b[k][j] for k in n)) + half) >> self.rate))
                for j in n
            ]
            for i in n
        ]
        return after, y


class Easi(wiring.Component):
    """A row in three clocks: components, gradient, update. Results are not held: no ready there.

    Ports: ``clk``, ``rst`` (back to the identity), ``in_valid``, ``in_ready``, ``x_<j>``;
    ``out_valid`` with ``y_<i>``; ``b_<i>_<j>``, the matrix as it is.
    """

    def __init__(self, parameters: EasiParameters) -> None:
        self.parameters = p = parameters
        word, n = signed(p.bits), range(p.n)
        super().__init__(
            {
                "clk": In(1), "rst": In(1), "in_valid": In(1), "in_ready": Out(1),
                "out_valid": Out(1),
                **{f"x_{j}": In(word) for j in n},
                **{f"y_{i}": Out(word) for i in n},
                **{f"b_{i}_{j}": Out(word) for i in n for j in n},
            }
        )  # fmt: skip

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m, p = Module(), self.parameters
        n, word = range(p.n), signed(p.bits)
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.clk), ResetSignal().eq(self.rst)]
        x = [getattr(self, f"x_{j}") for j in n]
        start = p.start()
        b = [[Signal(word, name=f"m_{i}_{j}", init=start[i][j]) for j in n] for i in n]
        y = [Signal(word, name=f"component_{i}", reset_less=True) for i in n]
        h = [[Signal(word, name=f"h_{i}_{j}", reset_less=True) for j in n] for i in n]
        phase, done = Signal(range(CLOCKS)), Signal()

        def cut(name: str, value: Value) -> Signal:
            return self._saturated(m, name, value >> p.fraction)

        g = [cut(f"cube_{i}", y[i] * cut(f"square_{i}", y[i] * y[i])) for i in n]
        m.d.comb += [self.in_ready.eq(phase == 0), self.out_valid.eq(done)]
        m.d.sync += done.eq(self.in_valid & self.in_ready)
        with m.If(self.in_valid & self.in_ready):
            m.d.sync += phase.eq(1)
            for i in n:
                total = _sum([b[i][j] * x[j] for j in n])
                m.d.sync += y[i].eq(cut(f"dot_{i}", total))
        with m.Elif(phase == 1):
            m.d.sync += phase.eq(2)
            for i in n:
                for j in n:
                    gradient = (
                        ((y[i] * y[j]) >> p.fraction)
                        - Const(p.one if i == j else 0, word)
                        + ((g[i] * y[j]) >> p.fraction)
                        - ((y[i] * g[j]) >> p.fraction)
                    )
                    m.d.sync += h[i][j].eq(self._saturated(m, f"gradient_{i}_{j}", gradient))
        with m.Elif(phase == 2):
            m.d.sync += phase.eq(0)
            half = 1 << (p.rate - 1)
            for i in n:
                for j in n:
                    total = _sum([h[i][k] * b[k][j] for k in n])
                    move = (cut(f"move_{i}_{j}", total) + half) >> p.rate
                    m.d.sync += b[i][j].eq(self._saturated(m, f"next_{i}_{j}", b[i][j] - move))
        for i in n:
            m.d.comb += getattr(self, f"y_{i}").eq(y[i])
            m.d.comb += [getattr(self, f"b_{i}_{j}").eq(b[i][j]) for j in n]
        return m

    def _saturated(self, m: Module, name: str, value: Value) -> Signal:
        bits = self.parameters.bits
        high = (1 << (bits - 1)) - 1
        wide = Signal(value.shape(), name=f"{name}_wide")
        out = Signal(signed(bits), name=name)
        m.d.comb += [
            wide.eq(value),
            out.eq(Choose(wide > high, high, Choose(wide < -high - 1, -high - 1, wide))),
        ]
        return out


def _sum(terms: list[Value]) -> Value:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
