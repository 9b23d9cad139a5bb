"""Cycle model of a StreamDesign: when beats leave, and what they hold.

Neither uses `nnlogic.core.windows.Window.taps_at`: beats are numbered as they shift, and a tap is
the beat so many shifts before. So a wrong length of a line, a wrong stride or padding gives wrong
values here as it does in the circuit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnlogic.backends.stream.model.ir import MapLayer, StreamDesign
from nnlogic.backends.stream.model.scan import Scan
from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray
from nnlogic.logic.ir import LogicNet

FRAMES = 6
"""Frames back to back after which times between them repeat."""
FIFO_CYCLES, HELD_CYCLES = 2, 1
"""Clocks from a result of the core until the wrapper offers it, from a FIFO and a register."""
FIFO_SLACK = 4
"""Results that may wait before beats are refused."""
STOPPING = 4
"""Clocks from a result that waits until no shift begins any more, and a spare one."""
CHUNK = 1 << 24
"""Bits of windows at a time."""


@dataclass(frozen=True)
class StreamTiming:
    """When results come.

    Attributes
    ----------
    alone, steady : int
        Clocks from the first beat of a frame taken to the first beat of its result offered, at the
        ports of the wrapper: of a frame alone, and of frames back to back.
    interval : int
        Clocks from one frame to the next.
    pipeline : int
        Clocks from a beat in to the beat it causes, where no window waits for others.
    results : int
        Beats of results that can be under way at once.
    held : bool
        Whether results are so far apart that no other is under way while one waits, and one place
        is enough.
    """

    alone: int
    steady: int
    interval: int
    pipeline: int
    results: int
    held: bool

    @staticmethod
    def of(design: StreamDesign) -> StreamTiming:
        """Return the times of a design."""
        pipeline = sum(layer.scan.latency + layer.latency for layer in design.layers)
        spacing = 1
        if design.dense is not None:
            pipeline += 1 + design.dense.latency
            spacing = design.layers[-1].scan.output_beats
        held = spacing >= pipeline + STOPPING
        offered = HELD_CYCLES if held else FIFO_CYCLES
        alone = _first_results(design, 1)[0]
        many = _first_results(design, FRAMES)
        return StreamTiming(
            alone=alone + offered,
            steady=many[-2] - (FRAMES - 2) * design.beats + offered,
            interval=many[-2] - many[-3],
            pipeline=pipeline,
            results=pipeline // spacing + 1,
            held=held,
        )

    @property
    def fifo_room(self) -> int:
        """Places of the FIFO that are kept for what is under way."""
        return self.results + 1

    @property
    def fifo_depth(self) -> int:
        """Places for results that wait."""
        return 1 if self.held else self.fifo_room + FIFO_SLACK


def _first_results(design: StreamDesign, frames: int) -> list[int]:
    """Clock of the first beat that leaves the core, for frames back to back."""
    times = [np.arange(design.beats) + f * design.beats for f in range(frames)]
    for layer in design.layers:
        times = emissions(layer.scan, times, layer.latency)
    if design.dense is None:
        return [int(t[0]) for t in times]
    return [int(t[-1]) + 1 + design.dense.latency for t in times]


def emissions(scan: Scan, arrivals: Sequence[IntArray], kernel: int) -> list[IntArray]:
    """Return when the windows of each frame have been through kernels of latency `kernel`.

    Parameters
    ----------
    scan : Scan
    arrivals : sequence of int64 arrays, shape (beats,)
        Clocks at which the beats of each frame come in.
    kernel : int
    """
    out = []
    shifts = _anchors(scan) + scan.delay
    for f, mine in enumerate(arrivals):
        later = arrivals[f + 1] if f + 1 < len(arrivals) else None
        end = int(mine[-1]) + 1
        free = scan.delay if later is None else min(scan.delay, int(later[0]) - end)
        after = [np.arange(end, end + free)]
        if later is not None:
            after.append(later[: scan.delay - free])
        out.append(np.concatenate([mine, *after])[shifts] + scan.latency + kernel)
    return out


def passed(design: StreamDesign) -> list[int]:
    """Return how many beats of a result a frame gives that ends after 0, 1, ... beats."""
    out = []
    for count in range(design.beats + 1):
        for layer in design.layers:
            scan = layer.scan
            whole = count == scan.beats
            shown = _anchors(scan) + scan.delay < count
            count = scan.output_beats if whole else int(shown.sum())
        whole = count == design.layers[-1].scan.output_beats
        out.append(count if design.dense is None else int(whole))
    return out


def _anchors(scan: Scan) -> IntArray:
    """Beats of the anchors with windows."""
    (rows, beats), (last_row, last_beat) = scan.steps, scan.last_anchor
    lines = np.arange(0, last_row + 1, rows)[:, None] * scan.line
    return (lines + np.arange(0, last_beat + 1, beats)).ravel()


def frame_bits(design: StreamDesign, codes: IntArray) -> Bools:
    """Return the bits of input frames, shape (frames, positions, bits of a position)."""
    packed = bits.unpack(bits.pack_ports(codes, design.inputs), len(codes))
    return packed.T.reshape(len(codes), design.layers[0].frame.positions, -1)


def run_frames(design: StreamDesign, cores: Mapping[str, LogicNet], codes: IntArray) -> IntArray:
    """Send frames through a design, one after another, and collect the results.

    Parameters
    ----------
    design : StreamDesign
    cores : mapping of str to LogicNet
        Kernels and dense layers, by module.
    codes : int array, shape (frames, inputs)

    Returns
    -------
    int64 array, shape (frames, outputs)
    """
    values = frame_bits(design, codes)
    for layer in design.layers:
        values = run_layer(layer, cores, values)
    flat = values.reshape(len(codes), -1)
    if design.dense is not None:
        flat = evaluate_reads(cores[design.dense.module], flat, design.dense.reads)
    widths = [port.format.bits for port in design.outputs]
    if sum(widths) != flat.shape[1]:
        raise UsageError("results do not fit the outputs", why=f"{flat.shape[1]} bits, {widths}")
    raw = bits.bits_to_raw(flat.T, widths)
    columns = [p.format.from_raw(raw[:, i]) for i, p in enumerate(design.outputs)]
    return np.stack(columns, axis=1)


def run_layer(layer: MapLayer, cores: Mapping[str, LogicNet], values: Bools) -> Bools:
    """Return the output maps of a layer, shape (frames, positions, bits), for maps that follow."""
    frames = len(values)
    out = []
    per_frame = layer.scan.output.positions * layer.window.taps * layer.width
    step = max(1, CHUNK // per_frame)
    for start in range(0, frames, step):
        read = windows(layer, values, start, min(frames, start + step))
        flat = read.reshape(-1, read.shape[2] * read.shape[3])
        words = []
        for group in range(layer.groups):
            kernel = layer.kernels[group % len(layer.kernels)]
            places = [tap * layer.width + bit for tap, bit in layer.group_bits(group)]
            words.append(evaluate_reads(cores[kernel.module], flat[:, places], kernel.reads))
        out.append(np.concatenate(words, axis=1).reshape(*read.shape[:2], -1))
    return np.concatenate(out)


def windows(layer: MapLayer, values: Bools, start: int, stop: int) -> Bools:
    """Return windows as the shifting beats give them.

    Parameters
    ----------
    layer : MapLayer
    values : bool array, shape (frames, positions, bits)
        All frames that pass, one after another without a gap.
    start, stop : int
        Frames whose windows are asked for.

    Returns
    -------
    bool array, shape (stop - start, output positions, taps, bits)
    """
    scan, width = layer.scan, layer.width
    beats = np.concatenate([values.reshape(-1, scan.lanes, width), _nothing(scan, width)])
    (rows, steps), (last_row, last_beat) = scan.steps, scan.last_anchor
    row, beat = (
        grid.ravel()
        for grid in np.meshgrid(
            np.arange(0, last_row + 1, rows), np.arange(0, last_beat + 1, steps), indexing="ij"
        )
    )
    newest = row * scan.line + beat + scan.delay + np.arange(start, stop)[:, None] * scan.beats
    padding = (layer.padding >> np.arange(width) & 1).astype(bool)
    shape = (stop - start, len(row), scan.output_lanes, layer.window.taps, width)
    out = np.empty(shape, dtype=bool)
    for lane in range(scan.output_lanes):
        for number, tap in enumerate(scan.taps(lane)):
            lag = (layer.window.size[0] - 1 - tap.row) * scan.row_delay + tap.age
            out[:, :, lane, number] = beats[newest - lag, tap.lane]
            top, bottom = scan.inside_rows(tap.row)
            left, right = scan.inside_beats(lane, tap.column)
            outside = (row < top) | (row >= bottom) | (beat < left) | (beat >= right)
            out[:, outside, lane, number] = padding
    return out.reshape(stop - start, -1, layer.window.taps, width)


def _nothing(scan: Scan, width: int) -> Bools:
    return np.zeros((scan.beats + scan.delay, scan.lanes, width), dtype=bool)


def evaluate_reads(logic: LogicNet, flat: Bools, reads: Sequence[int]) -> Bools:
    """Evaluate logic on rows of input bits of which only `reads` are connected."""
    kept = np.zeros_like(flat)
    kept[:, list(reads)] = flat[:, list(reads)]
    return bits.unpack(logic.evaluate_words(bits.pack(kept.T)), len(flat)).T
