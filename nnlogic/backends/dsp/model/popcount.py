"""Many counts of ones at once, sharing what they have in common.

Each of N counts adds the same bits, some of them complemented and some left out. All are built
of full adders (five operations) column by column, LSB first, and full adders take the same bits
in every count: then the sums of a column are the same signal in all counts, up to complement,
and a carry has four forms, whatever N. Bits are taken in the order that keeps the carries alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.lower import ZERO, Literal, OpBuilder
from nnlogic.backends.dsp.model.ops import AND, XOR

OR = 0b1110
Slot = dict[int, Literal]
"""One bit in every count that has it: count to literal."""
REACH = 128
"""Bits looked at for each place of a full adder."""


def full_adder(ops: OpBuilder, a: Literal, b: Literal, c: Literal) -> tuple[Literal, Literal]:
    """Return sum and carry of three bits, in five operations."""
    ab, ac = ops.apply(XOR, a, b), ops.apply(XOR, a, c)
    carry = ops.apply(XOR, a, ops.apply(AND, ab, ac))
    return ops.apply(XOR, ab, c), carry


def half_adder(ops: OpBuilder, a: Literal, b: Literal) -> tuple[Literal, Literal]:
    """Return sum and carry of two bits."""
    return ops.apply(XOR, a, b), ops.apply(AND, a, b)


def counts(ops: OpBuilder, columns: Sequence[Sequence[Slot]], number: int) -> list[list[Literal]]:
    """Add columns of bits in many counts at once.

    Parameters
    ----------
    ops : OpBuilder
        Where the operations go.
    columns : sequence of sequence of Slot
        Bits of weight ``2**column``.
    number : int
        How many counts there are.

    Returns
    -------
    list of list of Literal
        Bits of each count, LSB first, without leading constant zeros.
    """
    out: list[list[Literal]] = [[] for _ in range(number)]
    work = [list(column) for column in columns]
    at = 0
    while at < len(work):
        carries = _reduce(ops, work[at], out)
        if carries and at + 1 == len(work):
            work.append([])
        if carries:
            work[at + 1] += carries
        at += 1
    for bits in out:
        while bits and bits[-1] == ZERO:
            bits.pop()
    return out


def _reduce(ops: OpBuilder, column: Sequence[Slot], out: list[list[Literal]]) -> list[Slot]:
    """Add a column to one bit per count, which goes to `out`; return the carries."""
    carries: list[Slot] = []
    left: list[Slot] = []
    for bits in out:
        bits.append(ZERO)
    for holders, slots in _classes(column).items():
        left += _triples(ops, slots, holders, carries)
    held: dict[int, list[int]] = {}
    for index, slot in enumerate(left):
        for count in slot:
            held.setdefault(count, []).append(index)
    groups: dict[tuple[int, ...], list[int]] = {}
    for count, found in held.items():
        groups.setdefault(tuple(found), []).append(count)
    for indices, same in groups.items():
        members = tuple(same)
        mine = [{m: left[i][m] for m in members} for i in indices]
        last = _triples(ops, mine, members, carries)
        if len(last) == 2:
            made = {m: half_adder(ops, last[0][m], last[1][m]) for m in members}
            last = [{m: s for m, (s, _) in made.items()}]
            carries.append({m: c for m, (_, c) in made.items()})
        for m in members:
            out[m][-1] = last[0][m]
    return carries


def _classes(column: Sequence[Slot]) -> dict[tuple[int, ...], list[Slot]]:
    """Bits by the counts that have them."""
    out: dict[tuple[int, ...], list[Slot]] = {}
    for slot in column:
        out.setdefault(tuple(sorted(slot)), []).append(slot)
    return out


def _triples(
    ops: OpBuilder, slots: list[Slot], members: tuple[int, ...], carries: list[Slot]
) -> list[Slot]:
    """Add bits three at a time, oldest first, until two or fewer are left."""
    queue = list(slots)
    forms = [_forms(slot, members) for slot in queue]
    while len(queue) > 2:
        chosen = _alike(forms)
        a, b, c = (queue[i] for i in chosen)
        made = {m: full_adder(ops, a[m], b[m], c[m]) for m in members}
        for i in sorted(chosen, reverse=True):
            del queue[i], forms[i]
        queue.append({m: s for m, (s, _) in made.items()})
        forms.append(_forms(queue[-1], members))
        carries.append({m: c for m, (_, c) in made.items()})
    return queue


def _forms(slot: Slot, members: tuple[int, ...]) -> NDArray[np.int64]:
    """Literal of a bit in every count, as numbers."""
    return np.array([2 * slot[m][0] + slot[m][1] for m in members], np.int64)


def _alike(forms: Sequence[NDArray[np.int64]]) -> tuple[int, int, int]:
    """The oldest bit, and two that make the fewest different full adders with it."""
    if len(forms[0]) == 1 or len(forms) == 3:
        return 0, 1, 2
    key = _numbered(forms[0] >> 1)
    turned = forms[0] & 1
    chosen = [0]
    for _ in range(2):
        best, cost = -1, (np.inf, np.inf)
        for i in range(1, min(len(forms), REACH)):
            if i in chosen:
                continue
            joint = _joint(key, forms[i] ^ turned)
            found = np.bincount(joint)
            found = found[found > 0]
            entropy = -float((found * np.log2(found / len(joint))).sum())
            if (len(found), entropy) < cost:
                best, cost = i, (len(found), entropy)
        key = _numbered(_joint(key, forms[best] ^ turned))
        chosen.append(best)
    return chosen[0], chosen[1], chosen[2]


def _numbered(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(values, return_inverse=True)[1]


def _joint(key: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    numbers = _numbered(values)
    return key * (int(numbers.max()) + 1) + numbers
