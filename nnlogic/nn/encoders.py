"""Layers of functions of one feature, and how many bits each feature deserves.

The first layer of a network may be an encoder: every wire it gives is a function of the code of a
single feature, so with codes of up to 6 bits each wire costs at most one LUT6. Encoders are
families like any other (`nnlogic.nn.families`, kinds ``thermometer``, ``functions`` and
``truncate``) and are exported as Enumerated layers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray
from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.connect import Fixed
from nnlogic.nn.family import Tabulated, refuse
from nnlogic.nn.gates import Price, read_at_all
from nnlogic.quant.fold import HALF, Levels


class OneFeature(Tabulated):
    """Base of encoders: every wire is a function of one input code.

    An encoder reads input codes; no gradient goes back through it.

    Parameters
    ----------
    x : Codes
        Of uniform levels.
    spec : LayerSpec
    feature : int64 Tensor, shape (width,)
        Input each wire reads.
    """

    shrinks = False

    def __init__(self, x: Codes, spec: LayerSpec, feature: Tensor) -> None:
        if x.levels is None:
            raise refuse(spec, "an encoder reads input codes", "make it the first layer")
        if spec.fan_in > 1 or spec.connect != "random":
            why = "each of its wires reads one input, and which one is fixed"
            raise refuse(spec, why, "leave out fan_in and connect")
        super().__init__(x, replace(spec, fan_in=1), torch.Generator())
        self.connect = Fixed(feature[:, None], self.inputs)
        self.in_bits = x.bits
        self.step, self.zero = float(x.levels.scale), float(x.levels.zero)

    @property
    def feature(self) -> Tensor:
        """Input each wire reads, int64, shape (width,)."""
        return self.connect.wires()[:, 0]

    def positions(self, x: Tensor) -> Tensor:
        """Return the input code every wire reads, as floats (samples, width)."""
        return torch.round(x.detach()[:, self.feature] / self.step - self.zero)

    def functions(self) -> Tensor:
        """Return the output code of each wire by input code, int64 (width, 2**most bits)."""
        raise NotImplementedError

    def tables(self, x: Codes) -> list[IntArray]:
        """Return the table of each wire."""
        sizes = [1 << x.bits[f] for f in self.feature.tolist()]
        return [row[:size] for row, size in zip(self.functions().cpu().numpy(), sizes, strict=True)]

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return one LUT6 per wire that is read, and how far the features are."""
        read = read_at_all(self.feature[:, None], live[:, None], None, self.inputs)
        return live.sum(), read

    def output(self, x: Codes) -> Codes:
        """Return wires of one bit that stand for -1 and +1."""
        return Codes.uniform((1,) * self.spec.width, Levels(4 * HALF, -HALF, 2))


def spread_over(spec: LayerSpec, counts: tuple[int, ...], inputs: int) -> Tensor:
    """Return the input each wire of an encoder reads, in increasing order.

    Parameters
    ----------
    spec : LayerSpec
        Its width is the number of wires, of one bit each.
    counts : tuple of int
        Wires per input; empty for an even spread, the first inputs taking what is left over.
    inputs : int
    """
    if spec.bits != 1:
        raise refuse(spec, f"its wires have 1 bit, not {spec.bits}", "bits = 1")
    if not counts:
        each, more = divmod(spec.width, inputs)
        counts = (each + 1,) * more + (each,) * (inputs - more)
    if len(counts) != inputs or sum(counts) != spec.width or min(counts) < 0:
        why = f"counts for {len(counts)} inputs, {sum(counts)} wires in all"
        raise refuse(spec, why, f"give {inputs} counts that sum to the width, {spec.width}")
    return torch.repeat_interleave(torch.arange(inputs), torch.tensor(counts))


def allocate_bits(
    codes: NDArray[np.integer], labels: NDArray[np.integer], budget: int, bits: int = 6
) -> tuple[int, ...]:
    """Share out input bits by how much they tell about the class.

    One bit after another goes to the feature whose code gains most mutual information with the
    label from it (less the length of describing it, as in the Bayesian information criterion, so
    that noise gains nothing). Features are judged one by one: what two of them have in common
    counts twice.

    Parameters
    ----------
    codes : int array, shape (rows, features)
        Unsigned codes of `bits` bits of training rows; fewer bits are the top ones of these.
    labels : int array, shape (rows,)
        Class indices from 0.
    budget : int
        Bits in all; fewer are used when more gain nothing.
    bits : int
        Most bits of a feature.

    Returns
    -------
    tuple of int
        Bits per feature; 0 for a feature to leave out. It is what ``keep`` of the ``truncate``
        encoder takes.
    """
    features = codes.shape[1]
    if not 0 < budget <= features * bits:
        raise UsageError("input bits out of range", why=f"{budget}, at most {features * bits}")
    known = np.zeros((features, bits + 1))
    for f in range(features):
        for b in range(1, bits + 1):
            known[f, b] = _information(codes[:, f] >> (bits - b), labels)
    given = np.zeros(features, dtype=np.int64)
    for _ in range(budget):
        # A bit that pays only together with later ones is judged by their average.
        best_gain, best = 0.0, -1
        for f, b in enumerate(given.tolist()):
            later = known[f, b + 1 :] - known[f, b]
            gain = (later / np.arange(1, len(later) + 1)).max(initial=0.0)
            if gain > best_gain:
                best_gain, best = gain, f
        if best < 0:
            break
        given[best] += 1
    return tuple(int(b) for b in given)


def _information(codes: NDArray[np.integer], labels: NDArray[np.integer]) -> float:
    # Nats; half a log of the number of rows less for every free entry of the joint table.
    counts = np.zeros((int(codes.max()) + 1, int(labels.max()) + 1))
    np.add.at(counts, (codes, labels), 1)
    rows, columns = (_entropy(counts.sum(axis)) for axis in (0, 1))
    free = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    price = free * np.log(len(codes)) / (2 * len(codes))
    return rows + columns - _entropy(counts.ravel()) - float(price)


def _entropy(counts: NDArray[np.float64]) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())
