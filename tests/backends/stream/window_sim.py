"""A window generator in Amaranth's simulator, and the windows that its frames have."""

from __future__ import annotations

from itertools import product

import numpy as np
from amaranth.sim import Simulator

from nnlogic.core.windows import PADDING
from nnlogic.hw.stream.window import WindowGenerator, WindowShape


def all_bits(scan, width):
    taps = scan.window.taps
    return tuple(product(range(scan.output_lanes), range(taps), range(width)))


def words_of(scan, width, image):
    """Beats of an image of bits, shape (positions, width), as integers."""
    bits = np.asarray(image).reshape(scan.beats, scan.lanes * width)
    return [int("".join(map(str, row[::-1])), 2) for row in bits]


def windows_of(shape: WindowShape, image):
    """Beats of windows by definition: tap by tap, from the positions under the window."""
    scan = shape.scan
    places = scan.window.taps_at(scan.frame).reshape(-1, scan.output_lanes, scan.window.taps)
    out = []
    for beat in places:
        word = 0
        for i, (lane, tap, bit) in enumerate(shape.used):
            at = beat[lane, tap]
            value = shape.padding >> bit & 1 if at == PADDING else int(image[at, bit])
            word |= value << i
        out.append(word)
    return out


def run(shape, beats, *, gap=0.0, go=1.0, seed=0, drain=0):
    """Send beats ``(first, last, word)``; return clocks and beats that came out, and clocks in."""
    rng = np.random.default_rng(seed)
    dut = WindowGenerator(shape)
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    out, sent = [], []

    async def bench(ctx):
        todo = list(beats)
        clock = idle = 0
        while todo or idle < 4 + drain:
            offer = bool(todo) and rng.random() >= gap
            noise = (int(rng.integers(2)), int(rng.integers(2)), 0)
            first, last, word = todo.pop(0) if offer else noise
            if offer:
                sent.append(clock)
            ctx.set(dut.in_valid, offer)
            ctx.set(dut.in_first, first)
            ctx.set(dut.in_last, last)
            ctx.set(dut.x, word if offer else int(rng.integers(1 << min(62, len(dut.x)))))
            ctx.set(dut.go, rng.random() < go)
            if ctx.get(dut.out_valid):
                out.append((clock, ctx.get(dut.out_first), ctx.get(dut.window)))
            idle = 0 if offer else idle + 1
            await ctx.tick()
            clock += 1

    sim.add_testbench(bench)
    sim.run()
    return out, sent


def frame_beats(words):
    """Beats of a frame, of which those that are left out at the end were the last."""
    return [(int(i == 0), int(i == len(words) - 1), word) for i, word in enumerate(words)]
