"""cocotb test that a reset which spares one register is noticed; run inside the simulator."""

from __future__ import annotations

from typing import Any

import cocotb

from nnlogic.sim.dsp.kernels_bench import Bench, start

PARTS = 5
FULL = (1.0, 1.0, 1.0)


async def interrupted(bench: Bench, stop: int, blocked: bool) -> None:
    """Run for `stop` clocks; then, when blocked, until outputs wait in every buffer."""
    host = bench.config.new_host()
    for kernel in range(host.kernels):
        bench.packets.beats.extend(host.packet(kernel))
    end = bench.clock + stop
    for kernel in range(host.kernels):
        bench.expect(host, kernel)
        while bench.clock < end and len(bench.got) < bench.wanted:
            await bench.cycle(*FULL)
        if bench.clock >= end:
            break
        host.take(kernel, bench.got)
        bench.got = []
    for _ in range(blocked * bench.config.visits[bench.kernel]):
        await bench.cycle(1.0, 1.0, 0.0)


async def noticed(bench: Bench, spared: int, stop: int, blocked: bool) -> str:
    """Reset in mid-program with one register spared; return what the next pass shows."""
    bench.dut.keep.value = 0
    await bench.reset()
    await interrupted(bench, stop, blocked)
    bench.dut.keep.value = 1 << spared if spared >= 0 else 0
    try:
        await bench.reset()
        bench.dut.keep.value = 0
        clocks = await bench.check(FULL, ahead=False)
        # A buffer that is thought to be in use only costs time.
        assert clocks == bench.config.visits, "late"
    except AssertionError as error:
        return str(error) or "wrong"
    return ""


@cocotb.test()
async def spared_registers_are_noticed(dut: Any) -> None:
    """For each register, resets all through both kernels; what the bench said, or nothing."""
    dut.keep.value = 0
    bench = await start(dut)
    packet, (first, second) = len(bench.config.new_host().packet(0)), bench.config.visits
    plan = [(stop, False) for stop in (packet // 2, packet + 2, packet + 3)]
    plan += [(packet + part * (first - packet) // PARTS, part % 2 == 1) for part in range(1, PARTS)]
    plan += [(first + part * second // PARTS, part % 2 == 1) for part in range(1, PARTS)]
    for stop, blocked in plan:
        assert not await noticed(bench, -1, stop, blocked)
    seen = []
    for register in range(len(dut.keep)):
        said = ""
        for stop, blocked in plan:
            said = said or await noticed(bench, register, stop, blocked)
        seen.append(said)
    bench.config.measure(faults={str(i): said for i, said in enumerate(seen)})
