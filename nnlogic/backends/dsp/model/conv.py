"""Weight-shared layers: one patch function, run over all positions of all images in the lanes.

The host cuts the maps into patches and packs them 48 to a word; the engine runs the program of
the layer once per group of patches; the results, in position order, are the maps of the next
layer. Every filter of a layer is in the one program, so patches are read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.core.errors import InputError, Problem, UsageError
from nnlogic.core.formats import IntArray, Port


class PatchFunction(Protocol):
    """A network over the codes of one patch: a Program, or any earlier stage of it."""

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One port per code of the patch."""

    @property
    def outputs(self) -> tuple[Port, ...]:
        """One port per channel of the result."""

    def evaluate(self, codes: IntArray) -> IntArray:
        """Return outputs (patches, outputs) of codes (patches, inputs)."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which codes of a map make a patch.

    Patch code ``(row * width + column) * channels + channel`` is the patch function's input port
    of that number.

    Attributes
    ----------
    height, width : int
    stride : int
        Distance of patches in both directions.
    padding : int
        Border added on all four sides.
    fill : int
        Code of the border.
    per_channel : bool
        Each channel is a patch of its own, with ``height * width`` codes, as pooling wants it;
        lanes then run over channels too.
    """

    height: int
    width: int
    stride: int = 1
    padding: int = 0
    fill: int = 0
    per_channel: bool = False

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.stride) < 1 or self.padding < 0:
            raise UsageError("no patch can be cut like this", why=str(self))

    def positions(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of positions on a map of `shape`."""
        rows, columns = (side + 2 * self.padding for side in shape)
        if rows < self.height or columns < self.width:
            raise InputError(
                "the map is smaller than the window",
                why=f"{rows} x {columns} with padding, window {self.height} x {self.width}",
            )
        return (rows - self.height) // self.stride + 1, (columns - self.width) // self.stride + 1

    def patches(self, maps: IntArray) -> IntArray:
        """Cut maps into patches.

        Parameters
        ----------
        maps : int array, shape (images, rows, columns, channels)

        Returns
        -------
        int64 array, shape (images * positions (* channels), codes)
            Image by image, position by position, then channel by channel when `per_channel`.
        """
        if maps.ndim != 4:
            raise InputError(
                "maps have the wrong shape",
                why=f"got {maps.shape}, need (images, rows, columns, channels)",
            )
        self.positions((maps.shape[1], maps.shape[2]))
        border = (self.padding, self.padding)
        padded = np.pad(maps, ((0, 0), border, border, (0, 0)), constant_values=self.fill)
        view = np.lib.stride_tricks.sliding_window_view(padded, (self.height, self.width), (1, 2))
        view = view[:, :: self.stride, :: self.stride]  # image, row, column, channel, h, w
        if not self.per_channel:
            view = view.transpose(0, 1, 2, 4, 5, 3)
        codes = self.height * self.width * (1 if self.per_channel else maps.shape[3])
        return view.reshape(-1, codes).astype(np.int64)


@dataclass(frozen=True, slots=True)
class PatchLayer:
    """A patch function and where it is applied.

    Attributes
    ----------
    name : str
    window : Window or None
        None: one patch, the whole map flattened as ``(row * columns + column) * channels +
        channel``, as a fully connected layer wants it.
    function : PatchFunction
    """

    name: str
    window: Window | None
    function: PatchFunction

    def apply(self, maps: IntArray) -> IntArray:
        """Run over all positions of all images; maps in, maps out."""
        return self.merged(maps, self.function.evaluate(self.codes(maps)))

    def codes(self, maps: IntArray) -> IntArray:
        """Return what the function reads, shape (patches, codes), image by image."""
        window = self.window
        patches = maps.reshape(len(maps), -1) if window is None else window.patches(maps)
        if patches.shape[1] != len(self.function.inputs):
            raise InputError(
                "a patch does not fit its function",
                where=self.name,
                why=f"{patches.shape[1]} codes, {len(self.function.inputs)} input ports",
            )
        return patches.astype(np.int64)

    def merged(self, maps: IntArray, outputs: IntArray) -> IntArray:
        """Return the maps that `outputs` of the patches of `maps` make."""
        shape = (1, 1)
        if self.window is not None:
            shape = self.window.positions((maps.shape[1], maps.shape[2]))
        return outputs.reshape(len(maps), *shape, -1)


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """What a layer costs on the engine, for a number of images.

    Attributes
    ----------
    name : str
    patches : int
        Lanes filled.
    groups : int
        Times the program runs.
    cycles : int
        ``groups`` intervals, and the way of the last results to the output memory.
    filled : float
        Share of the lanes that hold a patch.
    """

    name: str
    patches: int
    groups: int
    cycles: int
    filled: float


@dataclass(frozen=True, slots=True)
class PatchNetwork:
    """Layers in a chain.

    Attributes
    ----------
    layers : tuple of PatchLayer
    shape : tuple of int
        Rows, columns and channels of the input maps.
    """

    layers: tuple[PatchLayer, ...]
    shape: tuple[int, int, int]

    def evaluate(self, maps: IntArray) -> IntArray:
        """Return the outputs of the last layer.

        Parameters
        ----------
        maps : int array, shape (images, *shape)

        Returns
        -------
        int64 array, shape (images, rows * columns * channels of the last layer)
        """
        return self.trace(maps)[-1].reshape(len(maps), -1)

    def trace(self, maps: IntArray) -> list[IntArray]:
        """Return the maps after every layer."""
        maps = np.asarray(maps)
        if maps.shape[1:] != self.shape:
            raise InputError("maps have the wrong shape", why=f"{maps.shape[1:]}, {self.shape}")
        out = []
        for layer in self.layers:
            maps = layer.apply(maps)
            out.append(maps)
        return out

    def plan(self, images: int) -> tuple[LayerPlan, ...]:
        """Return what each layer costs when its function is a Program.

        Layers run one after the other on one engine whose program memory holds them all, or on
        an engine each; the sum of the cycles is the former, the largest the interval of the
        latter.
        """
        out = []
        rows, columns, channels = self.shape
        problems = []
        for layer in self.layers:
            if not isinstance(layer.function, Program):
                problems.append(Problem(layer.name, "is not compiled to a Program"))
                continue
            program = layer.function
            patches, shape = images, (1, 1)
            if layer.window is not None:
                shape = layer.window.positions((rows, columns))
                patches *= shape[0] * shape[1] * (channels if layer.window.per_channel else 1)
            groups = -(-patches // program.vectors)
            cycles = groups * program.interval + program.latency - 1
            filled = patches / (groups * program.vectors)
            out.append(LayerPlan(layer.name, patches, groups, cycles, filled))
            kept = layer.window is not None and layer.window.per_channel
            rows, columns = shape
            channels = len(program.outputs) * (channels if kept else 1)
        if problems:
            raise UsageError("the cost of these layers is not known", problems=problems)
        return tuple(out)


def plan_text(plans: Sequence[LayerPlan]) -> str:
    """One line per layer."""
    lines = ["layer           patches   groups     cycles  lanes filled"]
    lines += [
        f"{p.name:<12} {p.patches:>10,} {p.groups:>8,} {p.cycles:>10,}  {p.filled:.0%}"
        for p in plans
    ]
    return "\n".join(lines) + "\n"
