"""Fold scales, biases, batch-norm and activations into integer thresholds, exactly.

Every float that enters is a dyadic rational and is taken at face value; the standard deviation of
a batch-norm is ``sqrt(var + eps)`` in float64, then taken at face value too. From there on all is
`fractions.Fraction`, so the integer thresholds are exact. The rounding rule, stated once: an
activation rounds to the nearest level, and a value half way goes up, because the threshold
between two levels belongs to the upper one (``code = number of thresholds <= value``).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntArray

Floats = NDArray[np.floating]
HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Levels:
    """Uniform levels of a code: ``value(code) = scale * (code + zero)``, code 0 to count - 1.

    Attributes
    ----------
    scale : Fraction
        Distance between two levels, positive.
    zero : Fraction
        Offset of code 0 in units of `scale`.
    count : int
        Number of levels.
    """

    scale: Fraction
    zero: Fraction
    count: int

    def value(self, code: int) -> Fraction:
        """Return the value `code` stands for."""
        return self.scale * (code + self.zero)

    def thresholds(self) -> tuple[Fraction, ...]:
        """Return the ``count - 1`` inclusive lower bounds of codes 1, 2, ..., in value space."""
        return tuple(self.value(code) - self.scale * HALF for code in range(1, self.count))


@dataclass(frozen=True, eq=False)
class Norm:
    """Batch-norm parameters, one of each per neuron; ``y = gamma * (z - mean) / sigma + beta``.

    Attributes
    ----------
    gamma, beta, mean, var : float arrays, shape (neurons,)
    eps : float
        ``sigma = sqrt(var + eps)``, rounded once to float64.
    """

    gamma: Floats
    beta: Floats
    mean: Floats
    var: Floats
    eps: float

    def sigma(self) -> NDArray[np.float64]:
        """Return the standard deviations as float64."""
        return np.sqrt(self.var.astype(np.float64) + float(self.eps))


def quantize_weights(weight: Floats, bits: int) -> tuple[IntArray, NDArray[np.float64]]:
    """Quantize rows of weights to symmetric signed integers, one scale per row.

    Parameters
    ----------
    weight : float array, shape (neurons, inputs)
        Zero where there is no connection.
    bits : int
        2 or more; integers lie in ``-(2**(bits-1) - 1) .. 2**(bits-1) - 1``.

    Returns
    -------
    weights : int64 array, shape (neurons, inputs)
    scale : float64 array, shape (neurons,)
        The largest magnitude of a row maps to the largest integer; 1 for a row of zeros.
    """
    top = (1 << (bits - 1)) - 1
    wide = weight.astype(np.float64)
    scale = np.abs(wide).max(axis=1, initial=0.0) / top
    # A subnormal scale would overflow the division below; such a row is no connection at all.
    scale[scale < np.finfo(np.float64).tiny] = 1.0
    return np.rint(wide / scale[:, None]).astype(np.int64), scale


def fold_linear(
    weights: IntArray,
    scale: Floats,
    x: Levels,
    out: Levels,
    *,
    bias: Floats | None = None,
    norm: Norm | None = None,
) -> tuple[IntArray, IntArray]:
    """Fold a linear layer with its norm and activation into integers.

    The layer is ``code = #{t in out.thresholds() : t <= norm(scale * weights @ x + bias)}`` on
    values ``x = x.value(code)``. Rows with a negative batch-norm gain are negated; a gain of zero
    makes the neuron constant.

    Parameters
    ----------
    weights : int64 array, shape (neurons, inputs)
    scale : float array, shape (neurons,)
        Positive value of one integer step of a row.
    x, out : Levels
        Levels of the input codes and of the activation.
    bias : float array, shape (neurons,), optional
    norm : Norm, optional

    Returns
    -------
    weights : int64 array, shape (neurons, inputs)
    thresholds : int64 array, shape (neurons, out.count - 1)
        ``code == sum(thresholds[i] <= weights[i] @ x_code)`` for all codes; saturated to one
        beyond the range the sum can reach.

    Raises
    ------
    IRError
        A scale is not positive, or a parameter is not finite.
    """
    scale = np.asarray(scale, dtype=np.float64)
    parameters = [scale, *([] if bias is None else [bias])]
    if norm is not None:
        parameters += [norm.gamma, norm.beta, norm.mean, norm.sigma()]
    if not all(np.isfinite(p).all() for p in parameters):
        raise IRError("cannot fold a layer", why="a parameter is NaN or infinite")
    if (scale <= 0).any() or x.scale <= 0 or (norm is not None and (norm.sigma() <= 0).any()):
        raise IRError("cannot fold a layer", why="a scale or a variance is not positive")
    folded = np.array(weights, dtype=np.int64)
    thresholds = np.zeros((len(folded), out.count - 1), dtype=np.int64)
    targets = out.thresholds()
    for i, row in enumerate(folded):
        step = Fraction(float(scale[i])) * x.scale
        shift = x.zero * int(row.sum())
        if bias is not None:
            shift += Fraction(float(bias[i])) / step
        gain, offset = Fraction(1), Fraction(0)
        if norm is not None:
            gain = Fraction(float(norm.gamma[i])) / Fraction(float(norm.sigma()[i]))
            offset = Fraction(float(norm.beta[i])) - gain * Fraction(float(norm.mean[i]))
        if gain < 0:
            folded[i] = row = -row
            gain, shift = -gain, -shift
        low = int(row[row < 0].sum()) * (x.count - 1)
        high = int(row[row > 0].sum()) * (x.count - 1)
        for k, target in enumerate(targets):
            if gain:
                exact = ceil((target - offset) / (gain * step) - shift)
            else:
                exact = low if target <= offset else high + 1
            thresholds[i, k] = min(max(exact, low), high + 1)
    return folded, thresholds
