"""Multiply-accumulate core: cascades of DSP slices with constant weights, one row per clock."""

from __future__ import annotations

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.backends.mac.model.ir import (
    B_BITS,
    CASCADE,
    P_BITS,
    AddSlice,
    MacNet,
    MacSlice,
    SliceChain,
)
from nnlogic.hw.names import port_names
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.hw.slices import CASCADES, CELLS, PARAMETERS, RESETS, Cell

ENABLED = ("CEA2", "CEB2", "CEC", "CEP", "CECTRL", "CEALUMODE", "CEINMODE")
DISABLED = ("CEAD", "CECARRYIN", "CED")
A_PORT = 30
M, AB, AB_C = 0b0101, 0b0011, 0b1111
"""OPMODE 3..0: X and Y take the product; or X takes A:B, and Y 0 or port C."""
Z_PCIN, Z_C = 0b001, 0b011
"""OPMODE 6..4: Z takes the cascade, or port C."""
ADD, SUBTRACT = 0b0000, 0b0011
"""ALUMODE: Z + X + Y, or Z - (X + Y); the carry input is 0."""


class MacCore(wiring.Component):
    """A MacNet as gateware: initiation interval 1, latency ``mac.latency``.

    Ports are ``in_valid``, ``x_<port>`` ..., ``out_valid``, ``y_<port>`` ...; the reset of the
    clock domain clears the valid chain only.

    Parameters
    ----------
    mac : MacNet
        Verified; its kind chooses DSP48E1, DSP48E2, or ordinary LUTs and flip-flops.
    """

    def __init__(self, mac: MacNet) -> None:
        self.mac = mac
        x_names, y_names = port_names(mac)
        self._x = tuple(x_names.values())
        self._y = tuple(y_names.values())
        members = {"in_valid": In(1), "out_valid": Out(1)}
        members |= {n: In(p.format.bits) for n, p in zip(self._x, mac.inputs, strict=True)}
        members |= {n: Out(p.format.bits) for n, p in zip(self._y, mac.outputs, strict=True)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        valid = Signal(self.mac.latency, name="valid")
        m.d.sync += valid.eq(Cat(self.in_valid, valid)[: self.mac.latency])
        m.d.comb += self.out_valid.eq(valid[-1])
        rows = [self._delays(m, wire) for wire in range(len(self.mac.inputs))]
        sums = [self._chain(m, i, chain, rows) for i, chain in enumerate(self.mac.chains)]
        for name, (i, field) in zip(self._y, self.mac.fields, strict=True):
            m.d.comb += getattr(self, name).eq(sums[i][field.shift : field.shift + field.bits])
        return m

    def _delays(self, m: Module, wire: int) -> list[Value]:
        """An input after 0, 1, 2 ... registers."""
        port = self.mac.inputs[wire]
        delays = [
            d for (w, _), d in zip(self.mac.input_bits, self.mac.delays, strict=True) if w == wire
        ]
        taps: list[Value] = [getattr(self, self._x[wire])]
        for d in range(1, max(delays) + 1):
            # A bit that nothing reads so late has no register.
            kept = [b for b, most in enumerate(delays) if most >= d]
            tap = Signal(len(kept), name=f"{self._x[wire]}_d{d}", reset_less=True)
            m.d.sync += tap.eq(Cat(taps[-1][b] for b in kept))
            at = {b: tap[i] for i, b in enumerate(kept)}
            taps.append(Cat(at.get(b, Const(0, 1)) for b in range(port.format.bits)))
        return taps

    def _operand(self, s: MacSlice, rows: list[list[Value]]) -> Value:
        """Port B of a slice: the input, 18 signed bits."""
        tap = rows[s.wire][s.delay]
        if self.mac.inputs[s.wire].format.signed:
            return tap.as_signed()
        return Cat(tap, Const(0, 1)).as_signed()

    def _word(self, bits: tuple[int, ...], delay: int, rows: list[list[Value]]) -> Value:
        """A word wired from input bits."""
        parts: list[Value] = []
        for number in bits:
            wire, b = self.mac.input_bits[number]
            parts.append(rows[wire][delay][b] if number >= 0 else Const(0, 1))
        return Cat(*parts, Const(0, P_BITS - len(parts)))

    def _chain(self, m: Module, index: int, chain: SliceChain, rows: list[list[Value]]) -> Value:
        """Place the slices of a chain and return P of the last one."""
        c: Value = Const(chain.constant, P_BITS)
        p = pcin = Const(0, P_BITS)
        for k, s in enumerate(chain.slices):
            name = f"chain{index}_slice{k}"
            ports: dict[str, Value] = {}
            if isinstance(s, MacSlice):
                b = Signal(B_BITS, name=f"{name}_b")
                m.d.comb += b.eq(self._operand(s, rows))
                ports = {"A": Const(s.weight % (1 << A_PORT), A_PORT), "B": b}
            else:
                ab = Signal(P_BITS, name=f"{name}_ab")
                m.d.comb += ab.eq(self._word(s.ab, s.delay, rows))
                ports = {"A": ab[B_BITS:], "B": ab[:B_BITS]}
                if s.c:
                    ports["C"] = word = Signal(P_BITS, name=f"{name}_c")
                    m.d.comb += word.eq(self._word(s.c, s.delay + s.reg - 1, rows))
            if s.addend == CASCADE:
                ports["PCIN"] = pcin
            else:
                ports["C"] = c if k == 0 else p
            out = Signal(P_BITS, name=f"{name}_p")
            if self.mac.slice_kind == FABRIC:
                _in_fabric(m, s, name, ports, out, constant=k == 0)
                pcin = p = out
            else:
                cascade = Signal(P_BITS, name=f"{name}_pcout")
                cell = CELLS[self.mac.slice_kind]
                m.submodules[name] = _instance(cell, s, ports, out, cascade)
                p, pcin = out, cascade
        return p


def _delayed(m: Module, value: Value, clocks: int, name: str) -> Value:
    for i in range(clocks):
        stage = Signal(len(value), name=f"{name}{i}", reset_less=True)
        m.d.sync += stage.eq(value)
        value = stage
    return value


def _in_fabric(
    m: Module,
    s: MacSlice | AddSlice,
    name: str,
    ports: dict[str, Value],
    out: Signal,
    constant: bool,
) -> None:
    """Do with LUTs what a slice does, register for register."""
    # A register behind a constant is the constant.
    c = ports.get("C", Const(0, P_BITS))
    c = c if constant else _delayed(m, c, 1, f"{name}_creg") if "C" in ports else c
    total = Signal(P_BITS, name=f"{name}_q", reset_less=True)
    if isinstance(s, MacSlice):
        b = _delayed(m, ports["B"], s.breg, f"{name}_breg").as_signed()
        product = Signal(P_BITS, name=f"{name}_m", reset_less=True)
        m.d.sync += [product.eq(b * s.weight), total.eq(product + ports.get("PCIN", c))]
    else:
        x = _delayed(m, Cat(ports["B"], ports["A"]), s.reg, f"{name}_abreg")
        z, y = (ports["PCIN"], c) if s.addend == CASCADE else (c, Const(0, P_BITS))
        m.d.sync += total.eq(z - (x + y) if s.negative else z + (x + y))
    m.d.comb += out.eq(total)


def _instance(
    cell: Cell, s: MacSlice | AddSlice, ports: dict[str, Value], p: Signal, pcout: Signal
) -> Instance:
    """One DSP slice: ``P = Z + A * B``, or ``Z + A:B + C``, or ``Z - (A:B + C)``."""
    parameters = PARAMETERS | cell.parameters
    multiplies = isinstance(s, MacSlice)
    if isinstance(s, MacSlice):
        # A is constant, so one register is enough.
        parameters |= {"USE_MULT": "MULTIPLY", "MREG": 1}
        reg, low, mode = s.breg, M, ADD
    else:
        parameters |= {"AREG": s.reg, "ACASCREG": s.reg}
        reg, mode = s.reg, SUBTRACT if s.negative else ADD
        low = AB_C if s.addend == CASCADE else AB
    parameters |= {"BREG": reg, "BCASCREG": reg}
    z = Z_PCIN if s.addend == CASCADE else Z_C
    inputs: dict[str, Value] = {
        "CLK": ClockSignal(),
        "C": Const(0, P_BITS),
        "OPMODE": Const(z << 4 | low, cell.opmode_bits),
        "ALUMODE": Const(mode, 4),
        "INMODE": Const(0, 5),
        "CARRYIN": Const(0, 1),
        "CARRYINSEL": Const(0, 3),
        "CEA1": Const(int(reg == 2 and not multiplies), 1),
        "CEB1": Const(int(reg == 2), 1),
        "CEM": Const(int(multiplies), 1),
        # The user guides ask for ones on an unused D, for least power.
        "D": Const(-1, cell.d_bits),
        **{name: Const(1, 1) for name in ENABLED},
        **{name: Const(0, 1) for name in (*DISABLED, *RESETS)},
        **{name: Const(0, bits) for name, bits in CASCADES.items()},
        **ports,
    }
    return Instance(
        cell.name,
        **{f"p_{name}": value for name, value in parameters.items()},
        **{f"i_{name}": value for name, value in inputs.items()},
        o_P=p,
        o_PCOUT=pcout,
    )
