"""A simulated detector stream: shaped pulses at random times, pile-up, noise, an ADC.

A pulse that arrives at time t with amplitude A adds ``A * h(s - t)`` to every sample s, where
``h(s) = (s / peak)**order * exp(order * (1 - s / peak))`` for s > 0 is what a CR-RC^n shaper (one
differentiator and `order` integrators of one time constant) makes of a step, scaled to a peak of 1
after `peak` samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlogic.core.formats import IntArray
from nnlogic.data.dataset import Raw

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Detector:
    """What is simulated, times in samples and amplitudes in ADC counts.

    Attributes
    ----------
    order : int
        Integrators of the shaper, the n of CR-RC^n.
    peak : float
        Samples from the arrival of a pulse to its peak.
    rate : float
        Pulses per sample; arrivals are a Poisson process.
    least, mean, most : float
        Amplitudes are exponential with this mean, cut to this range.
    noise : float
        Standard deviation of the white noise before the ADC.
    baseline : float
        Of the ADC without a pulse.
    bits : int
        Of the ADC; what is beyond its range is its largest code.
    """

    order: int = 3
    peak: float = 4.0
    rate: float = 0.03
    least: float = 12.0
    mean: float = 60.0
    most: float = 220.0
    noise: float = 1.0
    baseline: float = 12.0
    bits: int = 8

    def shape(self, since: ArrayLike) -> Floats:
        """Return a pulse of amplitude 1, so many samples after its arrival."""
        at = np.maximum(np.asarray(since, np.float64), 0.0) / self.peak
        return np.asarray(at**self.order * np.exp(self.order * (1.0 - at)), np.float64)

    @property
    def tail(self) -> int:
        """Samples after which a pulse is below a thousandth of its peak."""
        since = np.arange(1, 1000)
        return int(since[self.shape(since) > 1e-3].max()) + 1


@dataclass(frozen=True, eq=False)
class Recording:
    """A stretch of a simulated stream.

    Attributes
    ----------
    samples : int64 array, shape (samples,)
        Codes of the ADC.
    times, amplitudes : float64 arrays, shape (pulses,)
        Of the pulses in it, in the order of their arrival.
    """

    samples: IntArray
    times: Floats
    amplitudes: Floats


def record(detector: Detector, samples: int, seed: int) -> Recording:
    """Return a recording; the same one for the same seed.

    Parameters
    ----------
    detector : Detector
    samples : int
    seed : int
    """
    rng = np.random.default_rng(seed)
    count = int(rng.poisson(detector.rate * samples))
    times = np.sort(rng.uniform(0.0, samples, count))
    amplitudes = _amplitudes(detector, rng, count)
    analog = detector.baseline + rng.normal(0.0, detector.noise, samples)
    first = np.ceil(times).astype(np.int64)
    for lag in range(detector.tail):
        at = first + lag
        inside = at < samples
        added = amplitudes * detector.shape(at - times)
        np.add.at(analog, at[inside], added[inside])
    codes = np.clip(np.rint(analog), 0, (1 << detector.bits) - 1).astype(np.int64)
    return Recording(codes, times, amplitudes)


def _amplitudes(detector: Detector, rng: np.random.Generator, count: int) -> Floats:
    """Exponential amplitudes between `least` and `most`, by the inverse of their distribution."""
    low, high = (np.exp(-a / detector.mean) for a in (detector.least, detector.most))
    u = rng.uniform(0.0, 1.0, count)
    return np.asarray(-detector.mean * np.log(low - u * (low - high)), np.float64)


@dataclass(frozen=True)
class Cut:
    """How a recording is cut into rows: windows of samples, and what is asked of each.

    Windows stand every `span` samples, and each is asked for the pulses that arrive in its span: so
    every pulse is asked for once.

    Attributes
    ----------
    width : int
        Samples of a window.
    before : int
        Samples of it before the span.
    span : int
        Samples in which a pulse may arrive.
    """

    width: int = 16
    before: int = 4
    span: int = 4


@dataclass(frozen=True, eq=False)
class Windows:
    """Rows.

    Attributes
    ----------
    x : int64 array, shape (rows, width)
    time : float64 array, shape (rows,)
        From the beginning of the span to the arrival of the largest pulse in it; the middle of the
        span where there is none.
    amplitude : float64 array, shape (rows,)
        Of that pulse; 0 where there is none.
    hits : int64 array, shape (rows,)
        Pulses that arrive in the span.
    """

    x: IntArray
    time: Floats
    amplitude: Floats
    hits: IntArray


def windows_of(recording: Recording, cut: Cut) -> Windows:
    """Return all windows of a recording, in order."""
    count = (len(recording.samples) - cut.width) // cut.span + 1
    starts = np.arange(count) * cut.span
    x = recording.samples[starts[:, None] + np.arange(cut.width)]
    number = np.floor((recording.times - cut.before) / cut.span).astype(np.int64)
    inside = (number >= 0) & (number < count)
    number, times = number[inside], recording.times[inside]
    amplitudes = recording.amplitudes[inside]
    # The last of equal numbers stays: the largest.
    order = np.argsort(amplitudes, kind="stable")
    time, amplitude = np.full(count, cut.span / 2), np.zeros(count)
    time[number[order]] = (times - cut.before - number * cut.span)[order]
    amplitude[number[order]] = amplitudes[order]
    return Windows(x, time, amplitude, np.bincount(number, minlength=count))


def rows_of(detector: Detector, cut: Cut, rows: int, seed: int, empty: float = 0.25) -> Windows:
    """Return rows of which a share has no pulse, drawn from a recording as long as needed.

    Parameters
    ----------
    detector : Detector
    cut : Cut
    rows : int
    seed : int
    empty : float
        Share of rows without a pulse; a stream at a low rate has mostly such.
    """
    wanted = {True: rows - round(empty * rows), False: round(empty * rows)}
    share = 1.0 - np.exp(-detector.rate * cut.span)
    need = max(wanted[True] / share, wanted[False] / (1.0 - share))
    samples = round((1.1 * need + 10.0 * need**0.5 + 10) * cut.span) + cut.width
    all_rows = windows_of(record(detector, samples, seed), cut)
    hit = all_rows.hits > 0
    kept = np.sort(np.concatenate([np.flatnonzero(hit == k)[:n] for k, n in wanted.items()]))
    order = np.random.default_rng(seed + 1).permutation(kept)
    return Windows(
        all_rows.x[order], all_rows.time[order], all_rows.amplitude[order], all_rows.hits[order]
    )


TRAIN_ROWS, TEST_ROWS = 40_000, 10_000
TRAIN_SEED, TEST_SEED = 1, 2


def load_pulses(data_dir: Path | None) -> Raw:
    """Windows of 16 samples of `Detector`, with arrival time and amplitude; made here, seeded."""
    detector, cut = Detector(), Cut()
    train = rows_of(detector, cut, TRAIN_ROWS, TRAIN_SEED)
    test = rows_of(detector, cut, TEST_ROWS, TEST_SEED)
    return Raw(
        train.x,
        np.stack([train.time, train.amplitude], axis=1),
        test.x,
        np.stack([test.time, test.amplitude], axis=1),
        tuple(f"s{i}" for i in range(cut.width)),
        (),
        f"simulated detector stream (nnlogic.data.pulses): CR-RC^{detector.order} pulses peaking "
        f"after {detector.peak:g} samples, {detector.rate:g} a sample, noise {detector.noise:g}, "
        f"{detector.bits} bits; seeds {TRAIN_SEED} and {TEST_SEED}",
        targets=("time", "amplitude"),
    )
