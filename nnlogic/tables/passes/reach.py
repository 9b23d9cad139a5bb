"""Reachable inputs of every table of a network."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.tables.ir import Instance, TableNet
from nnlogic.tables.passes.cone_sources import Plan, plan_cone
from nnlogic.tables.passes.effort import Effort
from nnlogic.tables.passes.graph import Graph, Pins
from nnlogic.tables.passes.joint_codes import joint_indices
from nnlogic.tables.passes.search_codes import Question, simulate, sweep

FIRST = 1 << 16  # larger enumerations wait until all tables have had a first try
_NONE = np.zeros(0, dtype=np.int64)
_BOTH = np.arange(2)
BEHIND_COPIES = 48  # input bits before a table whose joint codes are looked at, where copies are
LISTED = 8  # bits of an arithmetic result whose codes are listed


@dataclass(frozen=True)
class _Group:
    """A group of a table's inputs that has still to be settled."""

    size: int
    unit: int
    number: int
    pins: tuple[Pins, ...]


@dataclass
class Reach:
    """Reachable table inputs, found as far as the effort goes; supersets at any time.

    Attributes
    ----------
    care : dict
        Per table unit, the sorted indices that can occur.
    enumerated, asked, skipped : int
        Groups of inputs settled by enumeration; asked of SAT; left as a product.
    kept : int
        Combinations asked of SAT that were not proved unreachable.
    """

    graph: Graph
    effort: Effort
    timeout: float = 600.0
    care: dict[int, IntArray] = field(default_factory=dict)
    enumerated: int = 0
    asked: int = 0
    skipped: int = 0
    kept: int = 0
    _parts: dict[int, list[IntArray]] = field(default_factory=dict, repr=False)
    _images: dict[int, IntArray] = field(default_factory=dict, repr=False)
    _alike: dict[object, IntArray] = field(default_factory=dict, repr=False)
    _work: int = 0
    _proofs: int = 0

    @staticmethod
    def of(net: TableNet, effort: Effort, timeout: float = 600.0) -> Reach:
        """Find the reachable inputs of all tables.

        Tables are visited in topological order, first for what is cheap. What is expensive is
        then done from the cheapest on, until the work is used up; SAT gets the rest.
        """
        reach = Reach(Graph(net), effort, timeout)
        waiting: list[_Group] = []
        shared = set(net.shared)
        for at, block in enumerate(net.blocks):
            if isinstance(block, Instance) and block.layer in shared:
                reach._copy(net.n_inputs + at, block.function)
            elif isinstance(block, Instance):
                waiting += reach._first_try(net.n_inputs + at)
        order = sorted(waiting, key=lambda g: (g.size, g.unit, g.number))
        worth = [group for group in order if reach._provable(group)]
        reach.skipped += len(order) - len(worth)
        reach._third_try([group for group in worth if not reach._second_try(group)])
        return reach

    def text(self) -> str:
        """Return what was done and what was left out, for people."""
        out = f"{self.enumerated} groups of inputs enumerated"
        if self.asked:
            out += f", {self.asked} by SAT ({self.kept} combinations not excluded)"
        return out + (f", {self.skipped} too large for this effort" if self.skipped else "")

    def image(self, unit: int) -> IntArray | None:
        """Return the codes a unit can emit, or a superset; None for wide arithmetic."""
        if self.graph.block(unit) is None:
            return _BOTH
        if unit in self.care:
            if unit not in self._images:
                self._images[unit] = np.unique(self.graph.codes(unit)[self.care[unit]])
            return self._images[unit]
        width = self.graph.width(unit)
        if width > LISTED:
            return None
        if unit not in self._images:
            whole = Pins(unit, tuple(range(width)), tuple(range(width)))
            if self._too_deep((whole,)):
                self._images[unit] = np.arange(1 << width)
                return self._images[unit]
            plan = plan_cone(self.graph, (whole,), lambda u: None if u == unit else self.image(u))
            size = plan.size * (len(plan.nodes) + 1)
            exact = plan.size <= min(FIRST, self.effort.combinations) and self._pay(size)
            self._images[unit] = (
                joint_indices(self.graph, (whole,), plan, width) if exact else np.arange(1 << width)
            )
        return self._images[unit]

    def _copy(self, unit: int, function: int) -> None:
        """Settle a copy by the codes of its producers alone, once for all copies that read alike.

        Joint codes are not looked at: there are as many cones as copies.
        """
        read = [self._listed(p) for p in self.graph.fan_in[unit]]
        key = function, tuple((p.pins, p.places, id(image)) for p, image in read)
        if key not in self._alike:
            parts = [np.unique(p.spread(image)) for p, image in read]
            cared = np.flatnonzero(self.graph.net.functions[function].care_bools())
            care = np.intersect1d(product_indices(parts), cared)
            self._alike[key] = care
            # The key names the images by identity, so they have to stay.
            self._alike[key, "images"] = np.unique(self.graph.codes(unit)[care])
        self.care[unit] = self._alike[key]
        self._images[unit] = self._alike[key, "images"]

    def _first_try(self, unit: int) -> list[_Group]:
        parts: list[IntArray] = []
        waiting = []
        function = self.graph.function(unit)
        self.care[unit] = np.flatnonzero(function.care_bools()) if function else _NONE
        for pins in groups_of(self.graph, unit):
            if len(pins) == 1:
                parts.append(self._alone(pins[0]))
                continue
            if self._too_deep(pins):
                self.skipped += 1
                parts.append(product_indices([self._alone(p) for p in pins]))
                continue
            plan = plan_cone(self.graph, pins, self.image)
            size = plan.size * (len(plan.nodes) + 1)
            if plan.size <= min(FIRST, self.effort.combinations) and self._pay(size):
                parts.append(self._enumerate(unit, pins, plan))
            else:
                waiting.append(_Group(size, unit, len(parts), pins))
                parts.append(product_indices([self._alone(p) for p in pins]))
        self._parts[unit] = parts
        self._settle(unit)
        return waiting

    def _too_deep(self, pins: tuple[Pins, ...]) -> bool:
        """Whether units stand so far behind copies that planning alone would take long."""
        atoms = 0
        for p in pins:
            atoms |= self.graph.atoms[p.unit]
        return bool(self.graph.net.shared) and atoms.bit_count() > BEHIND_COPIES

    def _provable(self, group: _Group) -> bool:
        """Whether what is found about a group can be proved again at this effort."""
        cone = self.graph.cone(tuple(p.unit for p in group.pins))
        functions = [self.graph.function(unit) for unit in cone]
        entries = sum(1 << f.n_inputs for f in functions if f is not None)
        if entries > min(self.effort.entries, self.effort.proofs - self._proofs):
            return False
        self._proofs += entries
        return True

    def _second_try(self, group: _Group) -> bool:
        """Enumerate a group if the work is left for it."""
        plan = plan_cone(self.graph, group.pins, self.image)
        if plan.size > self.effort.combinations or not self._pay(group.size):
            return False
        part = self._enumerate(group.unit, group.pins, plan)
        self._parts[group.unit][group.number] = part
        self._settle(group.unit)
        return True

    def _third_try(self, groups: list[_Group]) -> None:
        """Ask SAT about what simulation does not show."""
        open_: list[tuple[_Group, Question]] = []
        left = self.effort.questions
        for group in groups:
            part = self._parts[group.unit][group.number]
            plan = plan_cone(self.graph, group.pins, self.image)
            seen = simulate(self.graph, group.pins, plan, self.effort.samples)
            unseen = part[~seen[part]]
            if len(unseen) > min(left, self.effort.questions // 2):
                self.skipped += 1
            elif len(unseen):
                left -= len(unseen)
                open_.append((group, Question(group.pins, unseen)))
            else:
                self.enumerated += 1
        if not open_:
            return
        self.asked += len(open_)
        answers = sweep(
            self.graph,
            [question for _, question in open_],
            conflicts=self.effort.conflicts,
            timeout=self.timeout,
        )
        for (group, question), never in zip(open_, answers, strict=True):
            parts = self._parts[group.unit]
            parts[group.number] = np.setdiff1d(parts[group.number], question.indices[never])
            self.kept += int((~never).sum())
            self._settle(group.unit)

    def _pay(self, work: int) -> bool:
        if self._work + work > self.effort.work:
            return False
        self._work += work
        return True

    def _enumerate(self, unit: int, pins: tuple[Pins, ...], plan: Plan) -> IntArray:
        self.enumerated += 1
        function = self.graph.function(unit)
        return joint_indices(self.graph, pins, plan, function.n_inputs if function else 0)

    def _alone(self, pins: Pins) -> IntArray:
        pins, image = self._listed(pins)
        return np.unique(pins.spread(image))

    def _listed(self, pins: Pins) -> tuple[Pins, IntArray]:
        """Return the codes of a unit with pins that go with them; of wide ones what is read."""
        image = self.image(pins.unit)
        if image is not None:
            return pins, image
        width = len(pins.places)
        image = self._alike.setdefault(width, np.arange(1 << width))
        return Pins(pins.unit, pins.pins, tuple(range(width))), image

    def _settle(self, unit: int) -> None:
        self.care[unit] = np.intersect1d(product_indices(self._parts[unit]), self.care[unit])
        self._images.pop(unit, None)


def groups_of(graph: Graph, unit: int) -> list[tuple[Pins, ...]]:
    """Split the fan-in of a unit into groups that depend on disjoint input bits."""
    groups: list[tuple[int, list[Pins]]] = []
    for p in graph.fan_in[unit]:
        mask, mine = graph.atoms[p.unit], [p]
        apart = []
        for other in groups:
            if other[0] & mask:
                mask |= other[0]
                mine = other[1] + mine
            else:
                apart.append(other)
        groups = [*apart, (mask, mine)]
    return [tuple(pins) for _, pins in groups]


def product_indices(parts: list[IntArray]) -> IntArray:
    """Return all combinations of partial table indices on disjoint pins."""
    total = np.zeros(1, dtype=np.int64)
    for part in parts:
        total = (total[:, None] | part[None, :]).ravel()
    return total
