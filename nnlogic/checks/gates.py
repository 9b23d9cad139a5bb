"""Combinational networks for proofs, written as BLIF.

The checks build their own networks, apart from `nnlogic.logic.abc_blif`, so that a mistake there
cannot hide itself. Net names are the caller's; inputs and outputs are matched by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnlogic.logic.ir import LogicNet

ZERO, ONE = "const0", "const1"


@dataclass
class Gates:
    """A growing network; every method returns the name of the net it drives.

    Attributes
    ----------
    inputs, outputs : list of str
        Input net names, and output names driven through `output`.
    """

    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    _lines: list[str] = field(default_factory=lambda: [f".names {ZERO}", f".names {ONE}", "1"])
    _count: int = 0

    def cover(self, fanins: Sequence[str], cubes: Iterable[str], name: str = "") -> str:
        """Drive a net that is 1 on any of `cubes` (text over ``01-``, one column per fan-in)."""
        if not name:
            self._count += 1
            name = f"g{self._count}"
        rows = [f"{cube} 1" if cube else "1" for cube in cubes]
        # ABC refuses a cover without cubes that has fan-ins.
        self._lines.append(" ".join([".names", *(fanins if rows else ()), name]))
        self._lines += rows
        return name

    def table(self, fanins: Sequence[str], table: int, name: str = "") -> str:
        """Drive a net from a truth table; bit ``i`` is the value for index ``i``, LSB first."""
        n = len(fanins)
        rows = [i for i in range(1 << n) if table >> i & 1]
        return self.cover(fanins, [format(i, f"0{n}b")[::-1] if n else "" for i in rows], name)

    def not_(self, a: str) -> str:
        """Drive ``not a``."""
        return self.cover([a], ["0"])

    def and_(self, a: str, b: str) -> str:
        """Drive ``a and b``."""
        return self.cover([a, b], ["11"])

    def xor(self, a: str, b: str) -> str:
        """Drive ``a xor b``."""
        return self.cover([a, b], ["10", "01"])

    def mux(self, select: str, one: str, zero: str) -> str:
        """Drive `one` where `select` is 1, else `zero`."""
        return self.cover([select, one, zero], ["11-", "0-1"])

    def output(self, name: str, net: str) -> None:
        """Name a net as an output."""
        self.outputs.append(name)
        self.cover([net], ["1"], name)

    def text(self) -> str:
        """Return the network as BLIF."""
        head = [".model check", " ".join([".inputs", *self.inputs])]
        return "\n".join([*head, " ".join([".outputs", *self.outputs]), *self._lines, ".end", ""])


def bit_names(prefixes: Iterable[str], widths: Iterable[int]) -> list[str]:
    """Return one net name per bit, port by port, LSB first."""
    return [f"{p}[{b}]" for p, w in zip(prefixes, widths, strict=True) for b in range(w)]


def add_logic(gates: Gates, net: LogicNet, inputs: Sequence[str]) -> list[str]:
    """Add a LogicNet on top of existing nets and return the nets of its output bits."""
    names = list(inputs)
    for row, count, table in zip(net.fanins, net.fan_in_counts, net.tables, strict=True):
        names.append(gates.table([names[s] for s in row[:count]], int(table)))
    return [names[s] for s in net.output_signals]


def add_cone(
    gates: Gates, net: LogicNet, nodes: Iterable[int], leaves: dict[int, str]
) -> dict[int, str]:
    """Add some nodes of a LogicNet, given in topological order, above named leaf signals."""
    names = dict(leaves)
    for signal in nodes:
        node = signal - net.n_inputs
        row = net.fanins[node][: net.fan_in_counts[node]]
        names[signal] = gates.table([names[int(s)] for s in row], int(net.tables[node]))
    return names


def add_function(gates: Gates, fanins: Sequence[str], bits: np.ndarray) -> str:
    """Add one output bit of a table, bool of shape (2**n,), as a sum of products of few cubes."""
    return gates.cover(fanins, list(_cubes(bits, len(fanins))))


def _cubes(bits: np.ndarray, n: int) -> Iterable[str]:
    """Split on the highest input until a half is constant: short covers without a minimizer."""
    if not bits.any():
        return
    if bits.all():
        yield "-" * n
        return
    half = len(bits) // 2
    low, high = bits[:half], bits[half:]
    if np.array_equal(low, high):
        for cube in _cubes(low, n - 1):
            yield cube + "-"
        return
    for cube in _cubes(low, n - 1):
        yield cube + "0"
    for cube in _cubes(high, n - 1):
        yield cube + "1"
