"""Layers of any families on the windows of a feature map: convolution, and pooling after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn

from nnlogic.core.formats import IntFormat
from nnlogic.core.windows import PADDING, Frame
from nnlogic.model.layer import LayerSpec
from nnlogic.model.window import WindowSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.family import Family, chain_cost, refuse
from nnlogic.nn.gates import Price, either
from nnlogic.quant.fold import Levels
from nnlogic.quant.ir import Layer
from nnlogic.quant.kernel import WINDOW, Kernel
from nnlogic.quant.layers.windowed import Windowed
from nnlogic.quant.pooling import pooling

POOLINGS = ("max", "min", "sum")
CODES_AT_ONCE = 1 << 22


class Windows(Family):
    """A kernel of layers at every position of a map, its weights shared, then pooling.

    Wires of maps and windows lie as `nnlogic.core.windows` says. To the layers of the kernel the
    windows of all positions are samples.

    Parameters
    ----------
    x : Codes
        A map: all positions of a channel have the same codes.
    spec : LayerSpec
        `width` is that of the last layer of the kernel: the channels of the map that comes out.
    generator : torch.Generator
    frame : tuple of int
        Rows and columns of the map that is read; of data of one dimension 1 row.
    size, stride, padding, dilation, pool : tuples of int
        See `WindowSpec`.
    padding_code : int
        Of all channels outside the map.
    pooling : str
        ``"max"``, ``"min"`` or ``"sum"``.
    layers : tuple of LayerSpec
        Of the kernel; the first reads the window.
    """

    kind = "window"

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        frame: tuple[int, ...] = (),
        size: tuple[int, ...] = (3, 3),
        stride: tuple[int, ...] = (1, 1),
        padding: tuple[int, ...] = (0, 0),
        dilation: tuple[int, ...] = (1, 1),
        pool: tuple[int, ...] = (1, 1),
        padding_code: int = 0,
        pooling: str = "max",
        layers: tuple[LayerSpec, ...] = (),
    ) -> None:
        super().__init__(x, spec)
        from nnlogic.nn.families import make_family

        if (
            not layers
            or layers[-1].width != spec.width
            or any(part.family == self.kind for part in layers)
        ):
            why = f"a kernel of {len(layers)} layers, none of which may be windows"
            raise refuse(spec, why, f"[[layers.layers]] whose last has a width of {spec.width}")
        self.how = pooling
        shape = WindowSpec(size, (spec.width,), stride, padding, dilation, pool)
        self.frame = self._frame(x, frame)
        self._require(shape.problems(self.frame))
        self.window = replace(shape.window, padding_code=padding_code)
        self.pool, self.after = shape.pooling, shape.after(self.frame)
        self.between = shape.between(self.frame)
        self._require(self._code_problems(x))
        self.kernel, before = nn.ModuleList(), self._window_codes(x)
        for part in layers:
            layer = make_family(before, replace(part, name=f"{spec.name}_{part.name}"), generator)
            self.kernel.append(layer)
            before = layer.output(before)
        if self.pool.taps > 1 and len(set(before.bits)) > 1:
            raise refuse(spec, "codes of several widths cannot be pooled", "another activation")
        if self.pool.taps > 1 and before.levels is None and pooling == "sum":
            # The larger code has the larger value, so that max and min need no values.
            raise refuse(spec, "codes of uneven values cannot be added", 'pooling = "max"')
        wires = torch.from_numpy(self.window.wires_at(self.frame))
        channel = torch.arange(wires.shape[1]) % self.frame.channels
        # Outside the map: one more value per channel, after the map's own.
        self.pads = any(self.window.padding)
        self.notice(x)
        self.register_buffer(
            "wires", torch.where(wires == PADDING, self.inputs + channel, wires), persistent=False
        )

    wires: Tensor
    outside: Tensor

    def notice(self, x: Codes) -> None:
        """Take up what the padding code stands for now."""
        self.outside = x.values[: self.frame.channels, self.window.padding_code]

    def _frame(self, x: Codes, sides: tuple[int, ...]) -> Frame:
        if len(sides) != 2 or min(sides) < 1:
            raise refuse(self.spec, f"frame {list(sides)}", "frame = [ROWS, COLUMNS] of its input")
        channels, over = divmod(len(x.bits), sides[0] * sides[1])
        if over or not channels:
            why = f"{len(x.bits)} wires do not fill {sides[0]} x {sides[1]} places"
            raise refuse(self.spec, why, "frame = [ROWS, COLUMNS] of its input")
        return Frame(channels, *sides)

    def _require(self, problems: list[str]) -> None:
        if problems:
            raise refuse(self.spec, "; ".join(problems), "another window, padding or frame")

    def _code_problems(self, x: Codes) -> list[str]:
        channels, code = self.frame.channels, self.window.padding_code
        out = (
            [] if self.how in POOLINGS else [f"pooling {self.how!r}, not of {', '.join(POOLINGS)}"]
        )
        values = x.values.view(-1, channels, x.values.shape[1])
        if x.bits != x.bits[:channels] * self.frame.positions or not bool(
            (values == values[0]).all()
        ):
            out.append("the codes of a channel differ from position to position")
        if not 0 <= code < 1 << min(x.bits):
            out.append(f"padding code {code} for codes of {min(x.bits)} bits")
        return out

    def _window_codes(self, x: Codes) -> Codes:
        """Return what the kernel reads."""
        channels, taps = self.frame.channels, self.window.taps
        size = None if x.size is None else x.size[:channels].repeat(taps)
        values = x.values[:channels].repeat(taps, 1)
        return Codes(x.bits[:channels] * taps, values, x.levels, size, channels)

    def _layers(self) -> list[Family]:
        return [layer for layer in self.kernel if isinstance(layer, Family)]

    def _traced(self, x: Codes) -> Iterator[tuple[Family, Codes]]:
        before = self._window_codes(x)
        for layer in self._layers():
            yield layer, before
            before = layer.output(before)

    def _channels(self, x: Codes) -> Codes:
        *_, (layer, before) = self._traced(x)
        return layer.output(before)

    def _windows(self, x: Tensor, outside: Tensor) -> Tensor:
        """Return windows (samples * positions, wires) of maps; `outside` (channels,)."""
        padded = torch.cat([x, outside.expand(len(x), -1)], 1)
        picked = padded.index_select(1, self.wires.reshape(-1))
        return picked.view(-1, self.wires.shape[1])

    def _pooled(self, x: Tensor, samples: int) -> Tensor:
        """Return the wires of the pooled map, of channels (samples * positions, width)."""
        x = x.view(samples, self.between.height, self.between.width, -1)
        if self.pool.taps == 1:
            return x.flatten(1)
        (down, across), after = self.pool.size, self.after
        x = x[:, : after.height * down, : after.width * across]
        blocks = x.unflatten(2, (after.width, across)).unflatten(1, (after.height, down))
        if self.how == "sum":
            return blocks.sum((2, 4)).flatten(1)
        return (blocks.amax((2, 4)) if self.how == "max" else blocks.amin((2, 4))).flatten(1)

    def _period(self) -> int:
        """Return how far apart channels read the same wires; 0 where that is not said."""
        layers = self._layers()
        return layers[0].period if len(layers) == 1 else 0

    def forward(self, x: Tensor) -> Tensor:
        """Return values of the pooled map, of values of the map."""
        out = self._windows(x, self.outside.to(x))
        for layer in self._layers():
            out = layer(out)
        return self._pooled(out, len(x))

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        own, places = self._channels(x), self.after.positions
        if self.how == "sum" and self.pool.taps > 1 and own.levels is not None:
            taps, high = self.pool.taps, (1 << own.bits[0]) - 1
            bits = IntFormat.holding(0, taps * high).bits
            levels = Levels(own.levels.scale, taps * own.levels.zero, 1 << bits)
            return Codes.uniform((bits,) * self.after.wires, levels)
        size = None if own.size is None else own.size.repeat(places)
        return Codes(own.bits * places, own.values.repeat(places, 1), own.levels, size)

    def quantized(self, name: str, sources: tuple[str, ...], x: Codes) -> list[Layer]:
        """Return the windowed layer, and its pooling."""
        layers: list[Layer] = []
        source = (WINDOW,)
        for number, (layer, before) in enumerate(self._traced(x)):
            layers += layer.quantized(f"{name}_{number}", source, before)
            source = (layers[-1].name,)
        pooled = self.pool.taps > 1
        own = f"{name}_map" if pooled else name
        kernel = (Kernel(tuple(layers)),)
        out = Windowed(own, sources, self.frame, self.window, kernel, role=self.spec.role)
        repeated = replace(out, period=self._period())
        out = out if repeated.problems(x.formats) else repeated
        if not pooled:
            return [out]
        fmt, role = out.formats[0], self.spec.role
        return [out, pooling(name, own, out.output, self.pool, fmt, self.how, role=role)]

    @torch.no_grad()
    def evaluate(self, codes: Tensor, x: Codes) -> Tensor:
        """Return exact codes, int64 (samples, wires), of int64 codes of the map."""
        outside = codes.new_full((self.frame.channels,), self.window.padding_code)
        traced, parts = list(self._traced(x)), []
        for rows in codes.split(max(1, CODES_AT_ONCE // self.wires.numel())):
            out = self._windows(rows, outside)
            for layer, before in traced:
                out = layer.evaluate(out, before)
            parts.append(self._pooled(out, len(rows)))
        return torch.cat(parts)

    def fan_in_bits(self, x: Codes) -> int:
        """Return the input bits of the widest table."""
        return max(layer.fan_in_bits(before) for layer, before in self._traced(x))

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return what one copy of the kernel costs, and how far the map is read."""
        channels = either(list(live.view(-1, self.spec.width)))
        luts, read = chain_cost(list(self._traced(x)), channels, price)
        every = either(list(read.view(-1, self.frame.channels)))
        return luts, every.repeat(self.frame.positions)

    def share_scale(self, other: Self) -> None:
        """Give the outputs the same scale as `other`, learned together."""
        self._layers()[-1].share_scale(other._layers()[-1])

    def anneal(self, progress: float) -> None:
        """Follow the schedule of training, `progress` from 0 to 1."""
        for layer in self._layers():
            layer.anneal(progress)

    def prune(self, progress: float) -> None:
        """Cut connections, more as `progress` goes from 0 to 1."""
        for layer in self._layers():
            layer.prune(progress)

    def set_quantized(self, on: bool) -> None:
        """Turn rounding on or off."""
        for layer in self._layers():
            layer.set_quantized(on)


FAMILY = Windows
