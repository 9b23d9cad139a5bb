"""Straight-line code in parts: short enough for a compiler, with slots for what crosses them."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.logic.cone import Cone

PART = 400
"""Nodes of a part: the time of register allocation grows with its square."""


@dataclass(frozen=True)
class Code:
    """A network in parts.

    Attributes
    ----------
    cone : Cone
        Nodes of at most three inputs.
    parts : tuple of range
        Nodes of each part, in the order they run.
    stores : dict of int to int
        Signal to the slot that holds it after its part; only what a later part reads has one.
    slots : int
        Slots there are; one is used again once nothing reads it any more.
    """

    cone: Cone
    parts: tuple[range, ...]
    stores: dict[int, int]
    slots: int

    def part_of(self, signal: int) -> int:
        """Return the part in which a node's signal is computed; -1 for inputs."""
        return (signal - self.cone.n_inputs) // PART if signal >= self.cone.n_inputs else -1


def straight(cone: Cone) -> Code:
    """Cut a network into parts and give slots to the signals that cross them."""
    n = cone.n_inputs
    parts = tuple(range(at, min(at + PART, cone.n_nodes)) for at in range(0, cone.n_nodes, PART))
    last: dict[int, int] = {}
    for number, part in enumerate(parts):
        for node in part:
            for s in cone.fanins[node]:
                if s >= n and (s - n) // PART < number:
                    last[s] = number
    stores: dict[int, int] = {}
    free: list[int] = []
    slots = 0
    for number, part in enumerate(parts):
        for node in part:
            if n + node in last:
                if not free:
                    free.append(slots)
                    slots += 1
                stores[n + node] = free.pop()
        # A slot is written in the part after the last that reads it, never in that part itself.
        free += sorted((stores[s] for s in stores if last.get(s) == number), reverse=True)
    return Code(cone, parts, stores, slots)
