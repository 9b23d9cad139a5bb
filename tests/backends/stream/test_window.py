"""Window generators: every tap of every window, whatever the gaps between beats and frames."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from window_sim import all_bits, frame_beats, run, windows_of, words_of

from nnlogic.backends.stream.model.memory import KINDS, REGISTERS
from nnlogic.backends.stream.model.scan import Scan
from nnlogic.core.windows import Frame, Window
from nnlogic.hw.stream.window import WindowShape


@st.composite
def sides(draw, lanes=1):
    """Taps, stride, dilation, padding before and behind, and a length that they fit."""
    taps = draw(st.integers(1, 4))
    stride = draw(st.sampled_from([1, 2, 3] if lanes == 1 else [1, lanes, 2 * lanes]))
    dilation = draw(st.integers(1, 2))
    reach = (taps - 1) * dilation
    before = draw(st.integers(0, reach))
    behind = reach - before if lanes > 1 else draw(st.integers(0, reach - before))
    least = max(reach + 1 - before - behind, reach - before + 1)
    length = draw(st.integers(least, least + 4))
    step = lanes * max(1, stride // lanes)
    return taps, stride, dilation, before, behind, -(-length // step) * step


@st.composite
def shapes(draw):
    lanes = draw(st.sampled_from([1, 1, 2, 4]))
    kh, sy, dy, top, bottom, height = draw(sides())
    kw, sx, dx, left, right, width = draw(sides(lanes))
    window = Window((kh, kw), (sy, sx), (top, bottom, left, right), 0, (dy, dx))
    scan = Scan(Frame(1, height, width), window, lanes)
    assume(not scan.problems())
    bits = draw(st.integers(1, 3))
    used = all_bits(scan, bits)
    if draw(st.booleans()):
        rng = np.random.default_rng(draw(st.integers(0, 999)))
        used = tuple(u for u in used if rng.random() < 0.5) or used
    kind = draw(st.sampled_from(KINDS)) if scan.row_delay > 1 else REGISTERS
    return WindowShape(scan, bits, draw(st.integers(0, (1 << bits) - 1)), used, kind)


@given(
    shapes(), st.integers(0, 1 << 20), st.sampled_from([0.0, 0.3, 0.9]), st.sampled_from([1.0, 0.5])
)
@settings(max_examples=60, deadline=None)
def test_every_window_of_every_frame(shape, seed, gap, go):
    rng = np.random.default_rng(seed)
    scan, beats, expected = shape.scan, [], []
    for number in range(int(rng.integers(2, 5))):
        image = rng.integers(0, 2, (scan.frame.positions, shape.width))
        words = words_of(scan, shape.width, image)
        windows = windows_of(shape, image)
        cut = len(words)
        if number and rng.random() < 0.4:
            cut = int(rng.integers(1, cut + 1))
        beats += frame_beats(words)[:cut]
        expected.append((cut, windows))
    beats += frame_beats(
        words_of(scan, shape.width, np.zeros((scan.frame.positions, shape.width), int))
    )
    expected.append(
        (scan.beats, windows_of(shape, np.zeros((scan.frame.positions, shape.width), int)))
    )
    out, _ = run(shape, beats, gap=gap, go=go, seed=seed, drain=4 * scan.delay + 8)
    frames = []
    for _, first, window in out:
        if first:
            frames.append([])
        frames[-1].append(window)
    whole = []
    for cut, windows in expected:
        if cut == scan.beats:
            whole.append(windows)
    assert all(len(f) <= scan.output_beats for f in frames)
    complete = [f for f in frames if len(f) == scan.output_beats]
    # A frame cut short may still show windows all of whose data came in.
    iterator = iter(complete)
    for windows in whole:
        assert any(windows == found for found in iterator)
    for found in frames:
        assert any(found == windows[: len(found)] for _, windows in expected)


@pytest.mark.parametrize("lanes", [1, 2])
def test_frames_back_to_back_have_no_bubble(lanes):
    scan = Scan(Frame(1, 4, 8), Window((3, 3), (1, 1), (1, 1, 1, 1)), lanes)
    shape = WindowShape(scan, 1, 0, all_bits(scan, 1), "lut")
    rng = np.random.default_rng(3)
    images = rng.integers(0, 2, (5, scan.frame.positions, 1))
    beats = [b for image in images for b in frame_beats(words_of(scan, 1, image))]
    out, sent = run(shape, beats, drain=40)
    clocks = [clock for clock, *_ in out]
    assert clocks == list(range(clocks[0], clocks[0] + 5 * scan.beats))
    assert clocks[0] - sent[0] == scan.delay + scan.latency
    assert [w for *_, w in out] == [w for image in images for w in windows_of(shape, image)]
