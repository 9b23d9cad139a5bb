"""Proof of a netlist against a LogicNet node by node, when the netlist kept the nodes.

Both are simulated on the same random rows. For each node, in topological order, a net with the
same values is a candidate; it is proved equal by comparing the two on all values of the nets
between, which were proved before. That is an induction, as in SAT sweeping (Mishchenko et al.,
"Improvements to combinational equivalence checking", ICCAD 2006, section 3), except that every
step is small enough to enumerate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from nnlogic.checks.netlist import Gate, Net, Netlist, Register
from nnlogic.logic.ir import LogicNet

WORDS = 16  # random rows, in 64-bit words
MAX_VARIABLES = 10
MAX_CANDIDATES = 16
MAX_CONE = 1024
MAX_BEHIND = 4096


def prove_nodes(
    net: Netlist, leaves: list[Net], outputs: list[Net], logic: LogicNet, seed: int = 0
) -> str:
    """Prove outputs of a netlist, registers taken as wires, equal to those of a LogicNet.

    Parameters
    ----------
    net : Netlist
        Without loops.
    leaves, outputs : list of net
        In the order of the LogicNet's input and output bits.
    logic : LogicNet

    Returns
    -------
    str
        Empty when every output is proved; else what could not be matched, which need not be a
        difference.
    """
    sweep = _Sweep(net, leaves, outputs)
    rows = np.random.default_rng(seed).integers(0, 2**64, (logic.n_inputs, WORDS), dtype=np.uint64)
    signatures = [int.from_bytes(row.tobytes(), "little") for row in logic.trace_words(rows)]
    sweep.simulate(signatures[: logic.n_inputs])
    for node in range(logic.n_nodes):
        signal = logic.n_inputs + node
        fanins = logic.fanins[node][: logic.fan_in_counts[node]].tolist()
        if not sweep.match(int(logic.tables[node]), fanins, signatures[signal]):
            return f"no net matches node {node} of {logic.origins[node]}"
    for position, (signal, at) in enumerate(zip(logic.output_signals, outputs, strict=True)):
        if not sweep.carries(signal, at):
            return f"output bit {position} is another net"
    return ""


class _Sweep:
    def __init__(self, net: Netlist, leaves: list[Net], outputs: list[Net]) -> None:
        self.net, self.leaves = net, leaves
        self.ports = frozenset(leaves)
        self.order = [n for n in net.cone(outputs, stop=self.ports) if n not in self.ports]
        self.proved: set[Net] = {"0", "1", *leaves}
        self.net_of: list[Net] = list(leaves)  # by LogicNet signal
        self.same: dict[Net, Net] = {}  # proved net -> the one that stands for its class
        self.candidates: dict[int, list[Net]] = {}
        self.alike: dict[Net, list[Net]] = {}  # by the net that stands for its class
        self.readers: dict[Net, list[Net]] = {}
        for at in self.order:
            for read in net.fanins(at) if at in net.drivers else ():
                self.readers.setdefault(read, []).append(at)

    def root(self, at: Net) -> Net:
        """Follow registers back to the net that computes the value."""
        while isinstance(driver := self.net.drivers.get(at), Register):
            at = driver.data
        return at

    def carries(self, signal: int, at: Net) -> bool:
        """Whether a net is proved to carry a LogicNet signal."""
        at = self.root(at)
        return self.net_of[signal] == self.same.get(at, at)

    def simulate(self, inputs: list[int]) -> None:
        """Give every net its value on the random rows, and index nets by it."""
        full = (1 << 64 * WORDS) - 1
        values: dict[Net, int] = {"0": 0, "1": full}
        values.update(zip(self.leaves, inputs, strict=True))
        for at in ["0", "1", *self.leaves, *self.order]:
            driver = self.net.drivers.get(at)
            if at not in values:
                if isinstance(driver, Register):
                    values[at] = values[driver.data]
                    continue
                if driver is None:
                    continue
                values[at] = cover(driver, values.__getitem__, full)
            self.candidates.setdefault(values[at], []).append(at)

    def match(self, table: int, fanins: list[int], signature: int) -> bool:
        """Find nets proved equal to a node; remember them as the net of the next signal.

        Several nets may carry the node's value. Two nodes may have equal values as well, so nets
        that no node has taken yet come first.
        """
        pins = [self.net_of[s] for s in fanins]
        found = self.candidates.get(signature, [])
        fresh = [n for n in found if n not in self.proved]
        # A net with a name is more likely the node itself than a part of another node.
        if len(fresh) > MAX_CANDIDATES:
            # Many nets look alike where values are rare; the right one is made of the pins.
            near = self._behind(pins)
            fresh = [n for n in fresh if n in near]
        fresh = sorted(fresh, key=lambda n: n not in self.net.names)[:MAX_CANDIDATES]
        own = [n for n in fresh if self._proves(n, table, pins)]
        if not own:
            own = [n for n in found if n in self.proved and self._proves(n, table, pins)][:1]
        if not own:
            return False
        first = self.same.get(own[0], own[0])
        self.proved.update(own)
        self.same.update(dict.fromkeys(own, first))
        self.alike.setdefault(first, []).extend(own)
        self.net_of.append(first)
        return True

    def _behind(self, pins: list[Net]) -> set[Net]:
        """Return nets near a pin that are computed from it; nets equal to the pin count as it.

        The pin with the fewest readers is taken. Nearest nets come first, up to a limit.
        """

        def alike(pin: Net) -> list[Net]:
            return [pin, *self.alike.get(pin, ())]

        def count(pin: Net) -> int:
            return sum(len(self.readers.get(net, ())) for net in alike(pin))

        if not pins:
            return set(self.order)
        seen: set[Net] = set()
        todo = deque(alike(min(pins, key=count)))
        while todo and len(seen) < MAX_BEHIND:
            for reader in self.readers.get(todo.popleft(), ()):
                if reader not in seen:
                    seen.add(reader)
                    todo.append(reader)
        return seen

    def _proves(self, at: Net, table: int, pins: list[Net]) -> bool:
        """Compare a net with a node, first up to the pins alone, then up to nets equal to them.

        A net inside the cone may happen to equal a pin; stopping there hides how it is made.
        """
        return self._equal(at, table, pins, {}) or self._equal(at, table, pins, self.same)

    def _equal(self, at: Net, table: int, pins: list[Net], same: dict[Net, Net]) -> bool:
        cone = self._cone(at, {*pins, "0", "1"}, same)
        if cone is None:
            return False
        gates, variables = cone
        names = list(dict.fromkeys(n for n in [*pins, *variables] if n not in ("0", "1")))
        if len(names) > MAX_VARIABLES:
            return False
        size = 1 << len(names)
        full = (1 << size) - 1
        values: dict[Net, int] = {"0": 0, "1": full}
        for b, name in enumerate(names):
            run = (1 << (1 << b)) - 1 << (1 << b)  # 2**b zeros, then 2**b ones
            values[name] = full // ((1 << (2 << b)) - 1) * run

        def value(net: Net) -> int:
            return values[net] if net in values else values[same[net]]

        wanted = look_up(table, [values[p] for p in pins], full)
        for gate in gates:
            if gate in values:
                continue
            driver = self.net.drivers[gate]
            values[gate] = (
                value(driver.data) if isinstance(driver, Register) else cover(driver, value, full)
            )
        return value(at) == wanted

    def _cone(
        self, at: Net, pins: set[Net], same: dict[Net, Net]
    ) -> tuple[list[Net], list[Net]] | None:
        """Nets between `at` and pins or ports, fan-ins first, and the pins and ports reached.

        None when there are too many.
        """
        gates: list[Net] = []
        variables: list[Net] = []
        seen: set[Net] = set()
        stack = [(at, False)]
        while stack:
            net, leaving = stack.pop()
            if leaving:
                gates.append(net)
            elif net not in seen:
                seen.add(net)
                standing = same.get(net, net)
                if standing in pins or net in self.ports:
                    variables.append(standing)
                else:
                    stack.append((net, True))
                    stack += [(f, False) for f in self.net.fanins(net)]
                    if len(seen) > MAX_CONE:
                        return None
        return gates, variables


def cover(gate: Gate, value: Callable[[Net], int], full: int) -> int:
    """Evaluate a gate on bit-parallel values of its fan-ins."""
    out = 0
    for cube in gate.cubes:
        term = full
        for literal, fanin in zip(cube, gate.fanins, strict=True):
            if literal != "-":
                term &= value(fanin) if literal == "1" else full ^ value(fanin)
        out |= term
    return out


def look_up(table: int, pins: list[int], full: int) -> int:
    """Evaluate a LUT on bit-parallel values; bit ``i`` of the table is the output for index i."""
    level = [full if table >> i & 1 else 0 for i in range(1 << len(pins))]
    for pin in pins:
        level = [
            low ^ ((low ^ high) & pin) for low, high in zip(level[::2], level[1::2], strict=True)
        ]
    return level[0]
