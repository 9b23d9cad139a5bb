"""cocotb test of window generators by unique tags; run inside the simulator.

Generators move bits and never look at them. So every bit of every position is given a tag of its
own, one bit of the tag in each of as many frames, and what comes out is compared tag by tag: for
one shape of a frame that is all there is to know about where data go.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

from nnlogic.sim.signals import HALF_PERIOD_NS, number


class Generator:
    """One generator: the frames it is sent, and the windows that must come out."""

    def __init__(self, dut: Any, index: int, data: dict[str, Any]) -> None:
        self.pins = {
            name: getattr(dut, f"g{index}_{name}")
            for name in (
                "in_valid",
                "in_first",
                "in_last",
                "go",
                "x",
                "out_valid",
                "out_first",
                "out_last",
                "window",
            )
        }
        self.name: str = data["name"]
        self.frames = [[int(w, 16) for w in f] for f in data["frames"]]
        self.expected = [[int(w, 16) for w in f] for f in data["windows"]]
        self.reset()

    def reset(self) -> None:
        """Begin again."""
        self.sent = [(w, i == 0, i == len(f) - 1) for f in self.frames for i, w in enumerate(f)]
        self.due = [
            (w, int(i == 0), int(i == len(f) - 1)) for f in self.expected for i, w in enumerate(f)
        ]
        self.at = self.got = 0

    @property
    def done(self) -> bool:
        """Whether all has been sent and has come out."""
        return self.at == len(self.sent) and self.got == len(self.due)

    def drive(self, gap: float) -> None:
        """Offer the next beat, or a gap; let the last windows leave by themselves or not."""
        offer = self.at < len(self.sent) and random.random() >= gap
        noise = random.getrandbits(len(self.pins["x"])), *(random.getrandbits(2) for _ in "12")
        word, first, last = self.sent[self.at] if offer else noise
        values = {
            "in_valid": offer, "in_first": int(first) & 1, "in_last": int(last) & 1, "x": word,
            "go": random.random() >= gap,
        }  # fmt: skip
        for name, value in values.items():
            self.pins[name].value = int(value)
        self.at += offer

    def compare(self) -> None:
        """Compare the windows that come out, if there are any."""
        if not number(self.pins["out_valid"], "out_valid"):
            return
        assert self.got < len(self.due), f"{self.name}: more windows than there are"
        word, *marks = self.due[self.got]
        value = number(self.pins["window"], f"{self.name}: window {self.got}")
        assert value == word, f"{self.name}: window {self.got}: {value ^ word:#x} has other tags"
        found = [number(self.pins[name], name) for name in ("out_first", "out_last")]
        assert found == marks, f"{self.name}: window {self.got}: first and last are {found}"
        self.got += 1


@cocotb.test()
async def unique_tags(dut: Any) -> None:
    """Frames back to back, then with gaps between and inside them."""
    data = json.loads(Path(os.environ["NNLOGIC_BENCH"]).read_text())
    random.seed(data["seed"])
    generators = [Generator(dut, i, one) for i, one in enumerate(data["generators"])]
    for gap in (0.0, 0.3):
        await _clock(dut, [], 0.0, reset=True)
        for generator in generators:
            generator.reset()
        clocks = 0
        limit = 100 + 4 * max(len(g.sent) for g in generators)
        while not all(g.done for g in generators):
            await _clock(dut, generators, gap)
            clocks += 1
            late = [g.name for g in generators if not g.done]
            assert clocks < limit, f"windows are missing from {', '.join(late)}"


async def _clock(dut: Any, generators: list[Generator], gap: float, *, reset: bool = False) -> None:
    dut.clk.value = 0
    dut.rst.value = int(reset)
    for generator in generators:
        generator.drive(gap)
    await Timer(HALF_PERIOD_NS, "ns")
    for generator in generators:
        generator.compare()
    dut.clk.value = 1
    await Timer(HALF_PERIOD_NS, "ns")
