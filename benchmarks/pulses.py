"""Pulses in a detector stream: error of a compiled network against linear filters and a float CNN.

    nnlogic train pulses -o trained
    python -m benchmarks.pulses trained/pulses.safetensors
    python -m benchmarks.pulses trained/pulses.safetensors --write docs/benchmarks/pulses.md

Everything is fitted on the same training rows and measured on the same test rows
(docs/guide/pulses.md says what they are). The filters see all eight bits of the ADC and compute in
floating point:

- *least squares*: the affine function of the samples of a window with the least squared error, for
  each quantity; the best linear filter there is, in the mean over noise, pile-up and arrivals;
- *ratio*: two such filters, for amplitude and for amplitude times time, and their quotient;
- *matched*: the largest correlation with the shape of a pulse at steps of an eighth of a sample,
  its amplitude by least squares: the best estimate for one pulse alone in white noise.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.page import Page, add_write, is_part
from nnlogic.data import Dataset, load
from nnlogic.data.pulses import Cut, Detector
from nnlogic.frontend import load as load_net
from nnlogic.run.trained import compiled_luts

Floats = NDArray[np.float64]
CLEAR = 30.0
"""Amplitude from which on a time is counted among those of clear pulses."""
STEPS, BATCH, RATE = 3000, 512, 2e-3


def least_squares(data: Dataset) -> Floats:
    """Return time and amplitude by affine filters; times are fitted where there is a pulse."""
    x, z = (np.c_[rows, np.ones(len(rows))] for rows in (data.x_train, data.x_test))
    hit = data.y_train[:, 1] > 0
    time = np.linalg.lstsq(x[hit], data.y_train[hit, 0], rcond=None)[0]
    amplitude = np.linalg.lstsq(x, data.y_train[:, 1], rcond=None)[0]
    return np.stack([z @ time, z @ amplitude], axis=1)


def ratio(data: Dataset) -> Floats:
    """Return the quotient of two affine filters as the time, within the span."""
    x, z = (np.c_[rows, np.ones(len(rows))] for rows in (data.x_train, data.x_test))
    moment = np.linalg.lstsq(x, data.y_train[:, 0] * data.y_train[:, 1], rcond=None)[0]
    amplitude = z @ np.linalg.lstsq(x, data.y_train[:, 1], rcond=None)[0]
    time = np.clip(z @ moment / np.maximum(amplitude, 5.0), 0.0, Cut().span)
    return np.stack([time, amplitude], axis=1)


def matched(data: Dataset) -> Floats:
    """Return the best shifted pulse of each window."""
    detector, cut = Detector(), Cut()
    times = np.arange(0.0, cut.span + 1e-9, 0.125)
    shapes = detector.shape(np.arange(cut.width) - cut.before - times[:, None])
    seen = (data.x_test - detector.baseline) @ shapes.T
    power = (shapes**2).sum(1)
    best = (seen**2 / power).argmax(1)
    return np.stack([times[best], seen[np.arange(len(best)), best] / power[best]], axis=1)


def float_cnn(data: Dataset, seed: int = 0) -> Floats:
    """Return what a float CNN says that was trained on the same rows."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train).float()
    hit = (y[:, 1] > 0).float()
    mean, std = y.mean(0), y.std(0)
    net = nn.Sequential(
        nn.Conv1d(1, 16, 5, padding=2), nn.ReLU(), nn.Conv1d(16, 16, 5, padding=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * x.shape[1], 64), nn.ReLU(), nn.Linear(64, 2),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    for _ in range(STEPS):
        rows = torch.randint(len(x), (BATCH,))
        error = (net(x[rows][:, None] / 64 - 1) - (y[rows] - mean) / std) ** 2
        loss = (error[:, 0] * hit[rows] + error[:, 1]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        found = net(torch.from_numpy(data.x_test)[:, None] / 64 - 1) * std + mean
    return found.numpy().astype(np.float64)


def line(name: str, found: Floats, wanted: Floats, luts: str = "") -> str:
    """Return a row of the table: errors in samples, and in counts."""
    hit, clear = wanted[:, 1] > 0, wanted[:, 1] >= CLEAR
    late, off = found[:, 0] - wanted[:, 0], found[:, 1] - wanted[:, 1]

    def rms(error: Floats) -> float:
        return float(np.sqrt(np.mean(error**2)))

    figures = (
        f"{rms(late[hit]):.3f}", f"{rms(late[clear]):.3f}", f"{np.median(abs(late[clear])):.3f}",
        f"{rms(off):.2f}", f"{np.median(abs(off)):.2f}",
    )  # fmt: skip
    return f"| {name} | {' | '.join(figures)} | {luts} |"


def main() -> None:
    """Measure all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    add_write(parser, "pulses.md")
    args = parser.parse_args()
    page = Page(parser, args.out, is_part(parser, args, "checkpoint"))
    data, net = load("pulses"), load_net(args.checkpoint)
    codes = net.evaluate(net.encode(data.x_test))
    ours = np.stack([q.decode(codes[:, i]) for i, q in enumerate(net.quantities)], axis=1)
    luts = compiled_luts(args.checkpoint, effort="normal", jobs=1)["total"]
    lines = [
        "# Pulses in a detector stream\n\nMade by `python -m benchmarks.pulses`. Root of the mean "
        f"square and median of the errors on {len(data.y_test):,} simulated test windows; times in "
        f"samples, of all pulses and of those from {CLEAR:g} counts on; amplitudes in counts of an "
        "ADC of 8 bits, windows without a pulse included. LUT6 with each kernel once, before "
        "control and AXI4-Stream.\n\n"
        "| | time, rms | clear, rms | clear, median | amplitude, rms | median | LUT6 |\n"
        "|---|---|---|---|---|---|---|"
    ]
    ways: dict[str, Callable[[Dataset], Floats]] = {
        "least squares": least_squares, "ratio of two linear filters": ratio, "matched": matched,
        "float CNN": float_cnn,
    }  # fmt: skip
    lines += [line(name, how(data), data.y_test) for name, how in ways.items()]
    lines.append(line("nnlogic, exact", ours, data.y_test, str(luts)))
    print("\n".join(lines))
    page.done("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
