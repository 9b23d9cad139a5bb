"""Functions of many inputs that are known on listed cubes only.

Cubes of one value are made larger as long as they meet no cube of the other value (the EXPAND
step of two-level minimization, here by a greedy choice of the literals that stay). The cover is
then a complete network like any other. Where few inputs tell all listed minterms apart, the
function becomes a table with don't-cares instead.
"""

from __future__ import annotations

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.formats.cover import Cover, and_tree, or_tree
from nnlogic.logic.support import Partial
from nnlogic.tables.ir import MAX_INPUTS


def expanded_network(cover: Cover) -> Cone:
    """Return a network that has every listed value, from the shorter cover of each output.

    Parameters
    ----------
    cover : Cover
        With `rest_off` false.
    """
    builder = ConeBuilder(cover.n_inputs)
    outputs = []
    for o in range(cover.n_outputs):
        on, off = np.flatnonzero(cover.on[:, o]), np.flatnonzero(cover.off[:, o])
        sides = [_expanded(cover, on, off), _expanded(cover, off, on)]
        literals = [sum(map(len, cubes)) for cubes in sides]
        phase = literals[1] < literals[0]
        covered = or_tree(builder, [and_tree(builder, cube) for cube in sides[phase]])
        outputs.append(builder.lut([covered], 0b01) if phase else covered)
    return builder.cone(outputs)


def _expanded(cover: Cover, inside: IntArray, outside: IntArray) -> list[list[tuple[int, bool]]]:
    """Cover the cubes `inside` without meeting the cubes `outside`."""
    ones, zeros = cover.ones[inside], cover.zeros[inside]
    far_ones, far_zeros = cover.ones[outside], cover.zeros[outside]
    waiting = np.ones(len(inside), bool)
    cubes = []
    for seed in range(len(inside)):
        if not waiting[seed]:
            continue
        # Per literal of the seed: what it keeps out, and which waiting cubes it keeps in.
        out = (ones[seed] & far_zeros) | (zeros[seed] & far_ones)
        kept = np.flatnonzero(waiting)
        stays = (ones[seed] & ones[kept]) | (zeros[seed] & zeros[kept])
        literals: list[int] = []
        while len(out):
            excluded, held = out.sum(axis=0), stays.sum(axis=0)
            score = excluded / len(out) + held / len(stays)
            v = int(np.where(excluded > 0, score, -1).argmax())
            literals.append(v)
            out = out[~out[:, v]]
            inside_now = stays[:, v]
            kept, stays = kept[inside_now], stays[inside_now]
        waiting[kept] = False
        cubes.append([(v, bool(ones[seed, v])) for v in sorted(literals)])
    return cubes


def small_support(cover: Cover) -> Partial | None:
    """Return the listed minterms as a table over few inputs, or None where that cannot be.

    Inputs are chosen one by one, each the one that leaves the fewest pairs of minterms apart in
    value and alike in the inputs chosen so far.

    Returns
    -------
    Partial or None
        Over inputs of the cover; None when more than 16 are needed or a cube is no minterm.
    """
    if cover.minterms().any():
        return None
    rows = cover.ones.astype(np.int64)
    group = np.zeros(len(rows), np.int64)
    chosen: list[int] = []
    while _mixed(cover, group):
        if len(chosen) == MAX_INPUTS:
            return None
        free = [v for v in range(cover.n_inputs) if v not in chosen]
        v = min(free, key=lambda v: (_mixed(cover, 2 * group + rows[:, v]), v))
        _, group = np.unique(2 * group + rows[:, v], return_inverse=True)
        chosen.append(v)
    inputs = tuple(sorted(chosen))
    index = rows[:, list(inputs)] @ (1 << np.arange(len(inputs)))
    on, off = (_marked(index, which, len(inputs)) for which in (cover.on, cover.off))
    return Partial(on, off, inputs)


def _mixed(cover: Cover, group: IntArray) -> int:
    """Count pairs of minterms that differ in an output and share a group."""
    total = 0
    for o in range(cover.n_outputs):
        ones = np.bincount(group[cover.on[:, o]], minlength=int(group.max(initial=0)) + 1)
        zeros = np.bincount(group[cover.off[:, o]], minlength=len(ones))
        total += int(ones @ zeros)
    return total


def _marked(index: IntArray, which: Bools, n: int) -> Bools:
    out = np.zeros((which.shape[1], 1 << n), bool)
    for o, column in enumerate(which.T):
        out[o, index[column]] = True
    return out
