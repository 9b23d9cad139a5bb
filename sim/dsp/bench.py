"""cocotb tests of a DSP engine; run inside the simulator.

As in `nnlogic.sim.bench`, the bench drives the clock: inputs change while it is low, everything
is sampled just before it rises.
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
    """Beats in, beats out with the bits that matter, and what the program promises."""

    beats: list[int]
    expected: list[int]
    masks: list[int]
    beats_in: int
    beats_out: int
    row_out: int
    interval: int
    latency: int
    buffers: int
    seed: int
    measured: Path

    @staticmethod
    def load() -> Config:
        """Read the file named by the environment."""
        data = json.loads(Path(os.environ["NNLOGIC_BENCH"]).read_text())
        for name in ("beats", "expected", "masks"):
            data[name] = [int(word, 16) for word in data[name]]
        return Config(**{**data, "measured": Path(data["measured"])})

    @property
    def groups(self) -> int:
        """Groups there are data for."""
        return len(self.beats) // self.beats_in

    def measure(self, **values: int) -> None:
        """Add measured values to the result file."""
        old = json.loads(self.measured.read_text()) if self.measured.exists() else {}
        self.measured.write_text(json.dumps({**old, **values}))


class Engine:
    """The engine under test, with a scoreboard of output beats."""

    def __init__(self, dut: Any, config: Config) -> None:
        self.dut, self.config = dut, config
        self.clock = 0
        self.sent = 0  # beats of the group being sent
        self.group = 0  # group being sent
        self.pending: deque[int] = deque()  # expected beats, by index
        self.held: int | None = None
        self.loaded: list[int] = []  # clock of the last beat of each group
        self.done: list[int] = []

    async def cycle(self, offer: bool, ready: bool, *, reset: bool = False) -> bool:
        """Run one clock; return whether a beat was taken."""
        dut, config = self.dut, self.config
        beat = self.group % config.groups * config.beats_in + self.sent
        dut.aclk.value = 0
        dut.aresetn.value = int(not reset)
        dut.s_axis_tvalid.value = int(offer)
        width = len(dut.s_axis_tdata)
        dut.s_axis_tdata.value = config.beats[beat] if offer else random.getrandbits(width)
        dut.m_axis_tready.value = int(ready)
        await Timer(HALF_PERIOD_NS, "ns")
        taken = False
        if reset:
            assert not number(dut.s_axis_tready, "s_axis_tready"), "ready in reset"
            assert not number(dut.m_axis_tvalid, "m_axis_tvalid"), "valid in reset"
            self.pending.clear()
            self.held, self.sent = None, 0
        else:
            self._check_output(ready)
            taken = bool(number(dut.s_axis_tready, "s_axis_tready")) and offer
            self.sent += taken
            if self.sent == config.beats_in:
                first = self.group % config.groups * config.beats_out
                self.pending.extend(range(first, first + config.beats_out))
                self.loaded.append(self.clock)
                self.group, self.sent = self.group + 1, 0
        dut.aclk.value = 1
        await Timer(HALF_PERIOD_NS, "ns")
        self.clock += 1
        return taken

    def _check_output(self, ready: bool) -> None:
        dut, config = self.dut, self.config
        if not number(dut.m_axis_tvalid, "m_axis_tvalid"):
            assert self.held is None, "m_axis_tvalid fell before m_axis_tready"
            return
        assert self.pending, f"clock {self.clock}: a beat that no group accounts for"
        index = self.pending[0]
        text = str(dut.m_axis_tdata.value)
        mask, want = config.masks[index], config.expected[index]
        # Bits outside the mask may be undefined; the others may not.
        got = int("".join(c if c in "01" else "0" for c in text), 2) & mask
        unknown = int("".join("0" if c in "01" else "1" for c in text), 2) & mask
        assert not unknown, f"output beat {index}: lanes {unknown:#x} are undefined"
        assert got == want, f"output beat {index}: expected {want:#x}, got {got:#x}"
        last = index % config.row_out == config.row_out - 1
        assert number(dut.m_axis_tlast, "m_axis_tlast") == last, f"output beat {index}: tlast"
        assert self.held in (None, index), "the beat changed while it waited"
        self.held = None if ready else index
        if ready:
            self.pending.popleft()
            if index % config.beats_out == config.beats_out - 1:
                self.done.append(self.clock)

    async def run(self, groups: int, offer: float, ready: float) -> None:
        """Send groups with given chances of offering and of being ready; wait for all."""
        end = self.group + groups
        config = self.config
        chance = 1 / max(0.01, min(offer, ready))
        each = config.interval + config.beats_in + config.beats_out + config.latency + 20
        limit = self.clock + int(chance * 3 * (groups + 2) * each)
        offering = False
        while self.group < end or self.pending:
            offering = self.group < end and (offering or random.random() < offer)
            if await self.cycle(offering, random.random() < ready):
                offering = False
            assert self.clock < limit, f"stuck: {len(self.pending)} beats are missing"
        for _ in range(3):
            await self.cycle(False, True)


async def start(dut: Any) -> Engine:
    """Reset the engine for one clock, which must be enough."""
    config = Config.load()
    random.seed(config.seed)
    engine = Engine(dut, config)
    await engine.cycle(False, False, reset=True)
    return engine


@cocotb.test()
async def engine_full_rate(dut: Any) -> None:
    """All groups without a pause: latency of the first, and cycles from one to the next."""
    engine = await start(dut)
    config = engine.config
    await engine.run(config.groups, 1.0, 1.0)
    latency = engine.done[0] - engine.loaded[0]
    gaps = [b - a for a, b in pairwise(engine.done)]
    # The first group has nobody beside it; the steady state begins after the third.
    interval = max(gaps[2:], default=config.interval)
    config.measure(latency=latency, interval=interval)
    assert latency == config.latency, f"latency {latency}, not {config.latency} clocks"
    assert interval == config.interval, f"{interval} cycles per group, not {config.interval}"


@cocotb.test()
async def engine_stalls(dut: Any) -> None:
    """Random gaps in the input and back-pressure at the output, light and heavy."""
    engine = await start(dut)
    for offer, ready in ((0.7, 0.7), (1.0, 0.2), (0.2, 1.0), (0.9, 1.0)):
        await engine.run(min(3, engine.config.groups), offer, ready)


@cocotb.test()
async def engine_blocked(dut: Any) -> None:
    """A receiver that never answers stops the sender; afterwards everything arrives."""
    engine = await start(dut)
    config = engine.config
    idle = 0
    limit = (config.buffers + 4) * (config.interval + config.latency)
    for _ in range(limit):
        taken = await engine.cycle(True, False)
        idle = 0 if taken else idle + 1
    assert idle > 2 * (config.interval + config.latency), "the engine takes beats without end"
    taken_groups = engine.group
    while engine.pending or engine.sent:
        await engine.cycle(engine.sent > 0, True)
        assert engine.clock < 3 * limit, "stuck after a stall"
    assert len(engine.done) == engine.group >= taken_groups >= 2


@cocotb.test()
async def engine_reset_in_mid_program(dut: Any) -> None:
    """A reset at any time drops what is in flight; the next groups come out clean."""
    engine = await start(dut)
    config = engine.config
    span = config.beats_in + config.interval + config.latency + config.beats_out
    for part in range(1, 7):
        for _ in range(random.randrange(span) if part > 4 else part * span // 5):
            await engine.cycle(True, random.random() < 0.8)
        await engine.cycle(random.random() < 0.5, True, reset=True)
        engine.group = random.randrange(config.groups)
        await engine.run(1 + part % 2, 1.0, 1.0)
