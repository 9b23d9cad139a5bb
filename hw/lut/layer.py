"""A layer of LUTs with the pipeline registers of the signals it defines."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.hw.lut.expression import expression, to_value
from nnlogic.hw.lut.primitives import lut_instance
from nnlogic.hw.lut.structure import LayerPlan, Tap
from nnlogic.hw.lut_cell import LutCell
from nnlogic.hw.names import Names
from nnlogic.logic.ir import LogicNet


class LogicLayer(wiring.Component):
    """One Verilog module per layer: a named signal per node, then its register ranks.

    Parameters
    ----------
    logic : LogicNet
    plan : LayerPlan
    names : Names
    primitive : LutCell, optional
        Emit each node as an instance of a device's LUT instead of an expression.
    """

    def __init__(
        self, logic: LogicNet, plan: LayerPlan, names: Names, primitive: LutCell | None = None
    ) -> None:
        self._logic, self.plan, self._names, self._primitive = logic, plan, names, primitive
        members = {self._name(t): In(1) for t in plan.inputs}
        members |= {self._name(t): Out(1) for t in plan.outputs}
        super().__init__(members)

    @property
    def clocked(self) -> bool:
        """Whether any register lives here."""
        n_in = self._logic.n_inputs
        return any(len(self._names.taps[n_in + node]) > 1 for node in self.plan.nodes)

    def port(self, tap: Tap) -> Signal:
        """Return the member that carries a tap."""
        return getattr(self, self._name(tap))

    def _name(self, tap: Tap) -> str:
        return self._names.taps[tap[0]][tap[1]]

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        n_in = self._logic.n_inputs
        # Members of a signature cannot be reset-less, so each register is a signal of its own.
        at: dict[Tap, Signal] = {t: self.port(t) for t in self.plan.inputs}
        for node, taps in zip(self.plan.nodes, self.plan.fanins, strict=True):
            signal = n_in + node
            for rank, name in enumerate(self._names.taps[signal]):
                at[signal, rank] = Signal(name=name, reset_less=True)
                if rank:
                    m.d.sync += at[signal, rank].eq(at[signal, rank - 1])
            self._emit(m, node, at[signal, 0], [at[t] for t in taps])
        for tap in self.plan.outputs:
            m.d.comb += self.port(tap).eq(at[tap])
        return m

    def _emit(self, m: Module, node: int, out: Signal, inputs: list[Signal]) -> None:
        table = int(self._logic.tables[node])
        if self._primitive is not None and inputs:
            name = f"lut_{out.name}"
            m.submodules[name] = lut_instance(self._primitive, table, list(inputs), out)
        else:
            m.d.comb += out.eq(to_value(expression(table, len(inputs)), inputs))
