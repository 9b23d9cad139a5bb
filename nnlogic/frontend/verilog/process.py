"""Blocks of statements, run on all combinations of the bits they read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.frontend.verilog.case import require_few_labels
from nnlogic.frontend.verilog.evaluate import Evaluator
from nnlogic.frontend.verilog.expr import Expr, Name, Number, children, constant, walk
from nnlogic.frontend.verilog.kinds import Kind, Signals, Variable
from nnlogic.frontend.verilog.module import (
    Assign,
    Case,
    Function,
    If,
    Net,
    Process,
    Statement,
    base_name,
)
from nnlogic.frontend.verilog.text import NotTables

Found = tuple[Assign, tuple[Expr, ...]]  # an assignment, and what decides whether it is done


def assignments(statements: Sequence[Statement]) -> list[Found]:
    """Return all assignments of a block, each with the expressions that guard it."""
    return list(_assignments(statements, ()))


def _assignments(statements: Sequence[Statement], guards: tuple[Expr, ...]) -> Iterator[Found]:
    for s in statements:
        if isinstance(s, Assign):
            yield s, guards
        elif isinstance(s, If):
            inside = (*guards, *(condition for condition, _ in s.branches))
            for _, inner in s.branches:
                yield from _assignments(inner, inside)
            yield from _assignments(s.other or (), inside)
        else:
            inside = (*guards, s.selector, *(label for item, _ in s.items for label in item))
            for _, inner in s.items:
                yield from _assignments(inner, inside)
            yield from _assignments(s.default or (), inside)


def needed(found: Sequence[Found], target: str) -> tuple[set[str], list[Name]]:
    """Return what a signal of a block depends on.

    Returns
    -------
    names : set of str
        Signals that the block assigns on the way.
    reads : list of Name
        All that is read for them.
    """
    names, reads = {target}, list[Name]()
    while True:
        parts: dict[int, Expr] = {}
        seen: set[int] = set()
        for assign, guards in found:
            if base_name(assign.target, assign.at) in names:
                # Branches of one statement share their guards.
                more = () if id(guards) in seen else guards
                seen.add(id(guards))
                parts.update((id(e), e) for e in (assign.value, *children(assign.target), *more))
        reads = [e for part in parts.values() for e in walk(part) if isinstance(e, Name)]
        assigned = {base_name(a.target, a.at) for a, _ in found}
        more_names = names | ({e.name for e in reads} & assigned)
        if more_names == names:
            return names, reads
        names = more_names


def run_block(
    evaluator: Evaluator, process: Process, target: str, names: set[str], kinds: dict[str, Kind]
) -> IntArray:
    """Return the values that a block gives a signal, shape (rows,).

    Raises
    ------
    NotTables
        It has no value on some rows: the circuit would keep the old one.
    """
    for name in names:
        zeros = np.zeros(evaluator.rows, np.int64)
        evaluator.variables[name] = Variable(kinds[name], zeros, zeros == 1)
    _Run(evaluator, names).statements(process.statements, np.arange(evaluator.rows))
    result = evaluator.variables[target]
    if not result.known.all():
        missing = int((~result.known).sum())
        why = f"{target} has no value on {missing} of {evaluator.rows} combinations of its inputs"
        what = "keeps its value: an enable" if process.clock else "would be a latch"
        raise NotTables(process.at, f"{why}: it {what}", "assign it in every branch")
    return result.values


def run_function(caller: Evaluator, function: Function, arguments: tuple[Expr, ...]) -> IntArray:
    """Return what a function gives for arguments, shape (rows,)."""
    scope: Signals = caller.scope
    variables = {}
    everything = np.ones(caller.rows, bool)
    for (name, net), expr in zip(function.arguments.items(), arguments, strict=True):
        kind = scope.declared(net)
        variables[name] = Variable(kind, caller.assigned(expr, kind.width), everything)
    own: dict[str, Net] = {**function.variables, function.name: function.result}
    for name, net in own.items():
        zeros = np.zeros(caller.rows, np.int64)
        variables[name] = Variable(scope.declared(net), zeros, zeros == 1)
    names = set(own) | set(function.arguments)
    for assign, guards in assignments(function.statements):
        for part in (assign.value, *children(assign.target), *guards):
            for e in walk(part):
                if isinstance(e, Name) and e.name not in names and e.name in scope.nets:
                    why = f"the function {function.name} reads the signal {e.name}"
                    raise NotTables(e.at, why, "give it as an argument")
    inner = replace(caller, at=function.at, columns={}, variables=variables, calls=caller.calls + 1)
    _Run(inner, names).statements(function.statements, np.arange(caller.rows))
    result = variables[function.name]
    if not result.known.all():
        raise NotTables(function.at, f"the function {function.name} gives no value in some cases")
    return result.values


class _Run:
    """Runs statements; `names` are the signals whose assignments count."""

    def __init__(self, evaluator: Evaluator, names: set[str]) -> None:
        self.evaluator, self.names = evaluator, names

    def statements(self, statements: Sequence[Statement], rows: IntArray) -> None:
        """Run statements on some rows."""
        for s in statements:
            if not len(rows):
                return
            if isinstance(s, Assign):
                if base_name(s.target, s.at) in self.names:
                    self._assign(s, rows)
            elif not self._matters(s):
                continue
            elif isinstance(s, If):
                self._if(s, rows)
            else:
                self._case(s, rows)

    def _if(self, s: If, rows: IntArray) -> None:
        for condition, inner in s.branches:
            if not len(rows):
                return
            holds = self._at(s.at).taken(rows).true(condition)
            self.statements(inner, rows[holds])
            rows = rows[~holds]
        self.statements(s.other or (), rows)

    def _matters(self, s: Statement) -> bool:
        return any(base_name(a.target, a.at) in self.names for a, _ in assignments([s]))

    def _at(self, at: int) -> Evaluator:
        self.evaluator.at = at
        return self.evaluator

    def _assign(self, s: Assign, rows: IntArray) -> None:
        evaluator, target = self._at(s.at), s.target
        variable = evaluator.variables[base_name(target, s.at)]
        width = variable.kind.width
        some = evaluator.taken(rows)
        if not isinstance(target, Name) or target.high is target.low is None:
            variable.values[rows] = some.assigned(s.value, width)
            variable.known[rows] = True
            return
        constants = evaluator.scope.constants
        first = constant(target.low or target.high or target, constants, s.at)
        size = some.kind(target).width
        if first < 0 or size < 1 or first + size > width:
            raise NotTables(s.at, f"{target.name}[{first + size - 1}] is outside [{width - 1}:0]")
        if not variable.known[rows].all():
            why = f"a part of {target.name} is assigned before the whole"
            raise NotTables(s.at, why, "assign all of it first, or in one concatenation")
        mask = ((1 << size) - 1) << first
        new = some.assigned(s.value, size) << first
        variable.values[rows] = (variable.values[rows] & ~mask) | new

    def _case(self, s: Case, rows: IntArray) -> None:
        some = self._at(s.at).taken(rows)
        width = some.kind(s.selector).width
        require_few_labels(sum(len(labels) for labels, _ in s.items), width, s.at)
        values: dict[Kind, IntArray] = {}
        left = np.ones(len(rows), bool)
        for labels, inner in s.items:
            matched = np.zeros(len(rows), bool)
            for label in labels:
                matched |= _matches(some, s, label, values)
            if s.unique and (matched & ~left).any():
                raise NotTables(s.at, "a unique case whose items overlap", "drop unique")
            self.statements(inner, rows[matched & left])
            left &= ~matched
        self.statements(s.default or (), rows[left])


def _matches(some: Evaluator, s: Case, label: Expr, values: dict[Kind, IntArray]) -> Bools:
    free = 0
    if isinstance(label, Number) and label.mask:
        if not s.wild:
            raise NotTables(s.at, "a label of x, z or ? in a plain case", "use casez")
        label, free = replace(label, mask=0), label.mask
    kind = some.joined(s.selector, label)
    if kind not in values:
        values[kind] = some.value(s.selector, kind)
    return np.asarray((values[kind] ^ some.value(label, kind)) & ~free == 0)
