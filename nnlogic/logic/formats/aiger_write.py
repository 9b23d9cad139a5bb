"""Write a LUT network as an and-inverter graph, in either AIGER format."""

from __future__ import annotations

from nnlogic.logic.cone import Cone
from nnlogic.logic.truth import cofactor, full, projection


class _Graph:
    """AND nodes with structural hashing; literals as in AIGER."""

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.ands: list[tuple[int, int]] = []
        self._known: dict[tuple[int, int], int] = {}

    def both(self, a: int, b: int) -> int:
        """Return the literal of ``a and b``."""
        high, low = max(a, b), min(a, b)
        if low == 0 or high == low ^ 1:
            return 0
        if low == 1 or high == low:
            return high
        if (high, low) not in self._known:
            self._known[high, low] = 2 * (self.n_inputs + len(self.ands)) + 2
            self.ands.append((high, low))
        return self._known[high, low]

    def mux(self, select: int, one: int, zero: int) -> int:
        """Return the literal of `one` where `select`, else `zero`."""
        return self.both(self.both(select, one) ^ 1, self.both(select ^ 1, zero) ^ 1) ^ 1

    def lut(self, literals: tuple[int, ...], table: int) -> int:
        """Return the literal of a LUT, split by the input that leaves the simplest parts."""
        n = len(literals)
        if table in (0, full(n)):
            return int(table != 0)
        for v, literal in enumerate(literals):
            if table in (projection(n, v), projection(n, v) ^ full(n)):
                return literal ^ (table != projection(n, v))
        parts = [(cofactor(table, n, v, 0), cofactor(table, n, v, 1)) for v in range(n)]
        v = min(range(n), key=lambda i: (_weight(*parts[i], n - 1), -i))
        rest = literals[:v] + literals[v + 1 :]
        low, high = parts[v]
        if low == high ^ full(n - 1):
            inner = self.lut(rest, low)
            return self.mux(literals[v], inner ^ 1, inner)
        return self.mux(literals[v], self.lut(rest, high), self.lut(rest, low))


def _weight(low: int, high: int, n: int) -> int:
    if low == high:
        return 0
    if low == high ^ full(n):
        return 2
    return 1 if {low, high} & {0, full(n)} else 3


def write_aiger(
    name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], cone: Cone, *, binary: bool
) -> bytes:
    """Return a network as an AIGER file with symbols.

    The graph has the function of the network, not its LUTs: a mapper finds its own.
    """
    graph = _Graph(cone.n_inputs)
    literals = [2 * i + 2 for i in range(cone.n_inputs)]
    for fanin, table in zip(cone.fanins, cone.tables, strict=True):
        literals.append(graph.lut(tuple(literals[s] for s in fanin), table))
    n_ands = len(graph.ands)
    kind = "aig" if binary else "aag"
    head = [f"{kind} {cone.n_inputs + n_ands} {cone.n_inputs} 0 {len(outputs)} {n_ands}"]
    if not binary:
        head += [str(2 * i + 2) for i in range(cone.n_inputs)]
    head += [str(literals[s]) for s in cone.outputs]
    lefts = [2 * (cone.n_inputs + i) + 2 for i in range(n_ands)]
    body = b""
    if binary:
        pairs = zip(lefts, graph.ands, strict=True)
        body = b"".join(_delta(left - a) + _delta(a - b) for left, (a, b) in pairs)
    else:
        head += [f"{left} {a} {b}" for left, (a, b) in zip(lefts, graph.ands, strict=True)]
    symbols = [f"i{i} {name}" for i, name in enumerate(inputs)]
    symbols += [f"o{i} {name}" for i, name in enumerate(outputs)]
    texts = "".join(f"{line}\n" for line in head), "".join(f"{line}\n" for line in symbols)
    return texts[0].encode() + body + texts[1].encode() + f"c\n{name}\n".encode()


def _delta(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
