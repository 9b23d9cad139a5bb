"""cocotb tests of the core and of the stream wrapper; run inside the simulator.

The bench drives the clock itself: inputs change while the clock is low, everything is sampled
just before it rises, so that no simulator's event order matters. The file named by
``NNLOGIC_BENCH`` holds the rows and what must come out.
"""

from __future__ import annotations

import json
import os
import random
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

from nnlogic.sim.signals import HALF_PERIOD_NS, number


@dataclass(frozen=True)
class Config:
    """Rows as integers (see `nnlogic.sim.harness.row_words`), and what the design promises."""

    rows: list[int]
    expected: list[int]
    latency: int
    stream: bool
    seed: int
    measured: Path
    beside: int

    @staticmethod
    def load() -> Config:
        """Read the file named by the environment."""
        data = json.loads(Path(os.environ["NNLOGIC_BENCH"]).read_text())
        rows = [int(r, 16) for r in data["rows"]]
        expected = [int(r, 16) for r in data["expected"]]
        measured = Path(data["measured"])
        return Config(
            rows, expected, data["latency"], data["wrapped"], data["seed"], measured,
            data.get("beside", 0),
        )  # fmt: skip

    def side(self, row: int) -> int:
        """Return what passes beside the data of a row."""
        return random.Random(row).getrandbits(self.beside) if self.beside else 0

    def measure(self, **values: int) -> None:
        """Add measured values to the result file."""
        old = json.loads(self.measured.read_text()) if self.measured.exists() else {}
        self.measured.write_text(json.dumps({**old, **values}))


class Core:
    """The core under test, with a cycle-exact model of what must come out."""

    def __init__(self, dut: Any, config: Config) -> None:
        self.dut, self.config = dut, config
        self.pipe: deque[int | None] = deque([None] * config.latency)
        self.known = False
        self.clock = 0
        self.outputs: list[int] = []  # clocks at which a row came out

    async def cycle(self, row: int | None, *, reset: bool = False) -> None:
        """Run one clock with a row of `config.rows`, or a bubble; check the outputs before it."""
        dut, config = self.dut, self.config
        dut.clk.value = 0
        dut.rst.value = int(reset)
        dut.in_valid.value = int(row is not None)
        # Data of a bubble is noise: it must not come out as valid.
        width = len(dut.x)
        dut.x.value = random.getrandbits(width) if row is None else config.rows[row]
        await Timer(HALF_PERIOD_NS, "ns")
        if self.known:
            due = self.pipe[-1]
            got = number(dut.out_valid, "out_valid")
            assert got == (due is not None), f"clock {self.clock}: out_valid is {got}"
            if due is not None:
                value = number(dut.y, f"y for row {due}")
                want = config.expected[due]
                assert value == want, f"row {due}: expected {want:#x}, got {value:#x}"
                self.outputs.append(self.clock)
        self.pipe.pop()
        self.pipe.appendleft(row)
        if reset:
            self.pipe = deque([None] * config.latency)
            self.known = True
        dut.clk.value = 1
        await Timer(HALF_PERIOD_NS, "ns")
        self.clock += 1

    async def drain(self) -> None:
        """Run bubbles until everything in flight has come out."""
        for _ in range(self.config.latency + 2):
            await self.cycle(None)


async def start_core(dut: Any) -> Core:
    """Reset the core for one clock, which must be enough."""
    config = Config.load()
    random.seed(config.seed)
    core = Core(dut, config)
    await core.cycle(None, reset=True)
    return core


@cocotb.test()
async def core_latency_and_interval(dut: Any) -> None:
    """One row alone gives the latency; rows back to back give the initiation interval."""
    core = await start_core(dut)
    config = core.config
    at = core.clock
    await core.cycle(0)
    await core.drain()
    latency = core.outputs[0] - at
    count = min(64, len(config.rows))
    begin = len(core.outputs)
    for row in range(count):
        await core.cycle(row)
    await core.drain()
    times = core.outputs[begin:]
    gaps = {b - a for a, b in pairwise(times)} or {1}
    config.measure(latency=latency, interval=max(gaps))
    assert latency == config.latency, f"latency {latency}, the design says {config.latency}"
    assert gaps == {1}, f"initiation interval {sorted(gaps)}, the design says 1"


@cocotb.test()
async def core_rows(dut: Any) -> None:
    """Every row, back to back, bit for bit."""
    core = await start_core(dut)
    for row in range(len(core.config.rows)):
        await core.cycle(row)
    await core.drain()
    assert len(core.outputs) == len(core.config.rows)


@cocotb.test()
async def core_bubbles(dut: Any) -> None:
    """Rows with random gaps."""
    core = await start_core(dut)
    rows = min(500, len(core.config.rows))
    row = 0
    while row < rows:
        offer = random.random() < 0.6
        await core.cycle(row if offer else None)
        row += offer
    await core.drain()
    assert len(core.outputs) == rows


@cocotb.test()
async def core_reset_in_mid_stream(dut: Any) -> None:
    """A reset of one clock drops what is in flight and the row offered with it, nothing else."""
    core = await start_core(dut)
    rows = len(core.config.rows)
    for _ in range(5):
        for i in range(core.config.latency + 3):
            await core.cycle(i % rows)
        await core.cycle(0, reset=True)
        for i in range(random.randrange(3)):
            await core.cycle(i % rows)
        await core.drain()


class Stream:
    """The stream wrapper under test, with a scoreboard."""

    def __init__(self, dut: Any, config: Config) -> None:
        self.dut, self.config = dut, config
        self.mask = (1 << max(len(dut.y), 1)) - 1
        self.pending: deque[int] = deque()
        self.held: int | None = None
        self.clock = 0
        self.accepted: list[int] = []
        self.delivered: list[int] = []

    async def cycle(self, row: int | None, ready: bool, *, reset: bool = False) -> bool:
        """Run one clock; return whether the row offered was taken."""
        dut, config = self.dut, self.config
        dut.aclk.value = 0
        dut.aresetn.value = int(not reset)
        dut.s_axis_tvalid.value = int(row is not None)
        width = len(dut.s_axis_tdata)
        dut.s_axis_tdata.value = random.getrandbits(width) if row is None else config.rows[row]
        if config.beside:
            side = random.getrandbits(config.beside) if row is None else config.side(row)
            dut.s_axis_side.value = side
        dut.m_axis_tready.value = int(ready)
        await Timer(HALF_PERIOD_NS, "ns")
        taken = False
        if not reset:
            if number(dut.m_axis_tvalid, "m_axis_tvalid"):
                data = number(dut.m_axis_tdata, "m_axis_tdata")
                assert self.held in (None, data), "m_axis_tdata changed while it waited"
                assert self.pending, f"clock {self.clock}: a result that no row accounts for"
                want = config.expected[self.pending[0]]
                assert data & self.mask == want, (
                    f"row {self.pending[0]}: expected {want:#x}, got {data:#x}"
                )
                assert data == want, "padding bits are not zero"
                if config.beside:
                    got, sent = number(dut.m_axis_side, "m_axis_side"), config.side(self.pending[0])
                    assert got == sent, (
                        f"row {self.pending[0]}: beside it {sent:#x} became {got:#x}"
                    )
                self.held = None if ready else data
                if ready:
                    self.pending.popleft()
                    self.delivered.append(self.clock)
            else:
                assert self.held is None, "m_axis_tvalid fell before m_axis_tready"
            taken = bool(number(dut.s_axis_tready, "s_axis_tready")) and row is not None
            if taken and row is not None:
                self.pending.append(row)
                self.accepted.append(self.clock)
        else:
            self.pending.clear()
            self.held = None
        dut.aclk.value = 1
        await Timer(HALF_PERIOD_NS, "ns")
        self.clock += 1
        return taken

    async def send(self, rows: int, offer: float, ready: float) -> None:
        """Send rows with given chances of offering a row and of being ready; wait for all."""
        done = row = 0
        offering = False
        limit = self.clock + 100 + int((rows + 4 * self.config.latency) * 40)
        while done < rows or self.pending:
            offering = offering or (row < rows and random.random() < offer)
            taken = await self.cycle(row if offering else None, random.random() < ready)
            if taken:
                offering, row, done = False, row + 1, done + 1
            assert self.clock < limit, f"stuck: {done} of {rows} rows taken"


async def start_stream(dut: Any) -> Stream:
    """Reset the wrapper for two clocks."""
    config = Config.load()
    random.seed(config.seed)
    stream = Stream(dut, config)
    for _ in range(2):
        await stream.cycle(None, False, reset=True)
    return stream


def with_stream() -> bool:
    """Whether the design has a stream wrapper."""
    return "NNLOGIC_BENCH" in os.environ and Config.load().stream


if with_stream():

    @cocotb.test()
    async def stream_full_rate(dut: Any) -> None:
        """Always valid and always ready: one row per clock, in and out."""
        stream = await start_stream(dut)
        rows = len(stream.config.rows)
        await stream.send(rows, 1.0, 1.0)
        for name, times in (("taken", stream.accepted), ("delivered", stream.delivered)):
            assert times[-1] - times[0] == rows - 1, f"rows are not {name} on every clock"
        stream.config.measure(stream_latency=stream.delivered[0] - stream.accepted[0])

    @cocotb.test()
    async def stream_back_pressure(dut: Any) -> None:
        """Random gaps and random back-pressure, light and heavy: nothing lost, nothing invented."""
        stream = await start_stream(dut)
        rows = min(300, len(stream.config.rows))
        for offer, ready in ((0.7, 0.7), (1.0, 0.3), (0.3, 1.0), (1.0, 0.9)):
            await stream.send(rows, offer, ready)

    @cocotb.test()
    async def stream_stall(dut: Any) -> None:
        """A receiver that never answers stops the sender; afterwards everything arrives."""
        stream = await start_stream(dut)
        rows = len(stream.config.rows)
        row = idle = 0
        for _ in range(20 * stream.config.latency + 200):
            taken = await stream.cycle(row % rows, False)
            row += taken
            idle = 0 if taken else idle + 1
        assert idle > stream.config.latency, "the wrapper takes rows without end"
        while stream.pending:
            await stream.cycle(None, True)
            assert stream.clock < 100 * stream.config.latency + 1000, "stuck after a stall"
        assert len(stream.delivered) == row

    @cocotb.test()
    async def stream_reset_in_mid_stream(dut: Any) -> None:
        """A reset drops what is in flight and what waits; the next rows come out clean."""
        stream = await start_stream(dut)
        rows = min(50, len(stream.config.rows))
        for ready in (0.0, 0.5, 1.0):
            for i in range(2 * stream.config.latency + 5):
                await stream.cycle(i % rows, random.random() < ready)
            await stream.cycle(None, False, reset=True)
            await stream.send(rows, 0.8, 0.8)
