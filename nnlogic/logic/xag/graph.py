"""XOR-AND graph in which signals that are linearly equal are one signal."""

from __future__ import annotations

from collections.abc import Sequence

XOR, AND, INV = "XOR", "AND", "INV"


class Xag:
    """Gates over `n_inputs` inputs.

    Each signal is known as a linear form of *atoms*, inputs and ANDs: an integer whose bit 0 is a
    constant and whose bit ``i + 1`` is atom ``i``. Two signals of one form are the same signal, and
    an AND of the same two forms is made once.

    Attributes
    ----------
    gates : list of (str, tuple of int)
        Kind and the signals it reads; gate ``i`` is signal ``n_inputs + i``.
    depth : list of int
        ANDs on the longest path to each signal.
    """

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.gates: list[tuple[str, tuple[int, ...]]] = []
        self.forms = [2 << i for i in range(n_inputs)]
        self.depth = [0] * n_inputs
        self.atoms = n_inputs
        self._known = {form: i for i, form in enumerate(self.forms)}
        self._ands: dict[tuple[int, int], int] = {}

    def _add(self, kind: str, reads: tuple[int, ...], form: int) -> int:
        self.gates.append((kind, reads))
        self.forms.append(form)
        self.depth.append(max(self.depth[s] for s in reads) + (kind == AND))
        self._known[form] = len(self.forms) - 1
        return len(self.forms) - 1

    def constant(self, value: bool) -> int:
        """Return a constant signal: an input with itself, there is no other way in most formats."""
        if 0 not in self._known:
            self._add(XOR, (0, 0), 0)
        return self.inverted(self._known[0]) if value else self._known[0]

    def inverted(self, a: int) -> int:
        """Return the complement of a signal."""
        form = self.forms[a] ^ 1
        return self._known[form] if form in self._known else self._add(INV, (a,), form)

    def xor(self, a: int, b: int) -> int:
        """Return the XOR of two signals."""
        form = self.forms[a] ^ self.forms[b]
        if form in self._known:
            return self._known[form]
        if form == 0 or form == 1:
            return self.constant(bool(form))
        if form ^ 1 in self._known:
            return self.inverted(self._known[form ^ 1])
        return self._add(XOR, (a, b), form)

    def both(self, a: int, b: int) -> int:
        """Return the AND of two signals."""
        x, y = self.forms[a], self.forms[b]
        if x in (0, 1) or y in (0, 1):
            if 0 in (x, y):
                return self.constant(False)
            return b if x == 1 else a
        if x == y:
            return a
        if x == y ^ 1:
            return self.constant(False)
        key = (min(x, y), max(x, y))
        if key not in self._ands:
            # Complements of either side are the same AND, plus a linear form.
            for flip in ((x ^ 1, y), (x, y ^ 1), (x ^ 1, y ^ 1), (x, x ^ y ^ 1), (x ^ y ^ 1, y)):
                other = self._ands.get((min(flip), max(flip)))
                if other is not None:
                    self._ands[key] = self._from(other, flip, a, b)
                    break
            else:
                self.atoms += 1
                self._ands[key] = self._add(AND, (a, b), 1 << self.atoms)
        return self._ands[key]

    def _from(self, other: int, flip: tuple[int, int], a: int, b: int) -> int:
        """Return ``a & b`` from the AND of two forms made of theirs."""
        x, y = self.forms[a], self.forms[b]
        if flip == (x ^ 1, y):  # ~a & b
            return self.xor(other, b)
        if flip == (x, y ^ 1):
            return self.xor(other, a)
        if flip == (x ^ 1, y ^ 1):  # ~a & ~b = a & b ^ a ^ b ^ 1
            return self.inverted(self.xor(other, self.xor(a, b)))
        # a & ~(a ^ b) = a & b, and likewise for b.
        return other

    def live(self, outputs: Sequence[int]) -> list[int]:
        """Return the gates that outputs depend on, by number, in order."""
        needed = set(outputs)
        for i in range(len(self.gates) - 1, -1, -1):
            if self.n_inputs + i in needed:
                needed.update(self.gates[i][1])
        return [i for i in range(len(self.gates)) if self.n_inputs + i in needed]
