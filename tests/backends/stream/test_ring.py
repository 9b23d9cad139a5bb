"""Counters that are shift registers: as many states as they should have, one after another."""

import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from nnlogic.hw.stream.ring import TAPS, Binary, Cycle, Ring


def visited(ring, clocks):
    """States of a ring, and the counts that it says it has."""
    m = Module()
    m.d.sync += ring.state.eq(ring.after)
    counts = [ring.at(i) for i in range(ring.count)]
    found = []

    async def bench(ctx):
        for _ in range(clocks):
            said = [i for i, value in enumerate(counts) if ctx.get(value)]
            found.append((ctx.get(ring.state), said))
            await ctx.tick()

    sim = Simulator(m)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
    return found


@pytest.mark.parametrize("kind", [Ring, Binary])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 14, 16, 28, 31, 32, 33])
def test_it_counts(kind, count):
    found = visited(kind(count, "ring"), 2 * count + 1)
    assert [said for _, said in found] == [[i % count] for i in range(2 * count + 1)]
    assert len({state for state, _ in found}) == count


@pytest.mark.parametrize("bits", range(1, 17))
def test_registers_of_every_length_have_every_period(bits):
    most = 1 << bits
    for count in {most // 2 + 1, most // 2 + 2, 3 * most // 4, most - 2, most - 1, most} - {0}:
        if most // 2 < count <= most:
            cycle = Cycle.of(count)
            assert cycle.bits == bits
            assert len(set(cycle.states)) == count
            taps = sum(1 << tap - 1 for tap in TAPS[bits])
            for state, after in zip(
                cycle.states, (*cycle.states[1:], cycle.states[0]), strict=True
            ):
                enters = (state & taps).bit_count() + (state in cycle.turns) & 1
                assert (state << 1 | enters) & most - 1 == after


def test_many_values_are_told_by_the_few_others():
    ring = Ring(28, "ring")
    assert visited(ring, 1)[0][1] == [0]
    few, many = ring.at(3, 99, -1), ring.at(*(i for i in range(28) if i != 3))
    m = Module()
    m.d.sync += ring.state.eq(ring.after)

    async def bench(ctx):
        for i in range(28):
            assert ctx.get(few) == (i == 3)
            assert ctx.get(many) == (i != 3)
            await ctx.tick()

    sim = Simulator(m)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
