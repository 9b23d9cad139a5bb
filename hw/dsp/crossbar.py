"""The operand multiplexers, in the shape in which a LUT6 holds most of them."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Instance, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.hw.dsp.logic_unit import LANES

WAYS = 4


class Four(wiring.Component):
    """A four-to-one multiplexer: one LUT6 per lane.

    A module of its own, because Yosys maps a wide tree as a whole to nearly twice the LUTs:
    5 instead of 3 per lane for 9 sources, 11 instead of 6 for 18.
    """

    def __init__(self) -> None:
        inputs = {f"i{way}": In(LANES) for way in range(WAYS)}
        super().__init__({**inputs, "select": In(2), "o": Out(LANES)})

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        low = Mux(self.select[0], self.i1, self.i0)
        high = Mux(self.select[0], self.i3, self.i2)
        m.d.comb += self.o.eq(Mux(self.select[1], high, low))
        return m


def choose(
    m: Module, name: str, select: Value, sources: Sequence[Value], *, four: str = ""
) -> Value:
    """Return the source with number `select`; beyond the last, any of them.

    Parameters
    ----------
    m : Module
        Receives the parts.
    name : str
        Prefix of their names.
    select : Value
        As many bits as an index of the sources has.
    sources : sequence of Value
        48 bits each.
    four : str
        Name of a module made from `Four` elsewhere, to instantiate instead of one built here:
        an engine holds hundreds, and tools work on each module anew.
    """
    level = 0
    while len(sources) > WAYS:
        groups = [sources[at : at + WAYS] for at in range(0, len(sources), WAYS)]
        chosen: list[Value] = []
        for i, group in enumerate(groups):
            if len(group) < WAYS:
                chosen.append(_few(select[:2], group))
                continue
            out = Signal(LANES, name=f"{name}_{level}_{i}_o")
            _place(m, f"{name}_{level}_{i}", four, select[:2], group, out)
            chosen.append(out)
        sources, select, level = chosen, select[2:], level + 1
    return _few(select, sources)


def _place(
    m: Module, name: str, four: str, select: Value, group: Sequence[Value], out: Signal
) -> None:
    """Add one `Four`."""
    inputs = {f"i{way}": source for way, source in enumerate(group)}
    if four:
        pins = {f"i_{port}": value for port, value in inputs.items()}
        m.submodules[name] = Instance(four, i_select=select, o_o=out, **pins)
        return
    m.submodules[name] = unit = Four()
    m.d.comb += [unit.select.eq(select), out.eq(unit.o)]
    m.d.comb += [getattr(unit, port).eq(value) for port, value in inputs.items()]


def _few(select: Value, sources: Sequence[Value]) -> Value:
    """Choose among at most four."""
    if len(sources) == 1:
        return sources[0]
    low = Mux(select[0], sources[1], sources[0])
    if len(sources) == 2:
        return low
    high = Mux(select[0], sources[3], sources[2]) if len(sources) == WAYS else sources[2]
    return Mux(select[1], high, low)
