"""cocotb test of sliding windows by unique tags; run inside the simulator.

A window moves bits and never looks at them. Every bit of every sample is given a tag of its own,
one bit of it in each of as many passes through a reset window.
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


async def _clock(dut: Any, index: int, word: int | None, *, reset: bool = False) -> int | None:
    """Run a clock; return the window that came out, if one did."""
    dut.clk.value = 0
    dut.rst.value = int(reset)
    x = getattr(dut, f"g{index}_x")
    getattr(dut, f"g{index}_in_valid").value = int(word is not None)
    x.value = random.getrandbits(len(x)) if word is None else word
    await Timer(HALF_PERIOD_NS, "ns")
    valid = not reset and number(getattr(dut, f"g{index}_out_valid"), "out_valid")
    out = number(getattr(dut, f"g{index}_window"), "window") if valid else None
    dut.clk.value = 1
    await Timer(HALF_PERIOD_NS, "ns")
    return out


@cocotb.test()
async def unique_tags(dut: Any) -> None:
    """Each pass of tags from reset, without and with gaps; windows when they are due."""
    data = json.loads(Path(os.environ["NNLOGIC_BENCH"]).read_text())
    random.seed(data["seed"])
    for index, one in enumerate(data["windows"]):
        due = set(one["due"])
        for gap in (0.0, 0.3):
            for samples, windows in zip(one["samples"], one["expected"], strict=True):
                await _clock(dut, index, None, reset=True)
                sent, got, before = 0, 0, False
                # What comes in at one clock stands in the window at the next.
                while sent < len(samples) or before:
                    offer = sent < len(samples) and random.random() >= gap
                    out = await _clock(dut, index, int(samples[sent], 16) if offer else None)
                    wanted = before and sent - 1 in due
                    assert (out is not None) == wanted, (
                        f"{one['name']}: {'a' if wanted else 'no'} window after {sent} samples"
                    )
                    if out is not None:
                        want = int(windows[got], 16)
                        assert out == want, f"{one['name']}: window {got}: {out ^ want:#x} differ"
                        got += 1
                    sent, before = sent + offer, offer
                assert got == len(windows), f"{one['name']}: {got} of {len(windows)} windows"
