"""The pipelined core: input registers, instances of the layer modules, outputs, valid chain."""

from __future__ import annotations

from amaranth.hdl import Cat, ClockSignal, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.lut.structure import CorePlan, Tap, plan_core
from nnlogic.hw.names import Names, name_design


class LogicCore(wiring.Component):
    """A HardwareDesign as gateware: initiation interval 1, latency ``design.latency``.

    Ports are ``in_valid``, ``x_<port>`` ..., ``out_valid``, ``y_<port>`` ...; the clock domain is
    ``sync``, whose reset clears the valid chain only. The modules of the layers are instantiated
    by name; `nnlogic.hw.lut.layer` writes them.

    Parameters
    ----------
    design : HardwareDesign
    """

    def __init__(self, design: HardwareDesign) -> None:
        self.design = design
        self.names: Names = name_design(design)
        self.plan: CorePlan = plan_core(design)
        members = {"in_valid": In(1)}
        for name, port in zip(self.names.inputs, design.inputs, strict=True):
            members[name] = In(port.format.bits)
        members["out_valid"] = Out(1)
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
        words: dict[int, Signal] = {}
        for plan in self.plan.layers:
            word = Signal(len(plan.outputs), name=self.names.words[plan.layer])
            words[plan.layer] = word
            taps |= zip(plan.outputs, word, strict=True)
        for plan in self.plan.layers:
            pins = {
                f"i_{self.names.words[source]}": Cat(taps[t] for t in read)
                for source, read in plan.sources
            }
            pins[f"o_{self.names.words[plan.layer]}"] = words[plan.layer]
            if plan.clocked:
                pins["i_clk"] = ClockSignal()
            m.submodules[self.names.instances[plan.layer]] = Instance(
                self.names.modules[plan.layer], **pins
            )
        at = 0
        for name, port in zip(self.names.outputs, self.design.outputs, strict=True):
            bits = self.plan.outputs[at : at + port.format.bits]
            m.d.comb += getattr(self, name).eq(Cat(taps[t] for t in bits))
            at += port.format.bits
        return m

    def _input_taps(self, m: Module) -> dict[Tap, Signal]:
        """Register what is read of the input ports, as often as later segments need it."""
        taps: dict[Tap, Signal] = {}
        signal = 0
        rows = zip(self.names.inputs, self.names.input_registers, self.design.inputs, strict=True)
        for name, register_name, port in rows:
            word: Signal = getattr(self, name)
            bits = range(signal, signal + port.format.bits)
            read = [self.design.last_use[i] >= 0 for i in bits]
            if self.design.input_register and all(read):
                register = Signal(port.format.bits, name=register_name, reset_less=True)
                m.d.sync += register.eq(word)
                word = register
            for bit, i in enumerate(bits):
                taps[i, 0] = previous = word[bit]
                # Of a word that is read in part, only the bits that are read have registers.
                alone = self.design.input_register and read[bit] and not all(read)
                for rank in range(0 if alone else 1, len(self.names.taps[i])):
                    tap = Signal(name=self.names.taps[i][rank], reset_less=True)
                    m.d.sync += tap.eq(previous)
                    taps[i, rank] = previous = tap
            signal = bits.stop
        return taps
