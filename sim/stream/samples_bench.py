"""cocotb tests of a stream without frames, at its AXI4-Stream ports; run inside the simulator.

The file named by ``NNLOGIC_BENCH`` holds samples, the results that must come out, and how many of
these are complete after so many samples.
"""

from __future__ import annotations

import json
import os
import random
from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

from nnlogic.sim.signals import HALF_PERIOD_NS, number

LIMIT = 40
"""Clocks per sample after which a stream is stuck."""
REST = 3
"""Receptive fields that the shorter tests send."""


class Samples:
    """The stream under test, with a scoreboard."""

    def __init__(self, dut: Any) -> None:
        data = json.loads(Path(os.environ["NNLOGIC_BENCH"]).read_text())
        self.dut = dut
        self.words = [int(w, 16) for w in data["samples"]]
        self.expected = [int(w, 16) for w in data["results"]]
        self.reach: int = data["reach"]
        self.hop: int = data["hop"]
        self.settle: int = data["settle"]
        self.faults: int = data["faults"]
        self.measured = Path(data["measured"])
        random.seed(data["seed"])
        self.pending: deque[tuple[int, int]] = deque()  # result, and when it was complete
        self.held: int | None = None
        self.clock = self.at = self.count = 0
        self.came: list[tuple[int, int]] = []  # clock of a result, and of what completed it

    def measure(self, **values: int) -> None:
        """Add measured values to the result file."""
        old = json.loads(self.measured.read_text()) if self.measured.exists() else {}
        self.measured.write_text(json.dumps({**old, **values}))

    async def cycle(self, offer: bool, ready: bool, *, reset: bool = False) -> bool:
        """Run one clock; return whether the next sample was taken."""
        dut = self.dut
        dut.aclk.value = 0
        dut.aresetn.value = int(not reset)
        dut.s_axis_tvalid.value = int(offer)
        word = self.words[self.at % len(self.words)]
        dut.s_axis_tdata.value = word if offer else random.getrandbits(len(dut.s_axis_tdata))
        dut.m_axis_tready.value = int(ready)
        await Timer(HALF_PERIOD_NS, "ns")
        taken = False
        if reset:
            self.pending.clear()
            self.held, self.at, self.count = None, 0, 0
        else:
            self._result(ready)
            taken = bool(number(dut.s_axis_tready, "s_axis_tready")) and offer
        dut.aclk.value = 1
        await Timer(HALF_PERIOD_NS, "ns")
        if taken:
            self._took()
        self.clock += 1
        return taken

    def _took(self) -> None:
        self.at += 1
        if self.at >= self.reach and (self.at - self.reach) % self.hop == 0:
            self.pending.append((self.expected[self.count], self.clock))
            self.count += 1

    def _result(self, ready: bool) -> None:
        if not number(self.dut.m_axis_tvalid, "m_axis_tvalid"):
            assert self.held is None, "m_axis_tvalid fell before m_axis_tready"
            return
        got = number(self.dut.m_axis_tdata, "m_axis_tdata")
        assert self.held in (None, got), "a result changed while it waited"
        assert self.pending, f"clock {self.clock}: a result that no sample accounts for"
        want, since = self.pending[0]
        assert got == want, f"result {len(self.came)}: expected {want:#x}, got {got:#x}"
        self.held = None if ready else got
        if ready:
            self.pending.popleft()
            self.came.append((self.clock, since))

    async def send(self, count: int, *, offer: float = 1.0, ready: float = 1.0) -> None:
        """Send the next samples; what must come out of them is awaited later."""
        limit = self.clock + LIMIT * (count + self.settle) + 1000
        goal = min(self.at + count, len(self.words))
        offering = False
        while self.at < goal:
            offering = offering or random.random() < offer
            if await self.cycle(offering, random.random() < ready):
                offering = False
            assert self.clock < limit, f"stuck: {goal - self.at} of {count} samples not taken"

    async def drain(self, ready: float = 1.0) -> None:
        """Run empty clocks until everything that is due has come out, and then some."""
        limit = self.clock + LIMIT * (len(self.pending) + self.settle) + 1000
        while self.pending:
            await self.cycle(False, random.random() < ready)
            assert self.clock < limit, f"{len(self.pending)} results are missing"
        for _ in range(self.settle):
            await self.cycle(False, True)

    async def reset(self, clocks: int = 1) -> None:
        """Forget all samples."""
        for _ in range(clocks):
            await self.cycle(False, False, reset=True)

    @property
    def some(self) -> int:
        """Samples of the shorter tests."""
        return REST * self.reach + 8 * self.hop + self.settle


async def start(dut: Any, wrong: int | None = None) -> Samples:
    """Reset the stream for two clocks; with a wrong bit in a netlist that has some."""
    stream = Samples(dut)
    if stream.faults:
        dut.fault.value = 0 if wrong is None else 1 << wrong
    await stream.reset(2)
    return stream


@cocotb.test()
async def samples_times(dut: Any) -> None:
    """A sample each clock: when results come, and how far apart."""
    stream = await start(dut)
    await stream.send(1)
    begun = stream.clock
    await stream.send(stream.some)
    assert stream.clock - begun == stream.some, "a sample had to wait"
    await stream.drain()
    latencies = {clock - since for clock, since in stream.came}
    gaps = {b - a for (a, _), (b, _) in pairwise(stream.came)}
    first = stream.came[0][1] - begun + 2
    stream.measure(latency=max(latencies), interval=max(gaps), first=first)
    assert len(latencies) == len(gaps) == 1, f"latencies {latencies}, intervals {gaps}"


@cocotb.test()
async def samples_all(dut: Any) -> None:
    """Every result of the whole sequence, without a pause."""
    stream = await start(dut)
    await stream.send(len(stream.words))
    await stream.drain()
    assert len(stream.came) == len(stream.expected)


@cocotb.test()
async def samples_back_pressure(dut: Any) -> None:
    """Random gaps and random back-pressure, light and heavy: nothing lost, nothing invented."""
    stream = await start(dut)
    for offer, ready in ((0.7, 0.7), (1.0, 0.1), (0.2, 1.0), (1.0, 0.9)):
        await stream.send(stream.some // 2, offer=offer, ready=ready)
        await stream.drain(ready)


@cocotb.test()
async def samples_blocked(dut: Any) -> None:
    """A receiver that never answers stops the sender; afterwards everything arrives."""
    stream = await start(dut)
    idle = 0
    while idle <= stream.settle:
        idle = 0 if await stream.cycle(True, False) else idle + 1
        assert stream.at < len(stream.words), "it takes samples without end"
    await stream.send(stream.reach)
    await stream.drain()


@cocotb.test()
async def samples_reset(dut: Any) -> None:
    """A reset of one clock forgets all samples: the next result is of whole fields again."""
    stream = await start(dut)
    for count, ready in (
        (1, 1.0),
        (stream.reach - 1, 1.0),
        (stream.reach, 0.2),
        (stream.some, 0.5),
    ):
        await stream.send(count, ready=ready)
        await stream.reset()
        await stream.send(stream.reach + 3 * stream.hop, offer=0.8, ready=0.8)
        await stream.drain()
        await stream.reset()


@cocotb.test()
async def samples_wrong_bits(dut: Any) -> None:
    """A wrong bit that stands beside a right one changes a result; which did is measured."""
    for wrong in range(Samples(dut).faults):
        stream = await start(dut, wrong)
        try:
            await stream.send(len(stream.words))
            await stream.drain()
        except AssertionError:
            stream.measure(wrong=wrong)
            return
    raise AssertionError("no wrong bit changed a result")
