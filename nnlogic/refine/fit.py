"""A network refined within a budget of LUTs and of time, by rows of which some choose."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import Enumerated, QuantNet
from nnlogic.refine.run import refine, start_of, worth_of
from nnlogic.refine.search import Plan

HELD_BACK = 0.2
"""Share of the rows that choose."""
LEAST = 10
"""Rows that can choose, and that can be learned from."""
STEP, BEYOND, AGAIN = 0.8, 1.25, 3
"""The way down; how far beyond its end the network grows again, and how often."""


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """A network on the way.

    Attributes
    ----------
    luts : int
        Tables of two or more wires; compiled it may take a few more or fewer.
    training, validation : float
        Share of the rows whose class is right.
    net : QuantNet
    """

    luts: int
    training: float
    validation: float
    net: QuantNet


def fit(
    net: QuantNet, codes: IntArray, labels: NDArray, *, luts: int, seconds: float, seed: int = 0
) -> Iterator[Found]:
    """Yield smaller and smaller networks, and then those that grew and shrank again.

    A fifth of the rows, drawn, is only looked at: `Found.validation` is of these.

    Parameters
    ----------
    net : QuantNet
        That says a class.
    codes : int array, shape (rows, inputs)
    labels : int array, shape (rows,)
        Classes; rows of none, below 0, are left out.
    luts : int
        Where the way down ends.
    seconds : float
        After which no more is done.
    seed : int

    Raises
    ------
    UsageError
        The network says no class, or its inputs are numbers of no known thresholds.
    InputError
        Too few rows have labels.
    """
    if net.quantizer is None and any(p.format.bits > 1 for p in net.inputs):
        raise UsageError(
            "inputs that cannot lose bits", where=net.name,
            why="a refined network reads the bits it needs, and those of numbers without "
            "thresholds would have to be cut by whoever gives them",
            fix="a network with an input quantizer, or inputs of one bit",
        )  # fmt: skip
    known = np.random.default_rng(seed).permutation(np.flatnonzero(labels >= 0))
    held = int(HELD_BACK * len(known))
    if held < LEAST:
        raise InputError(
            "too few rows to refine by", where=net.name,
            why=f"{len(known)} with labels; {HELD_BACK:.0%} of them are held back, at least "
            f"{LEAST}",
        )  # fmt: skip
    start = start_of(net)
    parts = codes[known[held:]], codes[known[:held]]
    truth = labels[known[held:]], labels[known[:held]]
    worth = worth_of(truth[0], len(start.info["class_names"]))
    plan = Plan(sizes=sizes(start.net.luts, luts), sweeps=2, seed=seed, seconds=seconds)
    for made in refine(start, net.name, parts[0], worth, plan):
        # Of every code only the top bits are left that the network reads.
        less = [a.format.bits - b.format.bits for a, b in zip(net.inputs, made.inputs, strict=True)]
        said = [made.evaluate(part >> less)[:, made.class_output or 0] for part in parts]
        training, validation = (float(np.mean(a == b)) for a, b in zip(said, truth, strict=True))
        tables = sum(
            len(wires) > 1
            for la in made.layers
            if la.role == "network" and isinstance(la, Enumerated)
            for wires in la.inputs
        )
        yield Found(tables, training, validation, made)


def sizes(now: int, luts: int) -> tuple[int, ...]:
    """Return the sizes from so many LUTs to so many: down step by step, then up and down."""
    out, size = [], now
    while size > luts:
        size = max(luts, int(STEP * size))
        out.append(size)
    more = max(luts + 1, round(BEYOND * luts))
    return (*(out or [luts]), *(more, luts) * AGAIN)
