"""Windowed: a small network at every position of a feature map. Convolutions and pooling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.bits import Bools, pack, unpack
from nnlogic.core.formats import IntArray
from nnlogic.core.windows import PADDING, Frame, Window
from nnlogic.quant.kernel import Copies, Kernel
from nnlogic.quant.layer import Formats, Layer

CHUNK = 1 << 16
"""Values of one wire, at all positions, that are computed at once."""


@dataclass(frozen=True)
class Use:
    """Where one kernel is applied.

    Attributes
    ----------
    kernel : int
    position : int
        Of the output, in raster order.
    group : int
        Of channels.
    """

    kernel: int
    position: int
    group: int


@dataclass(frozen=True, eq=False)
class Windowed(Layer):
    """Kernels applied at every position of a map.

    The channels of the map are split into `groups` of equal size; a kernel reads the window of
    one group. The output map's channels are those of group 0, then those of group 1, and so on.
    Wires lie as `nnlogic.core.windows` says. With one kernel all groups share it, as in pooling;
    with one per group it is a grouped convolution; between these, group ``g`` has kernel ``g
    modulo the number of kernels``.

    Attributes
    ----------
    sources : tuple of str
        One layer, or ``"input"``: the map.
    frame : Frame
        Of the map read.
    window : Window
    kernels : tuple of Kernel
        A divisor of `groups` of them where positions share kernels; else ``positions * groups``,
        groups of position 0 first.
    groups : int
    shared : bool
        Whether all positions have the same kernels.
    period : int
        Where not 0: channels of a kernel this far apart read the same wires of its window, as in
        pre-defined sparsity (Kundu et al. 2020).
    """

    kind = "Windowed"
    name: str
    sources: tuple[str, ...]
    frame: Frame
    window: Window
    kernels: tuple[Kernel, ...]
    groups: int = 1
    shared: bool = True
    period: int = 0
    role: str = "network"

    @cached_property
    def output(self) -> Frame:
        """Shape of the output map."""
        channels = len(self.kernels[0].formats) * self.groups
        return Frame(channels, *self.window.output(self.frame))

    @cached_property
    def formats(self) -> Formats:  # type: ignore[override]
        """Formats of the output map's wires; none where the layer's own fields disagree."""
        if self._own_problems:
            return ()
        return tuple(fmt for use in self.uses() for fmt in self.kernels[use.kernel].formats)

    def uses(self) -> Iterator[Use]:
        """Yield every kernel at every position; in the order of the output wires."""
        for position in range(self.output.positions):
            for group in range(self.groups):
                kernel = (
                    group % len(self.kernels) if self.shared else position * self.groups + group
                )
                yield Use(kernel, position, group)

    @cached_property
    def windows(self) -> IntArray:
        """Wires of the map under each window, `PADDING` outside the frame.

        int64 array, shape (positions, groups, wires of a window)
        """
        taps, size = self.window.taps, self.frame.channels // self.groups
        wires = self.window.wires_at(self.frame).reshape(-1, taps, self.groups, size)
        return wires.transpose(0, 2, 1, 3).reshape(len(wires), self.groups, taps * size)

    def copies(self, x_formats: Formats) -> Copies:
        """Return a copy per position and group."""
        numbers = np.array([use.kernel for use in self.uses()], np.int64)
        formats = tuple(
            self.window_formats(x_formats, number % self.groups)
            for number in range(len(self.kernels))
        )
        wires = self.windows.reshape(len(numbers), -1)
        return Copies(self.kernels, formats, numbers, wires, self.window.padding_code)

    def window_formats(self, x_formats: Formats, group: int = 0) -> Formats:
        """Return the formats of the wires of a window; `x_formats` are those of the map."""
        size = self.frame.channels // self.groups
        return x_formats[group * size : (group + 1) * size] * self.window.taps

    def evaluate(self, x: IntArray) -> IntArray:
        """Return output values, shape (samples, neurons)."""
        positions, groups, _ = self.windows.shape
        out = np.empty((len(x), positions, groups, self.output.channels // groups), np.int64)
        bitwise = all(kernel.bitwise for kernel in self.kernels)
        step = max(64, CHUNK // positions * (64 if bitwise else 1) // 64 * 64)
        for start in range(0, len(x), step):
            part = x[start : start + step].T
            done = self._by_words(part) if bitwise else self._by_columns(part)
            out[start : start + step] = done.transpose(3, 2, 0, 1)
        return out.reshape(len(x), positions * self.output.channels)

    def _by_columns(self, x: IntArray) -> IntArray:
        # PADDING is the last row.
        padding = np.full((1, x.shape[1]), self.window.padding_code, np.int64)
        return self._at_all_places(
            np.concatenate([x, padding]).astype(np.int64, copy=False),
            lambda kernel, read, count: kernel.columns(read, count),
        )

    def _by_words(self, x: IntArray) -> Bools:
        rows = np.concatenate([x != 0, np.full((1, x.shape[1]), self.window.padding_code != 0)])
        words = self._at_all_places(
            pack(rows), lambda kernel, read, count: kernel.words(read, count)
        )
        return unpack(words, x.shape[1]).astype(np.int64)

    def _at_all_places(
        self, rows: NDArray[Any], compute: Callable[[Kernel, Callable[[int], Any], int], Any]
    ) -> NDArray[Any]:
        """Return all channels, shape (groups, channels, positions, columns), of rows by wire."""
        positions, groups, width = self.windows.shape
        shape = groups, self.output.channels // groups, positions, rows.shape[1]
        out = np.empty(shape, rows.dtype)
        for kernel, at, group in self._places():
            wires = self.windows[at, group].T

            def read(wire: int, wires: IntArray = wires) -> NDArray[Any]:
                return rows[wires[wire]]

            out[group, :, at] = compute(self.kernels[kernel], read, width)
        return out

    def _places(self) -> Iterator[tuple[int, slice, int]]:
        """Yield kernel, positions and group of everything that is computed at once."""
        for group in range(self.groups):
            if self.shared:
                yield group % len(self.kernels), slice(None), group
            else:
                for position in range(self.output.positions):
                    yield position * self.groups + group, slice(position, position + 1), group

    def _use(self, position: int, group: int) -> Use:
        unshared = position * self.groups + group
        return Use(group % len(self.kernels) if self.shared else unshared, position, group)

    def use_of(self, neuron: int) -> tuple[Use, int]:
        """Return the kernel of a neuron with its place, and the kernel's channel."""
        channels = self.output.channels // self.groups
        at, channel = divmod(neuron, channels)
        return self._use(*divmod(at, self.groups)), channel

    def wires(self, neuron: int, x_formats: Formats) -> tuple[int, ...]:
        """Return the wires of the map that the neuron's channel of the kernel depends on."""
        use, channel = self.use_of(neuron)
        reads = self._reads(x_formats)[use.kernel][channel]
        wires = self.windows[use.position, use.group]
        return tuple(int(wires[w]) for w in sorted(reads) if wires[w] != PADDING)

    def _reads(self, x_formats: Formats) -> list[tuple[frozenset[int], ...]]:
        """Return the wires of the window each channel of each kernel reads."""
        cache: dict[str, list[tuple[frozenset[int], ...]]] = self.__dict__
        if "_read" not in cache:
            formats = self.window_formats(x_formats)
            cache["_read"] = [kernel.reads(formats) for kernel in self.kernels]
        return cache["_read"]

    def table(self, neuron: int, x_formats: Formats) -> IntArray:
        """Return a neuron's outputs for all codes of the wires it reads, by its kernel."""
        use, channel = self.use_of(neuron)
        formats = self.window_formats(x_formats, use.group)
        wires = self.windows[use.position, use.group]
        read = [w for w in sorted(self._reads(x_formats)[use.kernel][channel]) if wires[w] >= 0]
        index = np.arange(1 << sum(formats[w].bits for w in read))
        x = np.zeros((len(index), len(wires)), np.int64)
        x[:, wires == PADDING] = self.window.padding_code
        for w in read:
            x[:, w] = formats[w].from_raw(index & ((1 << formats[w].bits) - 1))
            index >>= formats[w].bits
        return self.kernels[use.kernel].evaluate(x)[:, channel]

    def fan_in_bits(self, x_formats: Formats) -> list[int]:
        """Return, per neuron, the bits of the wires of the map it reads."""
        bits = np.array([fmt.bits for fmt in x_formats] + [0])  # PADDING reads the last
        out = []
        for use in self.uses():
            at = bits[self.windows[use.position, use.group]]
            out += [int(at[sorted(r)].sum()) for r in self._reads(x_formats)[use.kernel]]
        return out

    @cached_property
    def _own_problems(self) -> list[str]:
        """What is wrong whatever is read: as long as it is, there is no output map."""
        out = self.window.problems(self.frame)
        if out:
            return out
        channels, count = self.frame.channels, len(self.kernels)
        positions = int(np.prod(self.window.output(self.frame)))
        if self.groups < 1 or channels % self.groups:
            return [f"{channels} channels cannot be split into {self.groups} groups"]
        if self.shared and (not count or self.groups % count):
            out.append(f"{count} kernels cannot take turns in {self.groups} groups")
        if not self.shared and count != positions * self.groups:
            out.append(f"{count} kernels for {positions} positions of {self.groups} groups")
        nested = {x.name for k in self.kernels for x in k.layers if isinstance(x, Windowed)}
        if nested:
            return [f"layers of a kernel are windowed themselves: {', '.join(sorted(nested))}"]
        sizes = {len(kernel.formats) for kernel in self.kernels}
        if 0 in sizes:
            out.append("a kernel has no layers, or no output channels")
        elif len(sizes) > 1:
            out.append("kernels have different numbers of output channels")
        return out or self.output.problems()

    def problems(self, x_formats: Formats) -> list[str]:
        """Return what breaks the layer's rules."""
        out = list(self._own_problems)
        if len(self.sources) != 1:
            out.append(f"reads {len(self.sources)} layers; a map is one")
        if len(x_formats) != self.frame.wires:
            out.append(
                f"the frame {self.frame} has {self.frame.wires} wires, "
                f"{len(x_formats)} come from {', '.join(self.sources)}"
            )
        return out or self._kernel_problems(x_formats)

    def _kernel_problems(self, x_formats: Formats) -> list[str]:
        channels = self.frame.channels
        uneven = [c for c in range(channels) if len(set(x_formats[c::channels])) > 1]
        if uneven:
            return [f"channel {uneven[0]} of the map has several formats"]
        out = [
            f"padding code {self.window.padding_code} is outside the format {fmt} of channel {c}"
            for c, fmt in enumerate(x_formats[:channels])
            if any(self.window.padding) and not fmt.lo <= self.window.padding_code <= fmt.hi
        ]
        if out:
            return out
        seen: dict[tuple[int, Formats], None] = {}
        for use in self._samples():
            seen.setdefault((use.kernel, self.window_formats(x_formats, use.group)))
        for number, formats in seen:
            out += [f"kernel {number}: {why}" for why in self.kernels[number].problems(formats)]
        return out or self._period_problems(x_formats)

    def _samples(self) -> Iterator[Use]:
        """Yield uses in which every kernel meets every group it has."""
        for group in range(self.groups):
            if self.shared:
                yield Use(group % len(self.kernels), 0, group)
            else:
                for at in range(group, len(self.kernels), self.groups):
                    yield Use(at, at // self.groups, group)

    def _period_problems(self, x_formats: Formats) -> list[str]:
        if self.period < 0:
            return [f"a period of {self.period}"]
        if not self.period:
            return []
        return [
            f"kernel {number}: channel {c} reads other wires than channel {c - self.period}, "
            f"though the supports are said to repeat every {self.period} channels"
            for number, reads in enumerate(self._reads(x_formats))
            for c in range(self.period, len(reads))
            if reads[c] != reads[c - self.period]
        ][:1]

    def label(self) -> str:
        """Return the kind with the window."""
        return f"windowed {self.window.size[0]}x{self.window.size[1]}"

    def text(self, x_formats: Formats) -> str:
        """Return frames, window, sharing, and the layers of the first kernel."""
        kernel = self.kernels[0]
        formats = self.window_formats(x_formats)
        layers = "; ".join(
            f"{layer.name}({','.join(layer.sources)}) {len(layer.formats)} x "
            f"{layer.text(kernel.x_formats(layer, formats))}"
            for layer in kernel.layers
        )
        count = len(self.kernels)
        shared = f"{count} kernel{'s' if count > 1 else ''}"
        if not self.shared:
            shared += " not shared"
        if self.groups > 1:
            shared += f", {self.groups} groups"
        if self.period:
            shared += f", period {self.period}"
        return f"windows {self.window} of {self.frame} -> {self.output}, {shared} [{layers}]"


LAYER = Windowed
