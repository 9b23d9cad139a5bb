"""The logic unit as a component: a DSP48E1, a DSP48E2, or the same function in LUTs."""

from __future__ import annotations

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.hw.dsp.logic_unit import LANES, OPCODE_BITS
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.hw.slices import CASCADES, CELLS, PARAMETERS, RESETS, Cell

SLICE_LATENCY = 2
"""Clocks from operands and opcode to the result: input registers, result register."""

ENABLED = ("CEA2", "CEB2", "CEC", "CECTRL", "CEALUMODE", "CEP")
DISABLED = ("CEA1", "CEB1", "CEAD", "CECARRYIN", "CED", "CEINMODE", "CEM")


class LogicSlice(wiring.Component):
    """One bitwise operation on 48 lanes per clock, after `SLICE_LATENCY` clocks.

    Ports: ``x`` and ``z`` (operands, 48 bits), ``opcode`` (``{OPMODE[3], ALUMODE[3:0]}``, sampled
    with them), ``p`` (result). No reset: what comes out before the first operation is unused.

    Parameters
    ----------
    kind : {"dsp48e1", "dsp48e2", "fabric"}
        ``"fabric"`` is ordinary LUTs and flip-flops with the same function and latency.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(
            {"x": In(LANES), "z": In(LANES), "opcode": In(OPCODE_BITS), "p": Out(LANES)}
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        if self.kind == FABRIC:
            self._fabric(m)
        else:
            m.submodules.dsp = self._instance(CELLS[self.kind])
        return m

    def _instance(self, cell: Cell) -> Instance:
        opmode = Cat(Const(0b011, 3), self.opcode[4], Const(0b011, cell.opmode_bits - 4))
        inputs: dict[str, Value] = {
            "CLK": ClockSignal(),
            "A": self.x[18:],
            "B": self.x[:18],
            "C": self.z,
            "OPMODE": opmode,
            "ALUMODE": self.opcode[:4],
            "INMODE": Const(0, 5),
            "CARRYIN": Const(0, 1),
            "CARRYINSEL": Const(0, 3),
            # The user guides ask for ones on an unused D, for least power.
            "D": Const(-1, cell.d_bits),
            **{name: Const(1, 1) for name in ENABLED},
            **{name: Const(0, 1) for name in (*DISABLED, *RESETS)},
            **{name: Const(0, bits) for name, bits in CASCADES.items()},
        }
        return Instance(
            cell.name,
            **{f"p_{name}": value for name, value in (PARAMETERS | cell.parameters).items()},
            **{f"i_{name}": value for name, value in inputs.items()},
            o_P=self.p,
        )

    def _fabric(self, m: Module) -> None:
        x, z, p = (Signal(LANES, name=f"{name}_q", reset_less=True) for name in "xzp")
        opcode = Signal(OPCODE_BITS, name="opcode_q", reset_less=True)
        m.d.sync += [x.eq(self.x), z.eq(self.z), opcode.eq(self.opcode)]
        # The DSP's own structure, so that every opcode means the same: Z optionally inverted,
        # sum or majority with Y, result optionally inverted. ALUMODE[2] is one in logic modes.
        zi, y, core = (Signal(LANES, name=name) for name in ("zi", "y", "core"))
        m.d.comb += [zi.eq(z ^ opcode[0].replicate(LANES)), y.eq(opcode[4].replicate(LANES))]
        with m.If(opcode[3]):
            m.d.comb += core.eq((x & zi) | (x & y) | (y & zi))
        with m.Else():
            m.d.comb += core.eq(x ^ y ^ zi)
        m.d.sync += p.eq(core ^ opcode[1].replicate(LANES))
        m.d.comb += self.p.eq(p)
