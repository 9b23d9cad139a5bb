"""Windows: small convex-enough parts of a network that are tabulated completely.

A window has leaves (signals it reads), nodes, and roots (nodes that something outside reads).
Leaves are chosen by reconvergence: expand the leaf that brings in the fewest new ones (Mishchenko
et al., "Scalable don't-care-based logic optimization and resynthesis", FPGA 2009, section 3).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from nnlogic.logic.cone import Cone, ConeBuilder, function_of, input_patterns
from nnlogic.tables.ir import Function


@dataclass(frozen=True)
class Window:
    """A part of a network; nodes in topological order.

    Attributes
    ----------
    leaves, nodes, roots : tuple of int
        Signals; `roots` are those of `nodes` that are read outside.
    """

    leaves: tuple[int, ...]
    nodes: tuple[int, ...]
    roots: tuple[int, ...]

    def cone(self, cone: Cone) -> Cone:
        """Cut the window out of the network it was made for."""
        n = len(self.leaves)
        number = {s: i for i, s in enumerate((*self.leaves, *self.nodes))}
        fanins = (cone.fanins[s - cone.n_inputs] for s in self.nodes)
        return Cone(
            n,
            tuple(tuple(number[s] for s in fanin) for fanin in fanins),
            tuple(cone.tables[s - cone.n_inputs] for s in self.nodes),
            tuple(number[s] for s in self.roots),
        )


class Finder:
    """Finds windows of one network.

    Parameters
    ----------
    cone : Cone
    max_leaves, max_nodes : int
    """

    def __init__(self, cone: Cone, max_leaves: int, max_nodes: int) -> None:
        self.cone, self.max_leaves, self.max_nodes = cone, max_leaves, max_nodes
        self._rng = random.Random(0)
        self._readers: list[list[int]] = [[] for _ in range(cone.n_inputs + cone.n_nodes)]
        for node, fanin in enumerate(cone.fanins, cone.n_inputs):
            for s in fanin:
                self._readers[s].append(node)
        self._outputs = frozenset(cone.outputs)

    def around(self, pivot: int, seed: int) -> Window:
        """Grow a window around a node: towards the inputs, then towards readers.

        `seed` decides between equal choices.
        """
        self._rng = random.Random(seed)
        inside = {pivot}
        leaves = set(self._fanin(pivot))
        while len(inside) < self.max_nodes:
            backward = self._cheapest(
                [s for s in leaves if s >= self.cone.n_inputs], leaves, inside
            )
            if backward is None or len(leaves) + backward[0] - 1 > self.max_leaves:
                break
            inside.add(backward[1])
            leaves |= set(self._fanin(backward[1])) - inside
            leaves -= inside
        self._forward(inside, leaves)
        roots = [s for s in inside if s in self._outputs or self._escapes(s, inside)]
        return Window(*(tuple(sorted(x)) for x in (leaves, inside, roots)))

    def _forward(self, inside: set[int], leaves: set[int]) -> None:
        """Add readers whose inputs are all known, then the one that needs the fewest leaves."""
        while len(inside) < self.max_nodes:
            known = inside | leaves
            near = {r for s in known for r in self._readers[s][:64]} - known
            found = self._cheapest(sorted(near), leaves, inside)
            if found is None or len(leaves) + found[0] > self.max_leaves:
                break
            inside.add(found[1])
            leaves |= set(self._fanin(found[1])) - inside

    def _cheapest(
        self, signals: Sequence[int], leaves: set[int], inside: set[int]
    ) -> tuple[int, int] | None:
        costs = [
            (len(set(self._fanin(s)) - leaves - inside), self._rng.random(), s)
            for s in sorted(signals)
        ]
        if not costs:
            return None
        cost, _, signal = min(costs)
        return cost, signal

    def _fanin(self, signal: int) -> tuple[int, ...]:
        return self.cone.fanins[signal - self.cone.n_inputs]

    def _escapes(self, signal: int, inside: set[int]) -> bool:
        return any(r not in inside for r in self._readers[signal])


def tabulated(cone: Cone) -> Function:
    """Return the function of a network of at most 16 inputs, without don't-cares."""
    return function_of(cone.evaluate(input_patterns(cone.n_inputs)), None)


def replaced(cone: Cone, window: Window, new: Cone) -> Cone | None:
    """Put a network of the same function in the place of a window.

    Returns
    -------
    Cone, or None
        None when the new network would make a loop: a leaf of the window may depend on one of its
        roots through nodes outside.
    """
    builder = ConeBuilder(cone.n_inputs)
    value: dict[int, int] = {s: s for s in range(cone.n_inputs)}
    outputs = dict(zip(window.roots, new.outputs, strict=True))
    reads = {root: _leaves_of(new, out) for root, out in outputs.items()}
    entering: set[int] = set()
    stack = list(reversed(cone.outputs))
    while stack:
        at = stack[-1]
        if at in value:
            stack.pop()
            continue
        is_root = at in outputs
        fanin = (
            tuple(window.leaves[i] for i in reads[at])
            if is_root
            else cone.fanins[at - cone.n_inputs]
        )
        waiting = [s for s in fanin if s not in value]
        if waiting:
            entering.add(at)
            if any(s in entering for s in waiting):
                return None
            stack += reversed(waiting)
            continue
        stack.pop()
        entering.discard(at)
        if is_root:
            value[at] = _add_output(builder, new, outputs[at], window.leaves, value)
        else:
            value[at] = builder.lut([value[s] for s in fanin], cone.tables[at - cone.n_inputs])
    return builder.cone([value[s] for s in cone.outputs])


def _leaves_of(cone: Cone, signal: int) -> tuple[int, ...]:
    return tuple(s for s in _below(cone, signal) if s < cone.n_inputs)


def _below(cone: Cone, signal: int) -> list[int]:
    seen = {signal}
    for at in range(signal, cone.n_inputs - 1, -1):
        if at in seen:
            seen.update(cone.fanins[at - cone.n_inputs])
    return sorted(seen)


def _add_output(
    builder: ConeBuilder, new: Cone, output: int, leaves: Sequence[int], value: dict[int, int]
) -> int:
    """Add the cone of one output; nodes shared with outputs added before are found again."""
    signals: dict[int, int] = {}
    for s in _below(new, output):
        if s < new.n_inputs:
            signals[s] = value[leaves[s]]
        else:
            node = s - new.n_inputs
            signals[s] = builder.lut([signals[f] for f in new.fanins[node]], new.tables[node])
    return signals[output]
