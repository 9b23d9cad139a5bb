"""Input bits that a network does not read, and the network without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet

Kept = tuple[tuple[int, ...], ...]
"""Per input port, the bits that are read, lowest first; none for a port that is left out."""


def read_bits(logic: LogicNet) -> Kept:
    """Return which bits of each input port a network reads; of one that reads none, the first."""
    read = np.zeros(logic.n_inputs + logic.n_nodes, bool)
    read[logic.fanins[logic.fanins >= 0]] = True
    read[list(logic.output_signals)] = True
    if not read[: logic.n_inputs].any():
        read[0] = True
    out, at = [], 0
    for port in logic.inputs:
        out.append(tuple(b for b in range(port.format.bits) if read[at + b]))
        at += port.format.bits
    return tuple(out)


def without_unread(logic: LogicNet) -> LogicNet:
    """Return a network whose ports are the bits that are read, packed, lowest first.

    A port that is read whole stays as it is; another is unsigned.
    """
    kept = read_bits(logic)
    ports, places, at = [], [], 0
    for port, bits in zip(logic.inputs, kept, strict=True):
        whole = len(bits) == port.format.bits
        if bits:
            ports.append(Port(port.name, port.format if whole else IntFormat(len(bits))))
        places += [at + b for b in bits]
        at += port.format.bits
    number = np.full(logic.n_inputs + logic.n_nodes + 1, -1, np.int64)
    number[places] = np.arange(len(places))
    number[logic.n_inputs : -1] = np.arange(logic.n_nodes) + len(places)
    return replace(
        logic,
        inputs=tuple(ports),
        fanins=frozen(number[logic.fanins], np.int32),
        output_signals=tuple(int(s) for s in number[list(logic.output_signals)]),
        cuts=frozen([], np.int32),
    )


def narrowed(codes: IntArray, inputs: Sequence[Port], kept: Kept) -> IntArray:
    """Return the codes of ports without bits that are not read.

    Parameters
    ----------
    codes : int64 array, shape (samples, inputs)
    inputs : sequence of Port
        What they are codes of.
    kept : as from `read_bits`

    Returns
    -------
    int64 array, shape (samples, ports that are left)
    """
    columns = []
    for i, (port, bits) in enumerate(zip(inputs, kept, strict=True)):
        if len(bits) == port.format.bits:
            columns.append(codes[:, i])
        elif bits:
            parts = [(codes[:, i] >> b & 1) << at for at, b in enumerate(bits)]
            columns.append(np.sum(parts, axis=0))
    return np.stack(columns, axis=1)


def port_codes(logic: LogicNet, design: HardwareDesign, codes: IntArray) -> IntArray:
    """Return codes of a network as those of the ports of its design, which may lack bits."""
    if design.inputs == logic.inputs:
        return codes
    return narrowed(codes, logic.inputs, read_bits(logic))


def kept_text(bits: Sequence[int]) -> str:
    """Return bits as ranges, highest first: ``7:4, 2``."""
    out: list[str] = []
    for b in sorted(bits, reverse=True):
        high, _, low = out[-1].partition(":") if out else ("", "", "")
        if out and int(low or high) == b + 1:
            out[-1] = f"{high}:{b}"
        else:
            out.append(str(b))
    return ", ".join(out)
