"""What a layer computes, for the checks: the contract of the files in `nnlogic.checks.layers`.

A checker says anew, from the parameters of a layer, what the layer's kind says in
`nnlogic.quant.layers`, and shares no code with it: this duplication is what makes a check worth
something. A kind without a checker of its own is checked by its `evaluate`, as `Checker` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from nnlogic.core.fields import Arrays, write_fields
from nnlogic.core.formats import IntArray
from nnlogic.quant.layer import Formats, Largest, Layer, Sums

Wire = tuple[str, int]
"""Layer and number of a wire."""
WIDEST = 20
"""Most input bits of a neuron that are still enumerated."""
SAMPLES = 4096
CHUNK = 1 << 14

L = TypeVar("L", bound=Layer)


@dataclass(frozen=True)
class Copy:
    """One use of a small network in a layer that is made of such.

    Attributes
    ----------
    kernel : tuple of Checker
        Of the layers of the network, in order; the last gives the neurons of the copy.
    window : tuple of int or None
        Wires of the layer that the network reads as ``"input"``; None for a constant.
    formats : tuple of IntFormat
        Of the wires of the window.
    """

    kernel: tuple[Checker[Any], ...]
    window: tuple[int | None, ...]
    formats: Formats


class Checker(Generic[L]):
    """What one layer computes. This base knows a layer by evaluating it, and by nothing else.

    Attributes
    ----------
    kind : str
        Of the layers it is for.
    layer : Layer
    formats : tuple of IntFormat
        Of the wires of all sources.
    """

    kind: ClassVar[str] = ""

    def __init__(self, layer: L, formats: Formats) -> None:
        self.layer, self.formats = layer, formats

    @property
    def direct(self) -> bool:
        """Whether the layer is only known by evaluating it."""
        return type(self) is Checker

    def copies(self) -> tuple[list[Copy], int] | None:
        """Return the copies that make up the layer, in order of its neurons, and the constant.

        None for a layer that is one piece, as here. What copies compute becomes blocks of its own:
        those of the last layers are ``<layer>/neuron<i>``, those of others
        ``<layer>/<inner layer>/neuron<i>``, counted over the copies.
        """
        return None

    def fan_in(self, neuron: int) -> list[int]:
        """Return the wires a neuron depends on at most, each once, in increasing order."""
        return sorted(set(self.layer.wires(neuron, self.formats)))

    def values(self, neuron: int, inputs: Mapping[int, IntArray], size: int) -> IntArray:
        """Return the values of a neuron, shape (size,), for values of its wires.

        Here the other wires are given random codes: a neuron that depends on one shows it.
        """
        rng = np.random.default_rng(neuron)
        out = np.empty(size, np.int64)
        for start in range(0, size, CHUNK):
            rows = slice(start, min(start + CHUNK, size))
            columns = [
                inputs[w][rows]
                if w in inputs
                else rng.integers(f.lo, f.hi, rows.stop - start, endpoint=True)
                for w, f in enumerate(self.formats)
            ]
            out[rows] = self.layer.evaluate(np.stack(columns, axis=1))[:, neuron]
        return out

    def codes(self, neuron: int) -> tuple[dict[int, IntArray], int]:
        """Return values of the wires a neuron reads, and how many: all that there are.

        Beyond `WIDEST` bits, random ones.
        """
        fan_in = self.fan_in(neuron)
        width = sum(self.formats[w].bits for w in fan_in)
        if width > WIDEST:
            rng = np.random.default_rng(neuron)
            ends = {w: (self.formats[w].lo, self.formats[w].hi) for w in fan_in}
            drawn = {w: rng.integers(*end, SAMPLES, endpoint=True) for w, end in ends.items()}
            return drawn, SAMPLES
        out, rest = {}, np.arange(1 << width)
        for w in fan_in:
            bits = self.formats[w].bits
            out[w] = self.formats[w].from_raw(rest & ((1 << bits) - 1))
            rest = rest >> bits
        return out, 1 << width

    def narrow(self) -> bool:
        """Whether every neuron can be evaluated on all its inputs."""
        every = range(len(self.layer.formats))
        return all(sum(self.formats[w].bits for w in self.fan_in(i)) <= WIDEST for i in every)

    def arithmetic(self) -> Sums | Largest | None:
        """Return the arithmetic that is the layer; None where it is none.

        Here what the layer says of itself, where `values` agree: on all inputs of every neuron
        where `narrow`, else on random ones.
        """
        said = self.layer.arithmetic
        if said is None:
            return None
        for neuron in range(len(self.layer.formats)):
            inputs, size = self.codes(neuron)
            computed = _computed(said, neuron, inputs, size)
            if not np.array_equal(computed, self.values(neuron, inputs, size)):
                return None
        return said

    def reads(self, wires: Sequence[Wire]) -> Mapping[str, object]:
        """Return all the layer computes, in terms of the wires of the whole network.

        Two layers are equal where these are; arrays stand in a list under ``"tables"``. Here a
        table per neuron where `narrow`, else all fields and wires.
        """
        common = {"kind": self.layer.kind, "formats": self.layer.formats}
        if self.narrow():
            every = range(len(self.layer.formats))
            inputs = [[(wires[w], self.formats[w]) for w in self.fan_in(i)] for i in every]
            tables = [self.values(i, *self.codes(i)) for i in every]
            return {**common, "inputs": inputs, "tables": tables}
        arrays: Arrays = {}
        fields = {k: v for k, v in write_fields(self.layer, "", arrays).items() if k != "sources"}
        return {**common, **fields, "wires": list(wires), "tables": list(arrays.values())}


def _computed(
    said: Sums | Largest, neuron: int, inputs: Mapping[int, IntArray], size: int
) -> IntArray:
    if isinstance(said, Largest):
        return np.argmax(np.stack([inputs[w] for w in sorted(inputs)]), axis=0)
    total = np.full(size, said.bias[neuron], np.int64)
    for wire, weight in enumerate(said.weights[neuron].tolist()):
        if weight:
            total += weight * inputs.get(wire, 0)
    if said.thresholds is None:
        return total
    return np.sum([total >= t for t in said.thresholds[neuron]], axis=0, dtype=np.int64)
