"""Corner turns: back to back they are a queue; around an engine they are its stream of vectors."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from nnlogic.core.bits import random_codes, total_bits
from nnlogic.hw.chain.top import ChainShape, write_chain
from nnlogic.hw.dsp.corner import Places
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.hw.dsp.gather import Gather
from nnlogic.hw.dsp.scatter import Scatter
from nnlogic.hw.dsp.vectors import TurnShape, write_vector_engine
from nnlogic.hw.dsp.verilog import write_engine
from nnlogic.sim.chain.run import run_chain_bench
from tests.backends.dsp.helpers import random_program


class Loop(wiring.Component):
    """Into words of lanes and back, with nothing between."""

    def __init__(self, places: Places, contexts: int, idle: int, order=None) -> None:
        self.places = places
        where = [(r, b) for r in range(places.beats) for b in range(places.banks)]
        self.width = len(where)
        options = {} if order is None else {"order": order}
        self.gather = Gather(
            self.width, places, [(i, *w) for i, w in enumerate(where)], contexts, idle, **options
        )
        self.scatter = Scatter(places, where)
        super().__init__(
            {
                "x": In(self.width), "x_valid": In(1), "x_ready": Out(1),
                "y": Out(self.width), "y_valid": Out(1), "y_ready": In(1),
            }
        )  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        m.submodules.gather, m.submodules.scatter = gather, scatter = self.gather, self.scatter
        m.submodules.lanes = lanes = fifo.SyncFIFOBuffered(width=6, depth=8)
        m.d.comb += [
            gather.data.eq(self.x), gather.valid.eq(self.x_valid), self.x_ready.eq(gather.ready),
            lanes.w_data.eq(gather.lanes), lanes.w_en.eq(gather.lanes_valid),
            gather.lanes_ready.eq(lanes.w_rdy), scatter.lanes.eq(lanes.r_data),
            scatter.lanes_valid.eq(lanes.r_rdy), lanes.r_en.eq(scatter.lanes_ready),
            scatter.beat.eq(gather.beat), scatter.beat_valid.eq(gather.beat_valid),
            gather.beat_ready.eq(scatter.beat_ready),
            self.y.eq(scatter.data), self.y_valid.eq(scatter.valid),
            scatter.ready.eq(self.y_ready),
        ]  # fmt: skip
        return m


def run_loop(loop: Loop, count: int, offer: float, ready: float) -> tuple[list[int], list[int]]:
    rng = random.Random(1)
    sent = [rng.getrandbits(loop.width) for _ in range(count)]
    got: list[int] = []

    async def bench(ctx):
        at, offering = 0, False
        for _ in range(4000):
            offering = offering or (at < count and rng.random() < offer)
            ctx.set(loop.x_valid, offering)
            ctx.set(loop.x, sent[at] if offering else rng.getrandbits(loop.width))
            ctx.set(loop.y_ready, rng.random() < ready)
            if ctx.get(loop.y_valid) and ctx.get(loop.y_ready):
                got.append(ctx.get(loop.y))
            if offering and ctx.get(loop.x_ready):
                at, offering = at + 1, False
            await ctx.tick()
            if len(got) == count:
                return

    simulator = Simulator(loop)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return sent, got


@pytest.mark.parametrize(
    ("beats", "banks", "clocks", "contexts"),
    [(1, 1, 48, 1), (5, 3, 60, 2), (20, 2, 144, 1), (19, 1, 48, 1)],
)
def test_turned_twice_is_what_went_in(beats, banks, clocks, contexts):
    loop = Loop(Places(beats, banks, clocks), contexts, idle=30)
    sent, got = run_loop(loop, 48 * contexts + 7, 0.9, 0.9)
    assert got == sent


def test_exchanged_lanes_exchange_vectors():
    order = [1, 0, *range(2, 48)]
    sent, got = run_loop(Loop(Places(3, 1), 1, 30, order), 50, 1.0, 1.0)
    assert got != sent
    assert got[:2] == sent[1::-1]
    assert got[2:48] == sent[2:48]


def test_places_of_words_are_all_different_and_fit():
    for beats, banks, clocks in ((1, 1, 48), (36, 4, 300), (150, 1, 48), (7, 9, 100), (64, 2, 192)):
        places = Places(beats, banks, clocks)
        found = {places.place(r, b) for r in range(beats) for b in range(banks)}
        assert len(found) == beats * banks
        for column, chunk, word in found:
            assert column < places.columns
            assert word < places.size(chunk) <= places.capacity
        assert sum(places.size(c) for c in range(places.chunks)) == places.words


def bench(folder, program, turn, chain):
    codes = random_codes(program.inputs, 120, seed=4)
    engine = folder / "rtl"
    files = [*write_engine(program, engine), write_vector_engine(turn, engine)]
    files.append(write_chain(chain, engine))
    return run_chain_bench(
        chain.top, files, folder / "sim", inputs=program.inputs, outputs=program.outputs,
        codes=codes, expected=program.evaluate(codes), group=turn.vectors,
        patience=turn.latency(EngineShape.of(program).turnaround) + 2 * turn.idle,
        interval=turn.interval(program.interval), simulator="icarus",
    )  # fmt: skip


@pytest.fixture(scope="module")
def program():
    return random_program(slices=3, contexts=2, n_ops=60)


def chain_of(program, turn):
    widths = (total_bits(program.inputs), total_bits(program.outputs))
    return ChainShape("dut", (turn.stream,), widths, program.inputs, program.outputs)


def test_an_engine_of_two_contexts_behind_a_stream(program, tmp_path):
    turn = TurnShape.of(program)
    result = bench(tmp_path, program, turn, chain_of(program, turn))
    assert [t.message for t in result.tests if not t.passed] == []
    assert result.measured_latency <= turn.latency(EngineShape.of(program).turnaround)
    assert result.measured_interval <= turn.interval(program.interval)
