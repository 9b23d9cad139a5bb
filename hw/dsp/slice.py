"""The logic unit as a component: a DSP48E1, a DSP48E2, or the same function in LUTs."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.core.errors import UsageError
from nnlogic.hw.dsp.logic_unit import LANES, OPCODE_BITS

SLICE_LATENCY = 2
"""Clocks from operands and opcode to the result: input registers, result register."""

DSP48E1, DSP48E2, FABRIC = "dsp48e1", "dsp48e2", "fabric"


@dataclass(frozen=True)
class Cell:
    """What sets the two generations of the DSP cell apart, in the modes used here.

    Attributes
    ----------
    name : str
    d_bits, opmode_bits : int
        Widths of ports D and OPMODE.
    parameters : dict of str to (int or str)
        Parameters this generation has and the other lacks.
    """

    name: str
    d_bits: int
    opmode_bits: int
    parameters: dict[str, int | str | Const]


CELLS = {
    DSP48E1: Cell("DSP48E1", 25, 7, {"USE_DPORT": "FALSE"}),
    DSP48E2: Cell(
        "DSP48E2",
        27,
        9,
        {
            "AMULTSEL": "A",
            "BMULTSEL": "B",
            "PREADDINSEL": "A",
            "AUTORESET_PRIORITY": "RESET",
            "RND": Const(0, 48),
            "USE_WIDEXOR": "FALSE",
            "XORSIMD": "XOR24_48_96",
        },
    ),
}

# A, B, C, OPMODE, ALUMODE and P are registered once. The multiplier is off, which asks for
# MREG = 0. Registers of unused inputs are present and never enabled: they do not toggle.
PARAMETERS: dict[str, int | str | Const] = {
    **dict.fromkeys(("AREG", "BREG", "CREG", "PREG", "ACASCREG", "BCASCREG"), 1),
    **dict.fromkeys(("OPMODEREG", "ALUMODEREG", "CARRYINREG", "CARRYINSELREG"), 1),
    **dict.fromkeys(("INMODEREG", "ADREG", "DREG"), 1),
    "MREG": 0,
    "USE_MULT": "NONE",
    "USE_SIMD": "ONE48",
    "A_INPUT": "DIRECT",
    "B_INPUT": "DIRECT",
    "USE_PATTERN_DETECT": "NO_PATDET",
    "AUTORESET_PATDET": "NO_RESET",
    "SEL_MASK": "MASK",
    "SEL_PATTERN": "PATTERN",
    "MASK": Const(0x3FFF_FFFF_FFFF, 48),
    "PATTERN": Const(0, 48),
}
ENABLED = ("CEA2", "CEB2", "CEC", "CECTRL", "CEALUMODE", "CEP")
DISABLED = ("CEA1", "CEB1", "CEAD", "CECARRYIN", "CED", "CEINMODE", "CEM")
RESETS = (
    *("RSTA", "RSTB", "RSTC", "RSTD", "RSTM", "RSTP"),
    *("RSTCTRL", "RSTALUMODE", "RSTALLCARRYIN", "RSTINMODE"),
)
CASCADES = {"ACIN": 30, "BCIN": 18, "PCIN": 48, "CARRYCASCIN": 1, "MULTSIGNIN": 1}


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


def check_kind(kind: str) -> str:
    """Return `kind`.

    Raises
    ------
    UsageError
        Not a kind of slice.
    """
    kinds = (*CELLS, FABRIC)
    if kind not in kinds:
        raise UsageError(f"no slice called {kind!r}", fix=f"choose one of {', '.join(kinds)}")
    return kind
