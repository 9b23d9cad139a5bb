"""Cubes: sets of input combinations, and networks and tables made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.support import Partial
from nnlogic.logic.truth import full, projection
from nnlogic.tables.ir import MAX_INPUTS

GATE = 6
"""Inputs of the AND and OR nodes that covers are made of."""
WIDEST_TABLE = 8
"""Inputs up to which a cover becomes one node instead of AND and OR nodes."""


@dataclass(frozen=True, eq=False)
class Cover:
    """Cubes over many inputs, as a PLA lists them.

    Attributes
    ----------
    ones, zeros : bool array, shape (cubes, inputs)
        Inputs that must be 1, or 0, in a cube.
    on, off, free : bool array, shape (cubes, outputs)
        Outputs a cube sets to 1, to 0, or leaves open. Open wins over 1.
    lines : int array, shape (cubes,)
        Line of the file each cube stands in.
    rest_off : bool
        Whether outputs are 0 where no cube says anything; otherwise that does not matter.
    """

    ones: Bools
    zeros: Bools
    on: Bools
    off: Bools
    free: Bools
    lines: IntArray
    rest_off: bool

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return self.ones.shape[1]

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return self.on.shape[1]

    def minterms(self) -> IntArray:
        """Return how many input combinations each cube has, as a power of two."""
        return self.n_inputs - (self.ones | self.zeros).sum(axis=1)

    def table(self) -> Partial:
        """Enumerate all inputs; for at most 16 of them."""
        free = self._spread(self.free)
        on = self._spread(self.on) & ~free
        off = ~(on | free) if self.rest_off else self._spread(self.off) & ~free
        return Partial(on, off, tuple(range(self.n_inputs)))

    def _spread(self, which: Bools) -> Bools:
        """Return the input combinations inside the chosen cubes, shape (outputs, 2**inputs)."""
        out = np.zeros((self.n_outputs, 1 << self.n_inputs), bool)
        weights = 1 << np.arange(self.n_inputs)
        fixed, base = (self.ones | self.zeros) @ weights, self.ones @ weights
        index = np.arange(1 << self.n_inputs)
        for mask in np.unique(fixed).tolist():
            rows = np.flatnonzero(fixed == mask)
            inside = index[index & mask == 0]
            for o in range(self.n_outputs):
                chosen = base[rows[which[rows, o]]]
                out[o, (chosen[:, None] | inside).ravel()] = True
        return out

    def contradictions(self, limit: int = 10) -> list[tuple[int, int, int]]:
        """Find cubes that demand both values of an output for the same inputs.

        Returns
        -------
        list of (output, line that says 1, line that says 0)
        """
        if self.rest_off:
            return []
        small = self.n_inputs <= MAX_INPUTS
        if small and not (self._spread(self.on) & self._spread(self.off)).any():
            return []
        found = []
        ones, zeros = np.packbits(self.ones, axis=1), np.packbits(self.zeros, axis=1)
        for o in range(self.n_outputs):
            off = np.flatnonzero(self.off[:, o])
            for i in np.flatnonzero(self.on[:, o]).tolist():
                apart = (ones[i] & zeros[off]) | (zeros[i] & ones[off])
                for j in off[~apart.any(axis=1)].tolist():
                    found.append((o, int(self.lines[i]), int(self.lines[j])))
                    if len(found) >= limit:
                        return found
        return found

    def network(self, which: Bools) -> Cone:
        """Return a network that is 1 inside the cubes chosen for each output.

        Parameters
        ----------
        which : bool array, shape (cubes, outputs)
        """
        builder = ConeBuilder(self.n_inputs)
        made: dict[int, int] = {}
        for i in np.flatnonzero(which.any(axis=1)).tolist():
            literals = [(int(s), True) for s in np.flatnonzero(self.ones[i])]
            literals += [(int(s), False) for s in np.flatnonzero(self.zeros[i])]
            made[i] = and_tree(builder, literals)
        outputs = [
            or_tree(builder, [made[i] for i in np.flatnonzero(column).tolist()])
            for column in which.T
        ]
        return builder.cone(outputs)


def and_tree(builder: ConeBuilder, literals: Sequence[tuple[int, bool]]) -> int:
    """Add the AND of literals, given as (signal, value it must have)."""
    todo = list(literals)
    while len(todo) > 1 or (todo and not todo[0][1]):
        part, todo = todo[:GATE], todo[GATE:]
        index = sum(1 << b for b, (_, value) in enumerate(part) if value)
        todo.append((builder.lut([s for s, _ in part], 1 << index), True))
    return todo[0][0] if todo else builder.constant(True)


def or_tree(builder: ConeBuilder, signals: Sequence[int]) -> int:
    """Add the OR of signals."""
    todo = list(signals)
    while len(todo) > 1:
        part, todo = todo[:GATE], todo[GATE:]
        todo.append(builder.lut(part, full(len(part)) ^ 1))
    return todo[0] if todo else builder.constant(False)


def add_cubes(
    builder: ConeBuilder, fanins: Sequence[int], cubes: Sequence[str], value: bool
) -> int:
    """Add a function given as cubes of ``0``, ``1`` and ``-`` on which it has `value`."""
    if len(fanins) <= WIDEST_TABLE:
        table = cube_table(cubes, len(fanins))
        return builder.lut(fanins, table if value else table ^ full(len(fanins)))
    terms = [
        and_tree(builder, [(s, c == "1") for s, c in zip(fanins, cube, strict=True) if c != "-"])
        for cube in cubes
    ]
    covered = or_tree(builder, terms)
    return covered if value else builder.lut([covered], 0b01)


def cube_table(cubes: Sequence[str], n: int) -> int:
    """Return the truth table that is 1 inside the cubes."""
    covered = 0
    for cube in cubes:
        literals = (
            projection(n, b) if c == "1" else full(n) ^ projection(n, b)
            for b, c in enumerate(cube)
            if c != "-"
        )
        covered |= reduce(int.__and__, literals, full(n))
    return covered
