"""cocotb tests of a stream at its AXI4-Stream ports; run inside the simulator.

As in `nnlogic.sim.bench`, inputs change while the clock is low and everything is sampled just
before it rises. The file named by ``NNLOGIC_BENCH`` holds frames as beats, the beats that must
come out, and how many of these a frame gives that ends early.
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
"""Clocks per beat after which a stream is stuck."""


class Config:
    """What the file says."""

    def __init__(self) -> None:
        data = json.loads(Path(os.environ["NNLOGIC_BENCH"]).read_text())
        self.frames: list[list[int]] = [[int(w, 16) for w in f] for f in data["frames"]]
        self.expected: list[list[int]] = [[int(w, 16) for w in f] for f in data["expected"]]
        self.passed: list[int] = data["passed"]
        self.interval: int = data["interval"]
        self.settle: int = data["settle"]
        self.tag: int = data["tag"]
        self.seed: int = data["seed"]
        self.faults: int = data["faults"]
        self.measured = Path(data["measured"])

    @property
    def beats(self) -> int:
        """Beats of a frame."""
        return len(self.frames[0])

    def measure(self, **values: int) -> None:
        """Add measured values to the result file."""
        old = json.loads(self.measured.read_text()) if self.measured.exists() else {}
        self.measured.write_text(json.dumps({**old, **values}))


class Stream:
    """The stream under test, with a scoreboard."""

    def __init__(self, dut: Any, config: Config) -> None:
        self.dut, self.config = dut, config
        self.pending: deque[tuple[int, int, int]] = deque()  # data, user, last
        self.tag = 0  # of the frame that is sent
        self.held: tuple[int, int, int] | None = None
        self.clock = 0
        self.begun: list[int] = []
        self.results: list[int] = []  # clocks at which the first beat of a result came

    async def cycle(
        self, beat: tuple[int, int, bool] | None, ready: bool, *, reset: bool = False
    ) -> bool:
        """Run one clock with a beat ``(data, last, first)`` offered; return whether it was taken.

        Beside the data goes the tag of the frame with its first beat, anything with others.
        """
        dut = self.dut
        dut.aclk.value = 0
        dut.aresetn.value = int(not reset)
        dut.s_axis_tvalid.value = int(beat is not None)
        noise = random.getrandbits(len(dut.s_axis_tdata)), random.getrandbits(1), False
        data, last, first = beat or noise
        dut.s_axis_tdata.value, dut.s_axis_tlast.value = data, last
        if self.config.tag:
            other = random.getrandbits(self.config.tag)
            dut.s_axis_tuser.value = self.tag if first else other
        dut.m_axis_tready.value = int(ready)
        await Timer(HALF_PERIOD_NS, "ns")
        taken = False
        if reset:
            self.pending.clear()
            self.held = None
        else:
            self._result(ready)
            taken = bool(number(dut.s_axis_tready, "s_axis_tready")) and beat is not None
        dut.aclk.value = 1
        await Timer(HALF_PERIOD_NS, "ns")
        self.clock += 1
        return taken

    def _result(self, ready: bool) -> None:
        dut = self.dut
        if not number(dut.m_axis_tvalid, "m_axis_tvalid"):
            assert self.held is None, "m_axis_tvalid fell before m_axis_tready"
            return
        names = ("m_axis_tdata", "m_axis_tuser", "m_axis_tlast")
        got = tuple(number(getattr(dut, name), name) for name in names)
        assert self.held in (None, got), "a result changed while it waited"
        assert self.pending, f"clock {self.clock}: a result that no frame accounts for"
        want = self.pending[0]
        assert got == want, f"clock {self.clock}: expected data, user, last {want}, got {got}"
        self.held = None if ready else got  # type: ignore[assignment]
        if ready:
            self.pending.popleft()
            if got[1] & 1:
                self.results.append(self.clock)

    async def send(
        self, frame: int, *, offer: float = 1.0, ready: float = 1.0, cut: int | None = None,
        mark: bool = True,
    ) -> None:  # fmt: skip
        """Send a frame, or its first `cut` beats; what must come out of it is awaited later."""
        beats = self.config.frames[frame % len(self.config.frames)]
        count = len(beats) if cut is None else cut
        limit = self.clock + LIMIT * (count + self.config.settle) + 1000
        self.tag = random.getrandbits(self.config.tag)
        for i in range(count):
            beat = (beats[i], int(mark and i == count - 1), i == 0)
            offering = taken = False
            while not taken:
                offering = offering or random.random() < offer
                at = self.clock
                taken = await self.cycle(beat if offering else None, random.random() < ready)
                assert self.clock < limit, f"stuck: {i} of {count} beats taken"
            if i == 0:
                self.begun.append(at)
            self.took(frame, i)

    def took(self, frame: int, beat: int) -> None:
        """Await what a beat completes: of the last, all that the frame still owes."""
        config = self.config
        out = config.expected[frame % len(config.frames)]
        tag = self.tag << 1
        due = [(w, tag | int(i == 0), int(i == len(out) - 1)) for i, w in enumerate(out)]
        self.pending.extend(due[config.passed[beat] : config.passed[beat + 1]])

    async def drain(self, ready: float = 1.0) -> None:
        """Run empty clocks until everything that is due has come out, and then some."""
        limit = self.clock + LIMIT * (len(self.pending) + self.config.settle) + 1000
        while self.pending:
            await self.cycle(None, random.random() < ready)
            assert self.clock < limit, f"{len(self.pending)} beats of results are missing"
        for _ in range(self.config.settle):
            await self.cycle(None, True)


async def start(dut: Any, wrong: int | None = None) -> Stream:
    """Reset the stream for two clocks; with a wrong bit in a netlist that has some."""
    config = Config()
    random.seed(config.seed)
    if config.faults:
        dut.fault.value = 0 if wrong is None else 1 << wrong
    stream = Stream(dut, config)
    for _ in range(2):
        await stream.cycle(None, False, reset=True)
    return stream


@cocotb.test()
async def stream_times(dut: Any) -> None:
    """A frame alone gives the latency; frames back to back give the interval."""
    stream = await start(dut)
    await stream.send(0)
    await stream.drain()
    alone = stream.results[0] - stream.begun[0]
    for i in range(6):
        await stream.send(i)
    await stream.drain()
    assert {b - a for a, b in pairwise(stream.begun[1:])} == {stream.config.beats}, "bubbles"
    gaps = [b - a for a, b in pairwise(stream.results[1:-1])]
    steady = stream.results[5] - stream.begun[5]
    stream.config.measure(latency=alone, interval=max(gaps), steady=steady)
    assert set(gaps) == {stream.config.interval}, f"results every {gaps} clocks"


@cocotb.test()
async def stream_frames(dut: Any) -> None:
    """Every frame, back to back, bit for bit."""
    stream = await start(dut)
    count = len(stream.config.frames)
    for i in range(count):
        await stream.send(i)
    await stream.drain()
    assert len(stream.results) == count


@cocotb.test()
async def stream_back_pressure(dut: Any) -> None:
    """Random gaps and random back-pressure, light and heavy: nothing lost, nothing invented."""
    stream = await start(dut)
    for offer, ready in ((0.7, 0.7), (1.0, 0.1), (0.2, 1.0), (1.0, 0.9)):
        for i in range(3):
            await stream.send(i, offer=offer, ready=ready)
        await stream.drain(ready)


@cocotb.test()
async def stream_blocked(dut: Any) -> None:
    """A receiver that never answers stops the sender; afterwards everything arrives."""
    stream = await start(dut)
    config = stream.config
    frame = beat = idle = 0

    async def offer(ready: bool) -> bool:
        words = config.frames[frame % len(config.frames)]
        return await stream.cycle((words[beat], int(beat == len(words) - 1), not beat), ready)

    while beat or idle <= config.settle + config.beats:
        # Once the stream has stopped for good, the frame that was begun is finished.
        ready = idle > config.settle + config.beats
        taken = await offer(ready)
        if taken:
            stream.took(frame, beat)
            frame, beat = frame + (beat == config.beats - 1), (beat + 1) % config.beats
            stream.tag = stream.tag if beat else random.getrandbits(config.tag)
        idle = 0 if taken and not ready else idle + 1
        assert stream.clock < 400 * (config.beats + config.settle), "it takes frames without end"
    await stream.drain()


@cocotb.test()
async def stream_reset_in_mid_frame(dut: Any) -> None:
    """A reset of one clock drops frames under way and what waits; the next come out clean."""
    stream = await start(dut)
    beats = stream.config.beats
    for cut, ready in ((1, 1.0), (beats // 2, 0.5), (beats - 1, 0.0), (beats, 0.0), (beats, 1.0)):
        await stream.send(0, ready=1.0)
        await stream.send(1, cut=cut, ready=max(ready, 0.2), mark=False)
        await stream.cycle(None, False, reset=True)
        await stream.send(2, offer=0.8, ready=0.8)
        await stream.send(3)
        await stream.drain()


@cocotb.test()
async def stream_short_frames(dut: Any) -> None:
    """Frames that end anywhere give what they complete, and the next frame is whole."""
    stream = await start(dut)
    beats = stream.config.beats
    cuts = [1, beats - 1, max(1, beats // 2), *(random.randint(1, beats) for _ in range(6))]
    for i, cut in enumerate(cuts):
        await stream.send(i, cut=cut, offer=random.choice((1.0, 0.5)), ready=0.9)
        if random.random() < 0.5:
            await stream.send(i + 1)
    await stream.send(0)
    await stream.drain()


@cocotb.test()
async def stream_without_tlast(dut: Any) -> None:
    """A sender that never says where frames end is counted."""
    stream = await start(dut)
    for i in range(3):
        await stream.send(i, mark=False)
    await stream.drain()
    assert len(stream.results) == 3


@cocotb.test()
async def stream_wrong_bits(dut: Any) -> None:
    """A wrong bit that stands beside a right one changes a result; which did is measured."""
    for wrong in range(Config().faults):
        stream = await start(dut, wrong)
        try:
            for i in range(len(stream.config.frames)):
                await stream.send(i)
            await stream.drain()
        except AssertionError:
            stream.config.measure(wrong=wrong)
            return
    raise AssertionError("no wrong bit changed a result")
