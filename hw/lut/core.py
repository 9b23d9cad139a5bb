"""The pipelined core: input registers, layer modules, output ports and the valid chain."""

from __future__ import annotations

from amaranth.hdl import Cat, ClockSignal, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.lut.layer import LogicLayer
from nnlogic.hw.lut.structure import CorePlan, Tap, plan_core
from nnlogic.hw.lut_cell import LutCell
from nnlogic.hw.names import Names, name_design


class LogicCore(wiring.Component):
    """A HardwareDesign as gateware: initiation interval 1, latency ``design.latency``.

    Ports are ``in_valid``, ``x_<port>`` ..., ``out_valid``, ``y_<port>`` ...; the clock domain is
    ``sync``, whose reset clears the valid chain only.

    Parameters
    ----------
    design : HardwareDesign
    primitive : LutCell, optional
        Emit nodes as LUT cells of a device.
    external : bool
        Instantiate the layer modules by name instead of building them inside, for output of one
        module at a time.
    """

    def __init__(
        self,
        design: HardwareDesign,
        *,
        primitive: LutCell | None = None,
        external: bool = False,
    ) -> None:
        self.design = design
        self.names: Names = name_design(design)
        self.plan: CorePlan = plan_core(design)
        self.layers = {
            plan.layer: LogicLayer(design.logic, plan, self.names, primitive)
            for plan in self.plan.layers
        }
        self._external = external
        members = {"in_valid": In(1), "out_valid": Out(1)}
        for name, port in zip(self.names.inputs, design.inputs, strict=True):
            members[name] = In(port.format.bits)
        for name, port in zip(self.names.outputs, design.outputs, strict=True):
            members[name] = Out(port.format.bits)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        valid = Signal(self.design.latency, name="valid")
        m.d.sync += valid.eq(Cat(self.in_valid, valid)[: self.design.latency])
        m.d.comb += self.out_valid.eq(valid[-1])
        taps = self._input_taps(m)
        for plan in self.plan.layers:
            for tap in plan.outputs:
                taps[tap] = Signal(name=self._tap_name(tap))
        for plan in self.plan.layers:
            self._place(m, plan.layer, taps)
        at = 0
        for name, port in zip(self.names.outputs, self.design.outputs, strict=True):
            bits = self.plan.outputs[at : at + port.format.bits]
            m.d.comb += getattr(self, name).eq(Cat(taps[t] for t in bits))
            at += port.format.bits
        return m

    def _tap_name(self, tap: Tap) -> str:
        return self.names.taps[tap[0]][tap[1]]

    def _input_taps(self, m: Module) -> dict[Tap, Signal]:
        """Register the input ports, and their bits as often as later segments need them."""
        taps: dict[Tap, Signal] = {}
        signal = 0
        rows = zip(self.names.inputs, self.names.input_registers, self.design.inputs, strict=True)
        for name, register_name, port in rows:
            word: Signal = getattr(self, name)
            if self.design.input_register:
                register = Signal(port.format.bits, name=register_name, reset_less=True)
                m.d.sync += register.eq(word)
                word = register
            for bit in range(port.format.bits):
                previous = word[bit]
                taps[signal, 0] = previous
                for rank in range(1, len(self.names.taps[signal])):
                    tap = Signal(name=self._tap_name((signal, rank)), reset_less=True)
                    m.d.sync += tap.eq(previous)
                    taps[signal, rank] = previous = tap
                signal += 1
        return taps

    def _place(self, m: Module, index: int, taps: dict[Tap, Signal]) -> None:
        layer = self.layers[index]
        plan = layer.plan
        if not self._external:
            m.submodules[self.names.instances[index]] = layer
            for tap in plan.inputs:
                m.d.comb += layer.port(tap).eq(taps[tap])
            for tap in plan.outputs:
                m.d.comb += taps[tap].eq(layer.port(tap))
            return
        pins = {f"i_{self._tap_name(t)}": taps[t] for t in plan.inputs}
        pins |= {f"o_{self._tap_name(t)}": taps[t] for t in plan.outputs}
        if layer.clocked:
            pins["i_clk"] = ClockSignal()
        m.submodules[self.names.instances[index]] = Instance(self.names.modules[index], **pins)
