"""cocotb tests of a mixed design's top module; run inside the simulator.

Vectors wait in an engine until a group of them is complete, so rates are of groups, and every
test ends with a group that is not full.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import cocotb

from nnlogic.sim.bench import Stream, start_stream


def numbers() -> dict[str, int]:
    """Return ``group`` (vectors), ``patience`` (clocks) and ``interval`` (clocks) of the config."""
    data = json.loads(Path(os.environ["NNLOGIC_BENCH"]).read_text())
    return {name: int(data[name]) for name in ("group", "patience", "interval")}


def give_up(stream: Stream, clocks: int) -> int:
    """Return the clock at which `clocks` more, and a group's time, have passed."""
    return stream.clock + clocks + 8 * numbers()["patience"]


async def send(stream: Stream, rows: int, offer: float, ready: float) -> None:
    """Send rows with given chances of offering one and of being ready; wait for all results."""
    done, offering = 0, False
    total = len(stream.config.rows)
    limit = give_up(stream, int(rows * (2 / offer + 2 / ready) + 4 * rows * rate()))
    while done < rows or stream.pending:
        offering = offering or (done < rows and random.random() < offer)
        row = done % total if offering else None
        if await stream.cycle(row, random.random() < ready):
            offering, done = False, done + 1
        assert stream.clock < limit, f"stuck: {done} of {rows} taken, {len(stream.pending)} out"


def rate() -> float:
    """Clocks per vector at full rate."""
    found = numbers()
    return found["interval"] / found["group"]


@cocotb.test()
async def chain_full_rate(dut: Any) -> None:
    """One group alone gives the latency, many give the interval; all come out."""
    stream = await start_stream(dut)
    group, interval = numbers()["group"], numbers()["interval"]
    await send(stream, group, 1.0, 1.0)
    latency = stream.delivered[-1] - stream.accepted[0]
    begin = len(stream.delivered)
    await send(stream, 8 * group, 1.0, 1.0)
    times = stream.delivered[begin:]
    # The first groups fill buffers, and the last result of a group is the one that must wait.
    steady = [b - a for a, b in zip(times[group - 1 :: group], times[2 * group - 1 :: group],
                                    strict=False)]  # fmt: skip
    stream.config.measure(latency=latency, interval=max(steady[3:]))
    assert latency <= numbers()["patience"], f"a group took {latency} clocks"
    assert max(steady[3:]) <= interval, f"groups {steady}, the design says {interval}"


@cocotb.test()
async def chain_part_of_a_group(dut: Any) -> None:
    """Single vectors, and groups that end anywhere, come out by themselves."""
    stream = await start_stream(dut)
    group = numbers()["group"]
    for rows in (1, 2, 47, 48, 49, group - 1, group + 1):
        await send(stream, rows, 1.0, 1.0)
        for _ in range(random.randrange(5)):
            await stream.cycle(None, True)


@cocotb.test()
async def chain_back_pressure(dut: Any) -> None:
    """Random gaps and random back-pressure, light and heavy: nothing lost, nothing invented."""
    stream = await start_stream(dut)
    rows = 2 * numbers()["group"] + 5
    for offer, ready in ((0.7, 0.7), (1.0, 0.3), (0.3, 1.0)):
        await send(stream, rows, offer, ready)


@cocotb.test()
async def chain_long_gaps(dut: Any) -> None:
    """Gaps of about the time after which a group is closed, at every place in a group."""
    stream = await start_stream(dut)
    total = len(stream.config.rows)
    patience = numbers()["patience"]
    limit = give_up(stream, 8 * patience)
    row = 0
    while row < 12 or stream.pending:
        for _ in range(random.randrange(1, 8)):
            row += await stream.cycle(row % total, True)
        for _ in range(random.choice((1, patience // 4, patience // 2)) if row < 12 else 1):
            await stream.cycle(None, True)
        while row >= 12 and stream.pending:
            await stream.cycle(None, True)
            assert stream.clock < limit + 8 * patience, "stuck after a gap"


@cocotb.test()
async def chain_blocked(dut: Any) -> None:
    """A receiver that never answers stops the sender; afterwards everything arrives."""
    stream = await start_stream(dut)
    total, patience = len(stream.config.rows), numbers()["patience"]
    limit = give_up(stream, 40 * patience)
    row = idle = 0
    while idle <= 2 * patience:
        taken = await stream.cycle(row % total, False)
        row, idle = row + taken, 0 if taken else idle + 1
        assert stream.clock < limit, "the design takes rows without end"
    limit = give_up(stream, row * 4 + int(4 * row * rate()))
    while stream.pending:
        await stream.cycle(None, True)
        assert stream.clock < limit, "stuck after a stall"
    assert len(stream.delivered) == row


@cocotb.test()
async def chain_reset_in_mid_stream(dut: Any) -> None:
    """A reset drops what is in flight and what waits; the next rows come out clean."""
    stream = await start_stream(dut)
    total, group = len(stream.config.rows), numbers()["group"]
    for ready, clocks in ((0.0, group // 2), (1.0, 2 * group + 9), (0.5, 3 * group)):
        for i in range(clocks):
            await stream.cycle(i % total, random.random() < ready)
        await stream.cycle(None, False, reset=True)
        await send(stream, 20, 0.8, 0.8)
