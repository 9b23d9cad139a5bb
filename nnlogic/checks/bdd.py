"""Reduced ordered binary decision diagrams, for steps of certificates too wide to enumerate.

Bryant, "Graph-based algorithms for Boolean function manipulation", IEEE Trans. Computers 1986.
Comparators, increments and thresholds of one number are linear in its bits under the order that
the caller chooses by the order in which it asks for variables.
"""

from __future__ import annotations

from collections.abc import Sequence

FALSE, TRUE = 0, 1


class TooLarge(Exception):
    """The diagrams have more nodes than allowed."""


class Diagrams:
    """A shared forest of diagrams. Equal functions are equal numbers.

    Parameters
    ----------
    limit : int
        Nodes in all.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._nodes: list[tuple[int, int, int]] = [(1 << 30, 0, 0), (1 << 30, 1, 1)]
        self._unique: dict[tuple[int, int, int], int] = {}
        self._known: dict[tuple[int, int, int], int] = {}
        self._variables = 0

    def variable(self) -> int:
        """Return a new variable, below all others in the order."""
        self._variables += 1
        return self._node(self._variables - 1, FALSE, TRUE)

    def _node(self, level: int, low: int, high: int) -> int:
        if low == high:
            return low
        key = level, low, high
        found = self._unique.get(key)
        if found is None:
            if len(self._nodes) >= self.limit:
                raise TooLarge(f"more than {self.limit} nodes of decision diagrams")
            found = self._unique[key] = len(self._nodes)
            self._nodes.append(key)
        return found

    def choose(self, selector: int, high: int, low: int) -> int:
        """Return `high` where `selector` is true, else `low`."""
        if selector <= TRUE or high == low:
            return high if selector == TRUE or high == low else low
        if (high, low) == (TRUE, FALSE):
            return selector
        key = selector, high, low
        found = self._known.get(key)
        if found is None:
            nodes = self._nodes
            level = min(nodes[selector][0], nodes[high][0], nodes[low][0])
            sides = [
                self.choose(*(nodes[f][side] if nodes[f][0] == level else f for f in key))
                for side in (1, 2)
            ]
            found = self._known[key] = self._node(level, *sides)
        return found

    def both(self, a: int, b: int) -> int:
        """Return the conjunction."""
        return self.choose(a, b, FALSE)

    def differ(self, a: int, b: int) -> int:
        """Return the exclusive or."""
        return self.choose(a, self.choose(b, FALSE, TRUE), b)

    def lut(self, table: int, pins: Sequence[int]) -> int:
        """Return a LUT of functions; bit `i` of `table` is its value at index `i`, LSB first."""
        if not pins:
            return table & 1
        half = 1 << len(pins) - 1
        low, high = table & ((1 << half) - 1), table >> half
        return self.choose(pins[-1], self.lut(high, pins[:-1]), self.lut(low, pins[:-1]))

    def greater(self, left: Sequence[int], right: Sequence[int]) -> int:
        """Return ``left > right`` of unsigned numbers of one width, LSB first."""
        out = FALSE
        for a, b in zip(left, right, strict=True):
            out = self.choose(self.differ(a, b), a, out)
        return out

    def at_least(self, number: Sequence[int], threshold: int) -> int:
        """Return ``number >= threshold`` of an unsigned number, LSB first."""
        if threshold >= 1 << len(number):
            return FALSE
        out = TRUE
        for b, bit in enumerate(number if threshold > 0 else ()):
            out = (
                self.choose(bit, out, FALSE) if threshold >> b & 1 else self.choose(bit, TRUE, out)
            )
        return out

    def plus(self, number: Sequence[int], constant: int) -> list[int]:
        """Return ``number + constant`` modulo two to the number's width, LSB first."""
        out, carry = [], FALSE
        for b, bit in enumerate(number):
            inverse = self.choose(bit, FALSE, TRUE)
            if constant >> b & 1:
                out.append(self.choose(carry, bit, inverse))
                carry = self.choose(bit, TRUE, carry)
            else:
                out.append(self.choose(carry, inverse, bit))
                carry = self.choose(bit, carry, FALSE)
        return out
