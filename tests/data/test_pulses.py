"""The simulated detector stream: shapes, rates, and what is asked of each window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnlogic.data.pulses import Cut, Detector, load_pulses, record, rows_of, windows_of

QUIET = Detector(noise=0.0, rate=1e-9)


def test_a_pulse_peaks_where_it_should_and_dies_away():
    detector = Detector(order=3, peak=4.0)
    assert detector.shape([-1.0, 0.0]).tolist() == [0.0, 0.0]
    assert detector.shape(4.0) == pytest.approx(1.0)
    fine = np.linspace(0, 40, 4001)
    assert fine[detector.shape(fine).argmax()] == pytest.approx(4.0)
    assert detector.shape(detector.tail) < 1e-3 < detector.shape(detector.tail - 1)
    # CR-RC^n: a power of time times an exponential of one time constant, peak / order.
    assert detector.shape(2.0) == pytest.approx((2 / 4) ** 3 * np.exp(3 * (1 - 2 / 4)))


def test_a_recording_is_the_sum_of_its_pulses():
    busy = replace(Detector(), noise=0.0, rate=0.05, most=60.0)
    made = record(busy, 600, 5)
    at = np.arange(600)
    analog = busy.baseline + (busy.shape(at[:, None] - made.times) * made.amplitudes).sum(1)
    assert abs(made.samples - analog).max() <= 0.5 + 60 * len(made.times) * 1e-3
    assert made.samples.dtype == np.int64
    again = record(busy, 600, 5)
    assert np.array_equal(again.samples, made.samples)
    assert not np.array_equal(record(busy, 600, 6).samples, made.samples)


def test_arrivals_and_amplitudes_follow_their_distributions():
    detector = Detector()
    made = record(detector, 400_000, 1)
    assert len(made.times) == pytest.approx(400_000 * detector.rate, rel=0.05)
    gaps = np.diff(made.times)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert detector.least <= made.amplitudes.min() <= made.amplitudes.max() <= detector.most
    assert record(replace(detector, rate=1.0), 500, 1).samples.max() == 255
    quiet = record(replace(QUIET, noise=2.0), 20_000, 1).samples
    assert quiet.std() == pytest.approx(2.0, rel=0.05)
    assert quiet.mean() == pytest.approx(detector.baseline, abs=0.1)


def test_every_pulse_is_asked_for_once_in_the_window_of_its_span():
    detector, cut = Detector(rate=0.05), Cut(width=16, before=4, span=4)
    made = record(detector, 5000, 3)
    rows = windows_of(made, cut)
    covered = (made.times >= cut.before) & (made.times < cut.before + len(rows.x) * cut.span)
    assert rows.hits.sum() == covered.sum()
    assert np.array_equal(rows.x[7], made.samples[28:44])
    one = np.flatnonzero(rows.hits == 1)
    arrivals = one * cut.span + cut.before + rows.time[one]
    assert np.isin(np.round(arrivals, 6), np.round(made.times, 6)).all()
    assert (rows.amplitude[rows.hits == 0] == 0).all()
    assert (rows.time[rows.hits == 0] == 2.0).all()
    several = int(np.flatnonzero(rows.hits > 1)[0])
    inside = (made.times - cut.before) // cut.span == several
    assert rows.amplitude[several] == made.amplitudes[inside].max()


def test_rows_have_the_share_of_empty_windows_that_is_asked_for():
    rows = rows_of(Detector(), Cut(), 2000, 4, empty=0.3)
    assert len(rows.x) == 2000
    assert (rows.hits == 0).sum() == 600
    raw = load_pulses(None)
    assert raw.targets == ("time", "amplitude")
    assert raw.x_train.shape == (40_000, len(raw.feature_names))
    assert raw.x_train.min() >= 0
    assert raw.x_train.max() < 256
