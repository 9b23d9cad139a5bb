"""Tables with learned wires at every position of a feature map: convolutions as logic.

A map is a tensor ``(members, channels, height, width, samples)``. The windows of all positions are
samples to the tables of a kernel, so wires, tables and their gradients are those of
`nnlogic.nn.population.tables.Tables`, summed over positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnlogic.core.windows import Frame, Window
from nnlogic.model.window import WindowSpec
from nnlogic.nn.population.functional import on_gpu
from nnlogic.nn.population.parts import Part, Place
from nnlogic.nn.population.tables import Phase, Tables


class Unfold(torch.autograd.Function):
    """Windows of a map, side by side; its gradient adds up what the windows share."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: Window) -> Tensor:
        """Return windows: map (m, c, h, w, b) -> (m, taps * c, positions, b)."""
        members, channels, height, width, samples = x.shape
        ctx.frame, ctx.window = Frame(channels, height, width), window
        top, bottom, left, right = window.padding
        padded = functional.pad(x, (0, 0, left, right, top, bottom))
        taps = [padded[:, :, rows, columns] for rows, columns in _taps(ctx.frame, window)]
        return torch.stack(taps, 1).view(members, len(taps) * channels, -1, samples)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the map."""
        (grad,) = grads
        frame, window = ctx.frame, ctx.window
        if on_gpu(grad):
            from nnlogic.nn.population.fused import fold

            return fold(grad, frame, window), None
        members, samples = grad.shape[0], grad.shape[-1]
        (top, bottom, left, right), high_wide = window.padding, window.output(frame)
        tall, wide = frame.height + top + bottom, frame.width + left + right
        padded = grad.new_zeros((members, frame.channels, tall, wide, samples))
        parts = grad.view(members, window.taps, frame.channels, *high_wide, samples).unbind(1)
        for part, (rows, columns) in zip(parts, _taps(frame, window), strict=True):
            padded[:, :, rows, columns] += part
        inner = padded[:, :, top : top + frame.height, left : left + frame.width]
        return inner.contiguous(), None


def _taps(frame: Frame, window: Window) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns of the padded map under each tap, in raster order."""
    (high, wide), (sy, sx), (dy, dx) = window.output(frame), window.stride, window.dilation
    for ky in range(window.size[0]):
        for kx in range(window.size[1]):
            y, x = ky * dy, kx * dx
            rows = slice(y, y + (high - 1) * sy + 1, sy)
            yield rows, slice(x, x + (wide - 1) * sx + 1, sx)


def unfold(x: Tensor, window: Window) -> Tensor:
    """Return the windows of a map, see `Unfold`; those of one position are a view of it."""
    if window.taps == 1 and window.stride == (1, 1) and not any(window.padding):
        return x.flatten(2, 3)
    out: Tensor = Unfold.apply(x, window)  # type: ignore[no-untyped-call]
    return out


class WindowTables(nn.Module):
    """A kernel of layers of 6-input tables on the windows of a map, then pooling by OR.

    Parameters
    ----------
    members : int
    frame : Frame
        Of the map that is read.
    spec : WindowSpec
    generator : torch.Generator
    """

    def __init__(
        self, members: int, frame: Frame, spec: WindowSpec, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.frame, self.spec = frame, spec
        inputs, layers = spec.window.taps * frame.channels, []
        for width in spec.widths:
            layers.append(Tables(members, inputs, width, 1, generator))
            inputs = width
        self.layers = nn.ModuleList(layers)

    @property
    def kernel(self) -> list[Tables]:
        """The layers of the kernel."""
        return [layer for layer in self.layers if isinstance(layer, Tables)]

    @property
    def values_per_row(self) -> int:
        """Values that exist at once for one sample of one member, about."""
        inputs = self.spec.window.taps * self.frame.channels
        positions = self.spec.between(self.frame).positions
        return positions * (inputs + 8 * max(self.spec.widths))

    def forward(self, x: Tensor, phase: Phase) -> Tensor:
        """Return the pooled map, (members, channels, height, width, samples)."""
        samples, before = x.shape[-1], self.spec.between(self.frame)
        x = unfold(x, self.spec.window).flatten(2)
        for layer in self.kernel:
            x = layer(x, phase)
        x = x.unflatten(2, (before.height, before.width, samples))
        (down, across), after = self.spec.pool, self.spec.after(self.frame)
        if down == across == 1:
            return x
        x = x[:, :, : after.height * down, : after.width * across]
        blocks = x.unflatten(3, (after.width, across)).unflatten(2, (after.height, down))
        return blocks.amax((3, 5))

    def parts(self, member: int, name: str) -> list[Part]:
        """Return the layers of a member's kernel, numbered after `name`."""
        place = Place(name, self.frame, self.spec.window, self.spec.pooling)
        return [
            Part(f"{name}_{i}", "network", *layer.hard(member), place)
            for i, layer in enumerate(self.kernel)
        ]


def flat(x: Tensor) -> Tensor:
    """Return the wires of a map, (members, wires, samples): position-major, channel-minor."""
    return x.permute(0, 2, 3, 1, 4).flatten(1, 3)


def as_map(wires: Tensor, frame: Frame) -> Tensor:
    """Inverse of `flat`."""
    shape = (frame.height, frame.width, frame.channels)
    return wires.unflatten(1, shape).permute(0, 3, 1, 2, 4)
