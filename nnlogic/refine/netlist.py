"""A network of LUTs that says a class, and rows to judge it by, as the search holds them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nnlogic.core import bits
from nnlogic.logic.ir import LogicNet
from nnlogic.refine.kernel import BLOCK, WIDE, downstream, flipped, run

PINS = 6
PASS = np.uint64(0xAAAAAAAAAAAAAAAA)
"""The table of a node that passes on its first pin."""
Signals = NDArray[np.int64]


@dataclass(eq=False)
class Netlist:
    """LUTs of up to six inputs, in place.

    Attributes
    ----------
    n_in : int
        Input signals, the first ones.
    pins : int64 array, shape (nodes, 6)
        Signals read, -1 where a pin is unused.
    tables : uint64 array, shape (nodes,)
    outputs : int64 array, shape (bits,)
        Signals of the class, LSB first.
    order : int64 array
        Living nodes, each after what it reads.
    """

    n_in: int
    pins: NDArray[np.int64]
    tables: NDArray[np.uint64]
    outputs: Signals
    order: Signals = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        self.sort()

    @staticmethod
    def of(logic: LogicNet, port: int) -> Netlist:
        """Return the part of a LogicNet that drives an output port."""
        pins = np.full((logic.n_nodes, PINS), -1, np.int64)
        pins[:, : logic.k] = logic.fanins
        at = sum(p.format.bits for p in logic.outputs[:port])
        outputs = logic.output_signals[at : at + logic.outputs[port].format.bits]
        net = Netlist(logic.n_inputs, pins, logic.tables.copy(), np.array(outputs, np.int64))
        net.tidy()
        return net

    def copy(self) -> Netlist:
        """Return a copy that shares nothing."""
        return Netlist(self.n_in, self.pins.copy(), self.tables.copy(), self.outputs.copy())

    def widened(self, nodes: int) -> Netlist:
        """Return a copy with room for so many nodes, those that live among them."""
        more = max(0, nodes - len(self.tables))
        pins = np.concatenate([self.pins, np.full((more, PINS), -1, np.int64)])
        tables = np.concatenate([self.tables, np.zeros(more, np.uint64)])
        return Netlist(self.n_in, pins, tables, self.outputs.copy())

    def insert(self, node: int, pin: int) -> int:
        """Put a node that passes its input on before a pin of `node`, and return it."""
        new = int(np.setdiff1d(np.arange(len(self.tables)), self.order)[0])
        self.pins[new] = -1
        self.pins[new, 0] = self.pins[node, pin]
        self.tables[new] = PASS
        self.pins[node, pin] = self.n_in + new
        self.sort()
        return new

    @property
    def luts(self) -> int:
        """Living nodes of two or more inputs."""
        return int(((self.pins[self.order] >= 0).sum(1) > 1).sum())

    def sort(self) -> None:
        """Find the living nodes and put them in order."""
        done = np.zeros(len(self.tables), np.int8)
        order: list[int] = []
        stack = [int(s) - self.n_in for s in self.outputs if s >= self.n_in]
        while stack:
            node = stack[-1]
            below = [
                int(s) - self.n_in
                for s in self.pins[node]
                if s >= self.n_in and not done[s - self.n_in]
            ]
            if done[node] or not below:
                stack.pop()
                if not done[node]:
                    done[node] = 1
                    order.append(node)
            else:
                stack += below
        self.order = np.array(order, np.int64)

    def below(self, node: int) -> Signals:
        """Return the nodes that `node` reaches."""
        found: Signals = downstream(self.n_in, self.pins, self.order, node)
        return found

    def readers(self, signal: int) -> list[int]:
        """Return the living nodes that read a signal."""
        found = (self.pins[self.order] == signal).any(axis=1)
        return [int(i) for i in self.order[found]]

    def uses(self) -> NDArray[np.int64]:
        """Return how often each node is read, as an output too."""
        read = np.concatenate([self.pins[self.order].ravel(), self.outputs])
        read = read[read >= self.n_in] - self.n_in
        return np.bincount(read, minlength=len(self.tables))

    def saved_by_losing(self, node: int) -> int:
        """Return how many nodes die with `node`."""
        uses = self.uses()
        count, stack = 0, [node]
        while stack:
            count += 1
            for s in self.pins[stack.pop()]:
                if s >= self.n_in:
                    uses[s - self.n_in] -= 1
                    if not uses[s - self.n_in]:
                        stack.append(int(s) - self.n_in)
        return count

    def rewire(self, node: int, wires: list[int], table: int) -> None:
        """Give a node other wires and another table; the order stays true."""
        self.pins[node] = -1
        self.pins[node, : len(wires)] = wires
        self.tables[node] = np.uint64(table)
        self.sort()

    def bypass(self, node: int, signal: int, inverted: bool) -> list[int]:
        """Let `signal` do what `node` did, and return the nodes that read it now.

        A `signal` of -1 is the constant 0.
        """
        own, changed = self.n_in + node, self.readers(self.n_in + node)
        for i in changed:
            for p in np.flatnonzero(self.pins[i] == own):
                if inverted:
                    self.tables[i] = swap_halves(self.tables[i], int(p))
                self.pins[i, p] = signal
            self._tidy_node(i)
        self.outputs[self.outputs == own] = signal
        self.sort()
        return changed

    def tidy(self) -> None:
        """Drop what is not needed: pins that do not matter, nodes that only pass a signal on."""
        again = True
        while again:
            again = False
            for i in self.order.tolist():
                self._tidy_node(i)
                used = self.pins[i][self.pins[i] >= 0]
                is_output = self.n_in + i in self.outputs
                if len(used) == 0 and not is_output:
                    self.bypass(i, -1, bool(int(self.tables[i]) & 1))
                    again = True
                elif len(used) == 1:
                    inverted = bool(int(self.tables[i]) & 1)
                    if not (inverted and is_output):
                        self.bypass(i, int(used[0]), inverted)
                        again = True
            self.sort()
            again |= self._merge()

    def _merge(self) -> bool:
        """Let nodes take in those that only they read, where the wires fit; say whether any did."""
        found, uses = False, self.uses()
        for i in self.order.tolist()[::-1]:
            for s in self.pins[i][self.pins[i] >= self.n_in].tolist():
                inner = s - self.n_in
                if uses[inner] > 1 or s not in self.pins[i]:
                    continue
                wires = list(dict.fromkeys(self.wires(i, without=s) + self.wires(inner)))
                if len(wires) <= PINS:
                    self.take_in(i, inner, wires)
                    found = True
        self.sort()
        return found

    def wires(self, node: int, without: int = -1) -> list[int]:
        """Return the signals a node reads."""
        return [int(s) for s in self.pins[node] if s >= 0 and s != without]

    def take_in(self, node: int, inner: int, wires: list[int]) -> None:
        """Let a node compute `inner`, one of those it reads, itself; `wires` are all it needs."""

        def value(n: int, known: dict[int, int]) -> int:
            at = sum(known[int(s)] << p for p, s in enumerate(self.pins[n]) if s >= 0)
            return int(self.tables[n]) >> at & 1

        table = 0
        for i in range(1 << len(wires)):
            known = {w: i >> p & 1 for p, w in enumerate(wires)}
            known[self.n_in + inner] = value(inner, known)
            table |= value(node, known) << i
        self.pins[node] = -1
        self.pins[node, : len(wires)] = wires
        self.tables[node] = np.uint64(table)
        self._tidy_node(node)

    def _tidy_node(self, node: int) -> None:
        wires, table = reduced(self.pins[node].tolist(), int(self.tables[node]))
        self.pins[node] = -1
        self.pins[node, : len(wires)] = wires
        self.tables[node] = np.uint64(table)


def swap_halves(table: np.uint64, pin: int) -> np.uint64:
    """Return the table with one pin inverted."""
    index = np.arange(64) ^ (1 << pin)
    return pack((int(table) >> np.arange(64, dtype=object))[index] & 1)


def pack(cells: NDArray) -> np.uint64:
    """Return a table of its 64 cells."""
    return np.uint64(sum(int(bool(v)) << i for i, v in enumerate(cells)))


def reduced(wires: list[int], table: int) -> tuple[list[int], int]:
    """Return the wires that matter, each once, and the table over them.

    Parameters
    ----------
    wires : list of int
        Up to six; -1 stands for the constant 0.
    table : int
        Cell i is bit i.
    """
    wires = [*wires, *[-1] * (PINS - len(wires))]
    cells = [table >> i & 1 for i in range(64)]
    for p in range(PINS):
        first = wires.index(wires[p]) if wires[p] >= 0 else p
        for i in range(64):
            if wires[p] < 0:
                cells[i] = cells[i & ~(1 << p)]
            elif first < p:
                cells[i] = cells[(i & ~(1 << p)) | ((i >> first & 1) << p)]
    kept = [p for p in range(PINS) if any(cells[i] != cells[i ^ (1 << p)] for i in range(64))]
    value = 0
    for i in range(64):
        at = sum((i >> n & 1) << p for n, p in enumerate(kept))
        value |= cells[at] << i if i < 1 << len(kept) else 0
    return [wires[p] for p in kept], value


@dataclass(eq=False)
class Rows:
    """Input bits of rows, and what it is worth to say each class of each.

    Attributes
    ----------
    words : uint64 array, shape (inputs, words)
    worth : float32 array, shape (rows, 2**class bits)
    """

    words: NDArray[np.uint64]
    worth: NDArray[np.float32]

    @staticmethod
    def of(codes: NDArray, ports: tuple, worth: NDArray, class_bits: int) -> Rows:
        """Pack input codes of shape (rows, features)."""
        wide = np.zeros((len(codes), 1 << class_bits), np.float32)
        wide[:, : worth.shape[1]] = worth
        return Rows(bits.pack_ports(codes, ports), wide)

    def score(self, net: Netlist) -> float:
        """Return the mean worth of what a network says."""
        state = State(net, self)
        return state.score()


class State:
    """A netlist with its values on all rows.

    Parameters
    ----------
    net : Netlist
    rows : Rows
    """

    def __init__(self, net: Netlist, rows: Rows) -> None:
        self.net, self.rows = net, rows
        count = len(rows.worth)
        self.blocks = -(-count // WIDE)
        signals = net.n_in + len(net.tables) + 1
        self.values = np.zeros((self.blocks, signals, BLOCK), np.uint64)
        words = np.zeros((net.n_in, self.blocks * BLOCK), np.uint64)
        words[:, : rows.words.shape[1]] = rows.words
        self.values[:, : net.n_in] = words.reshape(net.n_in, self.blocks, BLOCK).transpose(1, 0, 2)
        self.update()

    def update(self, order: Signals | None = None) -> None:
        """Evaluate nodes again, all or those given, in order."""
        net = self.net
        run(net.n_in, net.pins, net.tables, net.order if order is None else order, self.values)

    def classes(self) -> NDArray[np.int64]:
        """Return the class said of each row."""
        out = np.zeros(len(self.rows.worth), np.int64)
        for j, s in enumerate(self.net.outputs):
            flat = np.ascontiguousarray(self.values[:, s]).reshape(-1).view(np.uint8)
            out |= np.unpackbits(flat, bitorder="little")[: len(out)].astype(np.int64) << j
        return out

    def score(self) -> float:
        """Return the mean worth of the classes said."""
        said = self.classes()
        return float(self.rows.worth[np.arange(len(said)), said].mean())

    def flips(self, node: int, part: tuple[int, int] | None = None) -> tuple[NDArray, NDArray]:
        """Return rows whose class depends on a node, and the gain if it were the other way."""
        net = self.net
        first, last = part or (0, self.blocks)
        cone = net.below(node)
        found: tuple[NDArray, NDArray] = flipped(
            net.n_in, net.pins, net.tables, cone, node, net.outputs, self.values,
            self.rows.worth, first, last,
        )  # fmt: skip
        return found
