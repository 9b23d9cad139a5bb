"""Kernels: small networks that a layer applies at many places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnlogic.core.bits import Words
from nnlogic.core.fields import stored
from nnlogic.core.formats import ROLES, IntArray
from nnlogic.quant.layer import Formats, Layer
from nnlogic.quant.layers import layer_kinds

WINDOW = "input"
"""What the layers of a kernel call the wires of the window."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """A small network, here on the wires of one window.

    Attributes
    ----------
    layers : tuple of Layer
        Of any kinds but windowed; sources are ``"input"``, the window, or layers before. The
        neurons of the last one are the output channels.
    """

    layers: tuple[Layer, ...] = field(metadata=stored(kinds=layer_kinds))

    @property
    def formats(self) -> Formats:
        """Formats of the output channels."""
        return self.layers[-1].formats if self.layers else ()

    def x_formats(self, layer: Layer, window: Formats) -> Formats:
        """Return the formats of the wires `layer` reads; `window` are those of the window."""
        known = {WINDOW: window, **{one.name: one.formats for one in self.layers}}
        return tuple(f for source in layer.sources for f in known[source])

    def evaluate(self, x: IntArray) -> IntArray:
        """Return output channels, shape (windows, channels), of windows (windows, wires)."""
        return self.columns(lambda wire: x[None, :, wire], x.shape[1])[:, 0].T

    def columns(self, read: Callable[[int], IntArray], count: int) -> IntArray:
        """Return output channels from the wires of the window; see `Layer.columns`."""
        return self._composed(read, count, lambda layer, at, wires: layer.columns(at, wires))

    @property
    def bitwise(self) -> bool:
        """Whether all of it is single bits; see `Layer.bitwise`."""
        return all(layer.bitwise for layer in self.layers)

    def words(self, read: Callable[[int], Words], count: int) -> Words:
        """Return output channels from the wires of the window; see `Layer.words`."""
        return self._composed(read, count, lambda layer, at, _: layer.words(at))

    def _composed(
        self,
        read: Callable[[int], Any],
        count: int,
        compute: Callable[[Layer, Callable[[int], Any], int], Any],
    ) -> Any:
        values: dict[str, Any] = {}
        sizes = {WINDOW: count, **{layer.name: len(layer.formats) for layer in self.layers}}
        for layer in self.layers:
            wires = [(s, i) for s in layer.sources for i in range(sizes[s])]

            def at(wire: int, wires: list[tuple[str, int]] = wires) -> Any:
                source, i = wires[wire]
                return read(i) if source == WINDOW else values[source][i]

            values[layer.name] = compute(layer, at, len(wires))
        return values[self.layers[-1].name]

    def reads(self, window: Formats) -> tuple[frozenset[int], ...]:
        """Return, per output channel, the wires of the window it depends on at most."""
        known = {WINDOW: tuple(frozenset([i]) for i in range(len(window)))}
        for layer in self.layers:
            x = [wires for source in layer.sources for wires in known[source]]
            formats = self.x_formats(layer, window)
            known[layer.name] = tuple(
                frozenset().union(*(x[w] for w in layer.wires(i, formats)))
                for i in range(len(layer.formats))
            )
        return known[self.layers[-1].name]

    def problems(self, window: Formats) -> list[str]:
        """Return what breaks the rules of a kernel."""
        if not self.layers:
            return ["a kernel has no layers"]
        out, seen = [], {WINDOW}
        for layer in self.layers:
            missing = [source for source in layer.sources if source not in seen]
            if missing or not layer.sources:
                out.append(f"{layer.name} reads {missing or 'nothing'}, not yet defined")
            elif layer.name in seen:
                out.append(f"the name {layer.name} is used twice")
            else:
                found = layer.problems(self.x_formats(layer, window))
                out += [f"{layer.name}: {why}" for why in found]
            if layer.role not in ROLES:
                out.append(f"{layer.name} has role {layer.role!r:.40}, not of {ROLES}")
            seen.add(layer.name)
        return out


@dataclass(frozen=True, eq=False)
class Copies:
    """A layer as copies of kernels; their outputs, copy by copy, are the layer's neurons.

    Attributes
    ----------
    kernels : tuple of Kernel
    formats : tuple of tuple of IntFormat
        Of the wires that each kernel reads.
    numbers : int64 array, shape (copies,)
        Which kernel each copy is of.
    wires : int64 array, shape (copies, wires of a kernel)
        Wires of the layer that each copy reads; negative for `constant`.
    constant : int
    """

    kernels: tuple[Kernel, ...]
    formats: tuple[Formats, ...]
    numbers: IntArray
    wires: IntArray
    constant: int

    def parts(self) -> Iterator[Part]:
        """Yield the layers of every kernel."""
        uses = np.bincount(self.numbers, minlength=len(self.kernels)).tolist()
        for number, (kernel, window) in enumerate(zip(self.kernels, self.formats, strict=True)):
            for layer in kernel.layers:
                yield Part(number, layer, kernel.x_formats(layer, window), uses[number])


@dataclass(frozen=True, eq=False)
class Part:
    """A layer of a kernel.

    Attributes
    ----------
    kernel : int
    layer : Layer
    formats : tuple of IntFormat
        Of the wires it reads.
    uses : int
        Copies of the kernel.
    """

    kernel: int
    layer: Layer
    formats: Formats
    uses: int
