from amaranth.sim import Simulator
from helpers_logic import layered_net, reference

from nnlogic.core.bits import random_codes
from nnlogic.design.build import build
from nnlogic.design.cycle import CycleModel
from nnlogic.hw.lut.core import LogicCore


def test_component_follows_the_cycle_model_through_bubbles_and_reset():
    design = build(layered_net(), schedule=1)
    codes = random_codes(design.inputs, 50, seed=6)
    want = reference(design.logic, codes)
    core, model = LogicCore(design), CycleModel(design)
    results = []

    async def bench(ctx):
        for cycle in range(60):
            valid = cycle % 3 != 1 and cycle < 50
            row = codes[cycle % 50]
            ctx.set(core.in_valid, valid)
            for name, port, value in zip(core.names.inputs, design.inputs, row, strict=True):
                ctx.set(getattr(core, name), int(port.format.to_raw(value)))
            out_valid, outputs = model.step(valid, row)
            assert ctx.get(core.out_valid) == out_valid
            if out_valid:
                results.append(cycle - design.latency)
                for name, port, value in zip(
                    core.names.outputs, design.outputs, outputs, strict=True
                ):
                    assert ctx.get(getattr(core, name)) == port.format.to_raw(value)
                assert (outputs == want[cycle - design.latency]).all()
            await ctx.tick()

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert results == [c for c in range(50) if c % 3 != 1]
