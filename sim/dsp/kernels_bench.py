"""cocotb tests of an engine that runs kernels one after the other; run inside the simulator.

A host (see `nnlogic.sim.dsp.host`) says what goes in, and gets what comes out: what one kernel
makes is what the next one reads.
"""

from __future__ import annotations

import json
import os
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

from nnlogic.sim.signals import HALF_PERIOD_NS, number

QUEUED = 8
"""Most beats that wait at the output when the next packet is taken."""


@dataclass(frozen=True)
class Config:
    """The host, what each kernel makes with the bits that matter, and clocks promised."""

    host: str
    arguments: dict[str, Any]
    expected: list[list[int]]
    masks: list[list[int]]
    visits: list[int]
    faults: dict[str, dict[str, Any]]
    repeats: int
    seed: int
    measured: Path

    @staticmethod
    def load() -> Config:
        """Read the file named by the environment."""
        data = json.loads(Path(os.environ["NNLOGIC_BENCH"]).read_text())
        for name in ("expected", "masks"):
            data[name] = [[int(word, 16) for word in words] for words in data[name]]
        return Config(**{**data, "measured": Path(data["measured"])})

    def new_host(self, fault: str = "") -> Any:
        """Return a host that has done nothing yet, or one with a fault."""
        module, name = self.host.split(":")
        arguments = self.faults[fault] if fault else self.arguments
        return getattr(import_module(module), name)(**arguments)

    def measure(self, **values: Any) -> None:
        """Add measured values to the result file."""
        old = json.loads(self.measured.read_text()) if self.measured.exists() else {}
        self.measured.write_text(json.dumps({**old, **values}))


class Source:
    """One stream into the engine: offers beats in order, holds what it offers."""

    def __init__(self, dut: Any, name: str) -> None:
        self.dut, self.name = dut, name
        self.beats: deque[int] = deque()
        self.offered = False
        self.data = getattr(dut, f"{name}_tdata")
        self.valid = getattr(dut, f"{name}_tvalid")
        self.ready = getattr(dut, f"{name}_tready")

    def drive(self, chance: float) -> None:
        """Set the wires before the clock rises."""
        self.offered = bool(self.beats) and (self.offered or random.random() < chance)
        self.valid.value = int(self.offered)
        self.data.value = self.beats[0] if self.offered else random.getrandbits(len(self.data))

    def sample(self) -> bool:
        """Return whether the beat was taken."""
        taken = bool(number(self.ready, f"{self.name}_tready")) and self.offered
        if taken:
            self.beats.popleft()
            self.offered = False
        return taken


class Bench:
    """The engine under test, its two sources, and what came out."""

    def __init__(self, dut: Any, config: Config) -> None:
        self.dut, self.config = dut, config
        self.clock = 0
        self.packets, self.data = Source(dut, "p_axis"), Source(dut, "s_axis")
        self.kernel = 0  # the one whose output is awaited
        self.between = True  # what kernels make is compared
        self.wanted = 0  # beats
        self.got: list[int] = []
        self.held: str | None = None

    async def cycle(
        self, packets: float, data: float, ready: float, *, reset: bool = False
    ) -> None:
        """Run one clock with chances of offering packets, data, and of taking a beat."""
        dut = self.dut
        accept = random.random() < ready
        dut.aclk.value = 0
        dut.aresetn.value = int(not reset)
        self.packets.drive(packets)
        self.data.drive(data)
        dut.m_axis_tready.value = int(accept)
        await Timer(HALF_PERIOD_NS, "ns")
        if reset:
            for name in ("p_axis_tready", "s_axis_tready", "m_axis_tvalid"):
                assert not number(getattr(dut, name), name), f"{name} in reset"
            self.held = None
        else:
            self._output(accept)
            self.packets.sample()
            self.data.sample()
        dut.aclk.value = 1
        await Timer(HALF_PERIOD_NS, "ns")
        self.clock += 1

    def _output(self, accept: bool) -> None:
        dut = self.dut
        if not number(dut.m_axis_tvalid, "m_axis_tvalid"):
            assert self.held is None, "m_axis_tvalid fell before m_axis_tready"
            return
        text = str(dut.m_axis_tdata.value)
        assert self.held in (None, text), "the beat changed while it waited"
        self.held = None if accept else text
        if accept:
            self._take(text)

    def _take(self, text: str) -> None:
        index = len(self.got)
        where = f"clock {self.clock}, kernel {self.kernel}, beat {index}"
        assert index < self.wanted, f"{where}: a beat that no group accounts for"
        value = int("".join(c if c in "01" else "0" for c in text), 2)
        unknown = int("".join("0" if c in "01" else "1" for c in text), 2)
        if self.between:
            mask = self.config.masks[self.kernel][index]
            assert not unknown & mask, f"{where}: lanes {unknown & mask:#x} are undefined"
            got, want = value & mask, self.config.expected[self.kernel][index]
            assert got == want, f"{where}: expected {want:#x}, got {got:#x}"
        last = index % self.rows_out == self.rows_out - 1
        assert number(self.dut.m_axis_tlast, "m_axis_tlast") == last, f"{where}: tlast"
        self.got.append(value)

    def expect(self, host: Any, kernel: int) -> None:
        """Send a kernel's data, and await its output, from now on."""
        assert not self.got, "beats of the kernel before were not taken"
        self.kernel, self.rows_out, self.wanted = (
            kernel,
            host.rows_out(kernel),
            host.awaited(kernel),
        )
        self.data.beats.extend(host.beats(kernel))

    async def visit(self, host: Any, kernel: int, chances: Sequence[float]) -> int:
        """Run one kernel to its last beat; return the clocks since its command was offered."""
        begin = self.clock
        self.expect(host, kernel)
        limit = begin + int(6 * max(self.config.visits) / max(0.02, min(chances))) + 1000
        while len(self.got) < self.wanted:
            await self.cycle(*chances)
            assert self.clock < limit, f"kernel {kernel} is stuck at beat {len(self.got)}"
        host.take(kernel, self.got)
        self.got = []
        return self.clock - begin

    async def chain(self, host: Any, chances: Sequence[float], *, ahead: bool) -> list[int]:
        """Run all kernels; with `ahead` all packets are offered from the start on."""
        clocks = []
        for kernel in range(host.kernels if ahead else 0):
            self.packets.beats.extend(host.packet(kernel))
        for kernel in range(host.kernels):
            if not ahead:
                self.packets.beats.extend(host.packet(kernel))
            clocks.append(await self.visit(host, kernel, chances))
        self.wanted = 0
        for _ in range(QUEUED):
            await self.cycle(1.0, 1.0, 1.0)
        return clocks

    async def check(self, chances: Sequence[float], *, ahead: bool) -> list[int]:
        """Run all kernels with a host of its own, which then must have the right outputs."""
        host = self.config.new_host()
        clocks = await self.chain(host, chances, ahead=ahead)
        wrong = host.check()
        assert not wrong, wrong
        return clocks

    async def reset(self) -> None:
        """Reset for one clock, which must be enough, and forget what was sent."""
        await self.cycle(random.random(), random.random(), 1.0, reset=True)
        for source in (self.packets, self.data):
            source.beats.clear()
            source.offered = False
        self.got = []


async def start(dut: Any) -> Bench:
    """Reset the engine."""
    config = Config.load()
    random.seed(config.seed)
    bench = Bench(dut, config)
    await bench.reset()
    return bench


@cocotb.test()
async def kernels_full_rate(dut: Any) -> None:
    """All kernels without a pause: outputs, and the clocks of each visit."""
    bench = await start(dut)
    clocks = await bench.check((1.0, 1.0, 1.0), ahead=False)
    config = bench.config
    config.measure(visits=clocks)
    assert clocks == config.visits, f"{clocks} clocks, not {config.visits}"


@cocotb.test()
async def kernels_waits_for_its_packets(dut: Any) -> None:
    """Data offered before a packet are not taken; nor is a packet, before the groups have left."""
    bench = await start(dut)
    host = bench.config.new_host()
    bench.expect(host, 0)
    beats = len(bench.data.beats)
    for _ in range(20):
        await bench.cycle(1.0, 1.0, 1.0)
    assert len(bench.data.beats) == beats, "beats were taken for no kernel"
    following = host.packet(1 % host.kernels)
    bench.packets.beats.extend([*host.packet(0), *following])
    for _ in range(2 * bench.config.visits[0]):
        await bench.cycle(1.0, 1.0, 0.0)
    few = bench.wanted <= QUEUED
    assert few or len(bench.packets.beats) == len(following), "a packet overtook its groups"
    await bench.reset()
    await bench.check((1.0, 1.0, 1.0), ahead=True)


@cocotb.test()
async def kernels_stalls(dut: Any) -> None:
    """Gaps in both inputs and back-pressure at the output, with packets that wait in line."""
    bench = await start(dut)
    for chances in ((0.6, 0.7, 0.7), (1.0, 1.0, 0.2), (0.9, 0.3, 1.0))[: bench.config.repeats]:
        await bench.check(chances, ahead=True)


@cocotb.test()
async def kernels_reset(dut: Any) -> None:
    """A reset at any time, with outputs waiting or not; then the chain from its first kernel."""
    bench = await start(dut)
    config = bench.config
    for part in range(2 * config.repeats):
        host = config.new_host()
        for kernel in range(host.kernels):
            bench.packets.beats.extend(host.packet(kernel))
        stop = bench.clock + random.randrange(sum(config.visits))
        for kernel in range(host.kernels):
            bench.expect(host, kernel)
            while bench.clock < stop and len(bench.got) < bench.wanted:
                await bench.cycle(1.0, 1.0, 0.9)
            if bench.clock >= stop:
                break
            host.take(kernel, bench.got)
            bench.got = []
        # With the output blocked, groups are left in every buffer there is.
        for _ in range(part % 2 * config.visits[bench.kernel]):
            await bench.cycle(1.0, 1.0, 0.0)
        await bench.reset()
        await bench.check((1.0, 1.0, 1.0), ahead=bool(part % 3))


@cocotb.test()
async def kernels_faults_are_seen(dut: Any) -> None:
    """Hosts with a fault end up with wrong outputs, which nothing but their check tells."""
    bench = await start(dut)
    bench.between = False
    seen = {}
    for title in bench.config.faults:
        host = bench.config.new_host(title)
        await bench.chain(host, (1.0, 1.0, 1.0), ahead=False)
        seen[title] = host.check()
        await bench.reset()
    bench.config.measure(faults=seen)
    missed = [title for title, what in seen.items() if not what]
    assert not missed, f"not seen: {', '.join(missed)}"
