"""Moves of the search: a node's best table, better wires, and nodes that are not needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.refine.kernel import bit_rows, bits_at, by_cell, rate_wires
from nnlogic.refine.netlist import PINS, Netlist, State, pack

CELLS = 1 << PINS
TRIED = 16384
"""Rows that candidates are compared on; the choice is judged on all."""


@dataclass(frozen=True)
class Care:
    """How sure a gain has to be.

    Attributes
    ----------
    sigmas : float
        A cell is changed where the gain is more than so many standard deviations of it.
    """

    sigmas: float = 0.0


def cells_of(state: State, wires: list[int], rows: NDArray) -> NDArray[np.int64]:
    """Return the table cell each row falls in."""
    out = np.zeros(len(rows), np.int64)
    for p, wire in enumerate(wires):
        if wire >= 0:
            out |= bits_at(state.values, wire, rows).astype(np.int64) << p
    return out


def improve(
    state: State,
    node: int,
    rng: np.random.Generator,
    care: Care,
    rewire: int = 0,
    part: tuple[int, int] | None = None,
) -> float:
    """Give a node the table that is best with all others as they are; return the gain, in rows.

    Parameters
    ----------
    state : State
    node : int
    rng : Generator
    care : Care
    rewire : int
        Pins for which another wire is looked for.
    part : tuple of int, optional
        Blocks of rows to go by, from and to; all where it is left out.
    """
    net = state.net
    flips = aims(state, node, part)
    if not len(flips.rows):
        return 0.0
    own = net.pins[node].tolist()
    wires = rewired(state, node, flips, rng, care, rewire) if rewire else own
    sums, squares = by_cell(cells_of(state, wires, flips.rows), flips.toward, CELLS)
    if wires == own:
        # Cells no row depends on keep their value.
        old = np.array([int(net.tables[node]) >> i & 1 for i in range(CELLS)], bool)
        sure = np.abs(sums) > care.sigmas * np.sqrt(squares) + 1e-9
        new = np.where(sure, sums > 0, old)
    else:
        new = sums > 0
    gain = float(sums[new].sum()) - flips.base
    if gain <= 1e-6:
        return 0.0
    net.pins[node] = wires
    net.tables[node] = pack(new)
    if wires != own:
        net.sort()
    state.update(np.concatenate([[node], net.below(node)]))
    return gain


@dataclass(frozen=True, eq=False)
class Aims:
    """What a node should be.

    Attributes
    ----------
    rows : int32 array
        Rows whose class depends on the node.
    toward : float64 array
        What it is worth to have 1 there rather than 0.
    base : float
        What the node is worth as it is, to constant 0.
    """

    rows: NDArray
    toward: NDArray
    base: float


def aims(state: State, node: int, part: tuple[int, int] | None = None) -> Aims:
    """Return what a node should be, by all rows or the blocks `part`."""
    rows, gains = state.flips(node, part)
    one = bits_at(state.values, state.net.n_in + node, rows) == 1
    toward = np.where(one, -gains, gains).astype(np.float64)
    return Aims(rows, toward, float(toward[one].sum()))


def rewired(
    state: State, node: int, flips: Aims, rng: np.random.Generator, care: Care, pins: int
) -> list[int]:
    """Return better wires for a node, or the same."""
    wires = state.net.pins[node].tolist()
    free = candidates(state.net, node)
    step = max(1, len(flips.rows) // TRIED)
    some = slice(int(rng.integers(step)), None, step)
    few, weights = flips.rows[some], flips.toward[some].astype(np.float32)
    ones = bit_rows(state.values, free, few)
    noise = care.sigmas * np.sqrt(np.square(flips.toward).sum() / CELLS)

    def worth(trial: list[int]) -> float:
        sums, _ = by_cell(cells_of(state, trial, flips.rows), flips.toward, CELLS)
        return float(np.maximum(sums, 0).sum())

    best = worth(wires)
    unused = [p for p in range(PINS) if wires[p] < 0]
    chosen = unused + [int(p) for p in rng.permutation(PINS) if wires[p] >= 0]
    for pin in chosen[:pins]:
        others = [w if p != pin else -1 for p, w in enumerate(wires)]
        group = cells_of(state, others, few)
        rated = rate_wires(ones, group, weights, CELLS)
        rated[np.isin(free, wires)] = -np.inf
        trial = [w if p != pin else int(free[rated.argmax()]) for p, w in enumerate(wires)]
        # All rows decide.
        found = worth(trial)
        if found > best + noise + 1e-6:
            wires, best = trial, found
    return wires


def candidates(net: Netlist, node: int) -> NDArray[np.int64]:
    """Return the signals a node may read: inputs, and living nodes it does not reach."""
    late = np.append(net.below(node), node)
    return np.concatenate([np.arange(net.n_in), net.n_in + np.setdiff1d(net.order, late)])


@dataclass(frozen=True)
class Loss:
    """A way to do without a node.

    Attributes
    ----------
    node : int
    gain : float
        In rows; mostly below 0.
    saved : int
        Nodes that are not needed then.
    signal : int
        What stands in its place, -1 for the constant 0; `reader` -1.
    inverted : bool
    reader : int
        Or else the node that takes it in, and
    wires : tuple of int
        what that reads then.
    """

    node: int
    gain: float
    saved: int
    signal: int = -1
    inverted: bool = False
    reader: int = -1
    wires: tuple[int, ...] = ()


def best_bypass(state: State, node: int, flips: Aims, saved: int) -> Loss:
    """Return the signal that serves best in place of a node."""
    net = state.net
    is_output = net.n_in + node in net.outputs
    free = candidates(net, node)
    step = max(1, len(flips.rows) // TRIED)
    few, weights = flips.rows[::step], flips.toward[::step]
    rated = np.zeros((len(free), 2))
    rated[:, 0] = weights @ bit_rows(state.values, free, few)
    rated[:, 1] = weights.sum() - rated[:, 0]
    if is_output:
        rated[:, 1] = -np.inf
    at, other = divmod(int(rated.argmax()), 2)
    signal, inverted, whole = int(free[at]), bool(other), float(flips.toward.sum())
    gain = float(flips.toward[bits_at(state.values, signal, flips.rows) == 1].sum())
    options = [(whole - gain if inverted else gain, signal, inverted)]
    if not is_output:
        options += [(0.0, -1, False), (whole, -1, True)]
    gain, signal, inverted = max(options)
    return Loss(node, gain - flips.base, saved, signal, inverted)


def best_merge(state: State, node: int, flips: Aims) -> Loss | None:
    """Return which of the nodes that only `node` reads it takes in best, leaving wires out."""
    net, found, uses = state.net, [], state.net.uses()
    for s in net.wires(node):
        if s < net.n_in or uses[s - net.n_in] > 1:
            continue
        wires = list(dict.fromkeys(net.wires(node, without=s) + net.wires(s - net.n_in)))
        cells = np.zeros(len(flips.rows), np.int64)
        for p, wire in enumerate(wires):
            cells |= bits_at(state.values, wire, flips.rows).astype(np.int64) << p
        sums, _ = by_cell(cells, flips.toward, 1 << len(wires))
        grid = sums.reshape((2,) * len(wires))
        # The last wire is the first axis.
        wires.reverse()
        while len(wires) > PINS:
            left = [np.maximum(grid.sum(axis=p), 0).sum() for p in range(len(wires))]
            drop = int(np.argmax(left))
            grid = grid.sum(axis=drop)
            del wires[drop]
        gain = float(np.maximum(grid, 0).sum()) - flips.base
        found.append(Loss(s - net.n_in, gain, 1, reader=node, wires=tuple(wires)))
    return max(found, key=lambda loss: loss.gain, default=None)


def losses(state: State, node: int, part: tuple[int, int] | None = None) -> list[Loss]:
    """Return how to do without a node, or without one that only it reads."""
    flips = aims(state, node, part)
    out = [best_bypass(state, node, flips, state.net.saved_by_losing(node))]
    merge = best_merge(state, node, flips)
    return out if merge is None else [*out, merge]


def lose(state: State, loss: Loss) -> list[int]:
    """Do without a node; return the nodes that read other wires now."""
    net = state.net
    if loss.reader < 0:
        changed = net.bypass(loss.node, loss.signal, loss.inverted)
        state.update()
        return [i for i in changed if i in net.order]
    flips = aims(state, loss.reader)
    sums, _ = by_cell(cells_of(state, list(loss.wires), flips.rows), flips.toward, CELLS)
    net.rewire(loss.reader, list(loss.wires), int(pack(sums > 0)))
    state.update()
    return [loss.reader]


def grow(state: State, rng: np.random.Generator, care: Care, trials: int) -> float:
    """Add the node, of some tried at random places, that gains most; return the gain, in rows.

    A node is put before a pin of another, and given more wires and a table.
    """
    net = state.net
    found: list[tuple[float, int, int, int, int, NDArray, np.uint64]] = []
    nodes = net.order[(net.pins[net.order] >= 0).sum(1) > 1]
    for _ in range(trials):
        node = int(rng.choice(nodes))
        pin = int(rng.choice(np.flatnonzero(net.pins[node] >= 0)))
        before = net.pins.copy(), net.tables.copy()
        new = net.insert(node, pin)
        state.update(np.array([new]))
        gain = improve(state, new, rng, care, PINS)
        found.append((gain, len(found), node, pin, new, net.pins[new].copy(), net.tables[new]))
        net.pins[:], net.tables[:] = before
        net.sort()
        state.update(np.concatenate([[node], net.below(node)]))
    gain, _, node, pin, new, wires, table = max(found, key=lambda f: f[:2])
    if gain <= 0:
        return 0.0
    net.insert(node, pin)
    net.pins[new], net.tables[new] = wires, table
    net.sort()
    state.update()
    return gain + improve(state, node, rng, care, 0)
