"""Linear: integer weighted sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntArray
from nnlogic.quant.layer import Formats, Layer, Sums


@dataclass(frozen=True, eq=False)
class Linear(Layer):
    """Integer weighted sums, thresholded or not.

    With thresholds the output code is the number of thresholds ``<= weights @ x + bias``;
    without, it is the sum itself. A popcount is a Linear with weights of one.

    Attributes
    ----------
    weights : int64 array, shape (neurons, inputs)
        Zero where there is no connection.
    bias : int64 array, shape (neurons,)
    thresholds : int64 array, shape (neurons, levels - 1), or None
        Nondecreasing along the last axis.
    """

    kind = "Linear"
    name: str
    sources: tuple[str, ...]
    weights: IntArray = field(metadata=stored(dims=2))
    bias: IntArray = field(metadata=stored(dims=1))
    thresholds: IntArray | None = field(metadata=stored(dims=2))
    formats: Formats
    role: str = "network"

    def evaluate(self, x: IntArray) -> IntArray:
        """Return output values, shape (samples, neurons)."""
        # float64 products are exact: problems() bounds every partial sum below 2**53.
        acc = x.astype(np.float64) @ self.weights.T.astype(np.float64)
        total = acc.astype(np.int64) + self.bias
        if self.thresholds is None:
            return total
        out = np.zeros(total.shape, dtype=np.int64)
        for k in range(self.thresholds.shape[1]):
            out += total >= self.thresholds[:, k]
        return out

    def wires(self, neuron: int, x_formats: Formats) -> tuple[int, ...]:
        """Return the wires with a weight."""
        return tuple(np.flatnonzero(self.weights[neuron]).tolist())

    def problems(self, x_formats: Formats) -> list[str]:
        """Return what breaks the layer's rules."""
        out = []
        n = len(self.formats)
        if self.weights.shape != (n, len(x_formats)) or self.bias.shape != (n,):
            return [
                f"weights {self.weights.shape} and bias {self.bias.shape} for {n} neurons "
                f"of {len(x_formats)} inputs"
            ]
        span = np.array([max(abs(f.lo), abs(f.hi)) for f in x_formats], dtype=np.float64)
        # As floats first: the least int64 has no absolute value.
        worst = np.abs(self.weights.astype(np.float64)) @ span + np.abs(
            self.bias.astype(np.float64)
        )
        if worst.size and worst.max() >= 2.0**53:
            out.append(f"accumulator of neuron {int(worst.argmax())} exceeds 53 bits")
        if self.thresholds is not None:
            if self.thresholds.ndim != 2 or self.thresholds.shape[0] != n:
                out.append(f"thresholds of shape {self.thresholds.shape} for {n} neurons")
                return out
            if np.any(self.thresholds[:, 1:] < self.thresholds[:, :-1]):
                out.append("thresholds decrease")
            if any(f.lo != 0 or f.hi < self.thresholds.shape[1] for f in self.formats):
                out.append(f"{self.thresholds.shape[1]} thresholds do not fit the output format")
        elif not out:
            lo_x = np.array([f.lo for f in x_formats], dtype=np.int64)
            hi_x = np.array([f.hi for f in x_formats], dtype=np.int64)
            pos, neg = np.maximum(self.weights, 0), np.minimum(self.weights, 0)
            lo = pos @ lo_x + neg @ hi_x + self.bias
            hi = pos @ hi_x + neg @ lo_x + self.bias
            out += [
                f"neuron {i} reaches {lo[i]}..{hi[i]}, outside {f}"
                for i, f in enumerate(self.formats)
                if lo[i] < f.lo or hi[i] > f.hi
            ]
        return out

    def table(self, neuron: int, x_formats: Formats) -> IntArray:
        """Return output values for all ``2**n`` codes, by adding up wire after wire."""
        acc = np.array([self.bias[neuron]], dtype=np.int64)
        for wire in self.wires(neuron, x_formats):
            fmt = x_formats[wire]
            values = fmt.from_raw(np.arange(1 << fmt.bits))
            acc = (self.weights[neuron, wire] * values[:, None] + acc[None, :]).ravel()
        if self.thresholds is None:
            return acc
        return np.searchsorted(self.thresholds[neuron], acc, side="right").astype(np.int64)

    @property
    def arithmetic(self) -> Sums:
        """The layer itself."""
        return Sums(self.weights, self.bias, self.thresholds)

    def rewired(
        self, sources: tuple[str, ...], places: Sequence[int], x_formats: Formats
    ) -> Linear:
        """Return the layer with its columns moved; those that meet are added."""
        weights = np.zeros((len(self.formats), len(x_formats)), dtype=np.int64)
        for wire, place in enumerate(places):
            if self.weights[:, wire].any():
                weights[:, place] += self.weights[:, wire]
        return replace(self, sources=sources, weights=frozen(weights, np.int64))

    def label(self) -> str:
        """Return the kind with the number of levels."""
        return "linear" + (
            " sum" if self.thresholds is None else f", {self.thresholds.shape[1] + 1} levels"
        )

    def text(self, x_formats: Formats) -> str:
        """Return fan-ins, the largest weight, and the number of levels."""
        fans = (self.weights != 0).sum(axis=1)
        levels = "sum" if self.thresholds is None else f"{self.thresholds.shape[1] + 1} levels"
        return f"linear fan-in {fans.min()}..{fans.max()} |w| <= {abs(self.weights).max()} {levels}"


LAYER = Linear
