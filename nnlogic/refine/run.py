"""A trained network made better, and smaller, by its rows: QuantNet in, QuantNets out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, UsageError
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.logic.build import minimize
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.wire import fixed_point_of
from nnlogic.refine.netlist import Netlist, Rows
from nnlogic.refine.network import to_quantnet
from nnlogic.refine.search import Plan, search
from nnlogic.tables.build import tabulate


@dataclasses.dataclass(frozen=True, eq=False)
class Start:
    """Where a search begins.

    Attributes
    ----------
    net : Netlist
        Of the class alone.
    inputs : tuple of Port
        Whose bits it may read.
    thresholds : tuple of float32 arrays, or None
        Of these codes.
    info : dict
        Of the network it came from, without what held for that alone.
    """

    net: Netlist
    inputs: tuple[Port, ...]
    thresholds: tuple[NDArray[np.float32], ...] | None
    info: dict[str, Any]


def start_of(net: QuantNet, wire_bits: int = 0) -> Start:
    """Return the LUTs of a network, compiled fast, as a search takes them.

    Parameters
    ----------
    net : QuantNet
        That says a class.
    wire_bits : int
        Bits of the fixed-point numbers its codes are the top ones of, for the search to read those
        below, too; 0 for the codes as they are.

    Raises
    ------
    UsageError
        The network says no class, or its codes are no fixed-point numbers.
    """
    column = net.class_output
    if column is None or "class_names" not in net.info:
        raise UsageError("the network says no class", where=net.name, fix="refine a classifier")
    logic = minimize(tabulate(net), effort="fast", objective="area")
    found = Netlist.of(logic, column)
    info = {"class_names": list(net.info["class_names"])}
    info |= {key: net.info[key] for key in ("dataset",) if key in net.info}
    thresholds = None if net.quantizer is None else net.quantizer.thresholds
    if not wire_bits:
        return Start(found, net.inputs, thresholds, info)
    if thresholds is None:
        raise UsageError(
            "codes of no known step", where=net.name, fix="leave the codes as they are"
        )
    wide, below = [], []
    for t, port in zip(thresholds, net.inputs, strict=True):
        number, more = fixed_point_of(t, port.format.bits), wire_bits - port.format.bits
        if number is None or more < 0:
            raise UsageError(
                "codes that are no fixed-point numbers of so many bits", where=port.name,
                why=f"{port.format.bits} bits, asked {wire_bits}", fix='input_method = "fixed"',
            )  # fmt: skip
        half = 1 << wire_bits - 1 if number.signed else 0
        steps = np.arange(1 - half, (1 << wire_bits) - half)
        wide.append((steps * 2.0 ** (number.exponent - more)).astype(np.float32))
        below.append(more)
    inputs = tuple(Port(p.name, IntFormat(wire_bits)) for p in net.inputs)
    return Start(_moved(found, net.inputs, inputs, below), inputs, tuple(wide), info)


def _moved(net: Netlist, old: tuple[Port, ...], new: tuple[Port, ...], below: list[int]) -> Netlist:
    """Return the netlist with its inputs the top bits of wider codes."""
    place, at = [], 0
    for before, after, less in zip(old, new, below, strict=True):
        place += [at + less + b for b in range(before.format.bits)]
        at += after.format.bits
    signals = np.array([*place, *(at + np.arange(len(net.tables))), -1])
    return Netlist(at, signals[net.pins], net.tables.copy(), signals[net.outputs])


def worth_of(
    labels: IntArray, classes: int, teacher: NDArray | None = None, share: float = 0.8
) -> NDArray[np.float32]:
    """Return what it is worth to say each class of each row.

    Parameters
    ----------
    labels : int array, shape (rows,)
    classes : int
    teacher : array, shape (rows, classes), optional
        Probabilities; of `share` of the whole worth. They are less noisy than labels.
    share : float
    """
    right = np.eye(classes, dtype=np.float32)[labels]
    if teacher is None:
        return right
    if teacher.shape != right.shape:
        why = f"shape {teacher.shape}, need {right.shape}"
        raise InputError("a teacher's probabilities do not fit the rows", why=why)
    return ((1 - share) * right + share * teacher).astype(np.float32)


def refine(
    start: Start, name: str, codes: IntArray, worth: NDArray[np.float32], plan: Plan
) -> Iterator[QuantNet]:
    """Yield networks of fewer LUTs or more, each as good on its rows as the search made it.

    Parameters
    ----------
    start : Start
    name : str
    codes : int array, shape (rows, inputs)
        Of training rows.
    worth : float32 array, shape (rows, classes)
        See `worth_of`.
    plan : Plan
    """
    rows = Rows.of(codes, start.inputs, worth, len(start.net.outputs))
    for net in search(start.net, rows, plan):
        yield to_quantnet(
            net, name=name, inputs=start.inputs, thresholds=start.thresholds, info=start.info
        )
