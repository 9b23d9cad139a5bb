"""The search: make a network of LUTs better by its rows, then smaller, step by step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnlogic.refine.moves import Care, Loss, grow, improve, lose, losses
from nnlogic.refine.netlist import Netlist, Rows, State

SPARE = 16
"""Nodes beyond the size that is grown to: those being tried."""


@dataclass(frozen=True)
class Plan:
    """How a network is searched for.

    Attributes
    ----------
    sizes : tuple of int
        LUTs at which a network is given back: it grows, or shrinks, from each to the next.
    sweeps : int
        Over all nodes at each of these sizes.
    pins : int
        Of each node for which another wire is looked for in a sweep.
    at_once : float
        Share of the nodes that are lost before the rest is rated again.
    rated : int
        Blocks of rows that nodes are rated by.
    sigmas : float
        See `Care`.
    trials : int
        Places where a new node is tried, for each that stays.
    seed : int
    seconds : float
        After which no more is done.
    """

    sizes: tuple[int, ...] = ()
    sweeps: int = 3
    pins: int = 3
    at_once: float = 0.02
    rated: int = 16
    sigmas: float = 0.0
    trials: int = 4
    seed: int = 0
    seconds: float = 1e9


def search(net: Netlist, rows: Rows, plan: Plan) -> Iterator[Netlist]:
    """Yield copies of a network, better and better, then at each of the sizes of the plan.

    Parameters
    ----------
    net : Netlist
        Left as it is.
    rows : Rows
        Training rows.
    plan : Plan
    """
    until = time.monotonic() + plan.seconds
    rng, care = np.random.default_rng(plan.seed), Care(plan.sigmas)
    net = net.copy()
    net.tidy()
    net = net.widened(max([len(net.tables), *(size + SPARE for size in plan.sizes)]))
    state = State(net, rows)

    def sweep(pins: int) -> None:
        for node in rng.permutation(net.order).tolist():
            if time.monotonic() > until:
                return
            if node in net.order:
                improve(state, node, rng, care, pins)
        net.tidy()
        state.update()

    for _ in range(2):
        sweep(0)
    for _ in range(plan.sweeps):
        sweep(plan.pins)
        yield net.copy()
    for size in plan.sizes:
        failed = 0
        while net.luts < size and failed < 20 and time.monotonic() < until:
            failed = 0 if grow(state, rng, care, plan.trials) else failed + 1
        while net.luts > size and time.monotonic() < until:
            shrink(state, plan, rng, care, net.luts - size)
        for _ in range(plan.sweeps):
            sweep(plan.pins)
        if time.monotonic() > until:
            return
        yield net.copy()


def shrink(state: State, plan: Plan, rng: np.random.Generator, care: Care, most: int) -> None:
    """Lose a few nodes, those that cost least, and improve what read them."""
    net = state.net
    count = min(plan.rated, state.blocks)
    first = int(rng.integers(state.blocks - count + 1))
    rated = [loss for i in net.order.tolist() for loss in losses(state, i, (first, first + count))]
    rated.sort(key=lambda loss: -loss.gain / loss.saved if loss.gain < 0 else -loss.gain * 1e3)
    left = min(most, max(1, int(plan.at_once * net.luts)))
    touched: set[int] = set()
    for planned in rated:
        if left <= 0:
            break
        node = planned.node if planned.reader < 0 else planned.reader
        if node not in net.order or node in touched:
            continue
        now = [loss for loss in losses(state, node) if loss.saved <= most]
        if not now:
            continue
        loss: Loss = max(now, key=lambda loss: loss.gain / loss.saved)
        changed = lose(state, loss)
        left -= loss.saved
        for i in changed:
            if i in net.order:
                improve(state, i, rng, care, plan.pins)
                touched.add(i)
    net.tidy()
    state.update()
