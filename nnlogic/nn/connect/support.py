"""Pre-defined sparse kernels: the same few taps of a window, in patterns that repeat."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nnlogic.core.errors import UsageError
from nnlogic.nn.connect.fixed import Fixed
from nnlogic.nn.connect.kind import Ends, Kind
from nnlogic.nn.connect.periodic import periodic_wires


def support_wires(taps: int, channels: int, outputs: int, size: int) -> Tensor:
    """Return supports of `size` taps per channel that repeat within and across filters.

    After Kundu et al. 2020: every two-dimensional kernel of a filter has the same number of taps,
    its *kernel support size*, and the patterns repeat from channel to channel and from filter to
    filter. Filter ``j`` has in channel ``c`` pattern ``(j + c) mod P`` of the ``P = ceil(taps /
    size)`` patterns of `nnlogic.nn.connect.periodic.periodic_wires`, which read all taps. So
    filters ``P`` apart read the same wires.

    Parameters
    ----------
    taps, channels : int
        Of the window; its wires are tap-major, channel-minor.
    outputs : int
        Filters.
    size : int
        Taps of each channel that a filter reads.

    Returns
    -------
    int64 Tensor, shape (outputs, size * channels)
        Increasing within a row.
    """
    patterns = periodic_wires(taps, math.ceil(taps / size), size)
    channel = torch.arange(channels)
    number = (torch.arange(outputs)[:, None] + channel) % len(patterns)
    wires = patterns[number] * channels + channel[:, None]
    return wires.flatten(1).sort(1).values


def _make(name: str, ends: Ends, __: torch.Generator | None) -> Fixed:
    if not ends.channels:
        raise UsageError(
            "these connections are those of a window", why=f"{name!r} in a layer that reads none",
            fix='a layer of a kernel, family = "window"; elsewhere connect = "periodic"',
        )  # fmt: skip
    size, over = divmod(ends.fan_in, ends.channels)
    if over:
        low, high = size * ends.channels, (size + 1) * ends.channels
        raise UsageError(
            "kernels of different support", why=f"fan_in {ends.fan_in} in {ends.channels} channels",
            fix=f"fan_in = {high}" if not size else f"fan_in = {low} or {high}",
        )  # fmt: skip
    taps = ends.inputs // ends.channels
    wires = support_wires(taps, ends.channels, ends.outputs, size)
    return Fixed(wires, ends.inputs, period=math.ceil(taps / size))


CONNECT = Kind("support", make=_make, fixed=True)
