"""What of a trained network is read, and the numbers of its wires once the rest is dropped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.nn.population.parts import LutNetwork, Part


def starts_kernel(parts: Sequence[Part], i: int) -> bool:
    """Whether a part reads the windows of a map."""
    place = parts[i].place
    return place is not None and (i == 0 or parts[i - 1].place != place)


def ends_kernel(parts: Sequence[Part], i: int) -> bool:
    """Whether a part gives the channels of a map."""
    place = parts[i].place
    return place is not None and (i + 1 == len(parts) or parts[i + 1].place != place)


def _channels(network: LutNetwork, i: int) -> int:
    """Return the channels of the map that part `i` reads; 0 where it reads single wires."""
    parts = network.parts
    place = parts[i].place
    if place is not None and starts_kernel(parts, i):
        return place.frame.channels
    if not i or not ends_kernel(parts, i - 1):
        return 0
    total = network.sums[i - 1]
    return len(parts[i - 1].tables) if total is None else len(total[0])


def needed(network: LutNetwork) -> list[IntArray]:
    """Return, per part, the tables that anything reads; of a kernel those of its channels.

    Constants under a sum are part of its bias and stay only when nothing else is left to keep the
    layer alive.
    """
    parts, kept = network.parts, list[IntArray]()
    wanted: IntArray | None = None
    for i in reversed(range(len(parts))):
        part, total = parts[i], network.sums[i]
        if total is not None:
            used = (total[0] != 0).any(0) & (np.ptp(part.tables, axis=1) > 0)
            used[0] |= not used.any()
        else:
            used = np.zeros(len(part.tables), dtype=bool)
            used[wanted] = True
        keep = np.flatnonzero(used)
        kept.append(keep)
        wanted, channels = np.unique(part.pins[keep]), _channels(network, i)
        if channels:
            wanted = np.unique(wanted % channels)
            if i and parts[i - 1].place is None:
                # The wires of an encoder, position by position.
                every = np.arange(len(parts[i - 1].tables))
                wanted = every[np.isin(every % channels, wanted)]
    return kept[::-1]


def renumbered(network: LutNetwork, i: int, keep: IntArray) -> IntArray:
    """Return the pins of part `i` once only the tables `keep` of the part before are left.

    Pins on what is dropped become -1. For the first part `keep` are the inputs, all of them.
    """
    pins, channels = network.parts[i].pins, _channels(network, i)
    if channels and not i:
        return pins
    left = np.unique(keep % channels) if channels else keep
    count = channels or int(max(keep.max(), pins.max())) + 1
    place = np.full(count, -1)
    place[left] = np.arange(len(left))
    position, wire = np.divmod(pins, count)
    return np.where(place[wire] < 0, -1, position * len(left) + place[wire])


def distinct(
    wires: IntArray, table: IntArray, formats: tuple[IntFormat, ...]
) -> tuple[tuple[int, ...], IntArray]:
    """Return wires and table with one pin for a wire read twice: some rows cannot occur."""
    _, first = np.unique(wires, return_index=True)
    order = np.sort(first)
    if len(order) == len(wires):
        return tuple(int(w) for w in wires), table
    kept = wires[order]
    widths = [formats[w].bits for w in kept]
    index = np.arange(1 << sum(widths))
    value = {}
    at = 0
    for wire, width in zip(kept, widths, strict=True):
        value[int(wire)] = (index >> at) & ((1 << width) - 1)
        at += width
    full = np.zeros_like(index)
    at = 0
    for wire in wires:
        full |= value[int(wire)] << at
        at += formats[wire].bits
    return tuple(int(w) for w in kept), table[full]
