"""What is minimized as a unit: a function, or an arithmetic block on local signals."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace
from typing import TypeVar

from nnlogic.core.archive import digest
from nnlogic.logic.arith import check_block, solve_block, unproved
from nnlogic.logic.cone import Cone, mismatches
from nnlogic.logic.portfolio import ENGINE_SET, Solution, SolveOptions, solve
from nnlogic.logic.structures import STRUCTURES, Arithmetic
from nnlogic.tables.ir import Function, Instance, TableNet, Word
from nnlogic.tools.budget import Budget, budget, spending

A = TypeVar("A", bound=Arithmetic)


@dataclass(frozen=True, eq=False)
class Unit:
    """One thing to minimize, however often it is used.

    Attributes
    ----------
    content : Function or arithmetic block
        Signals of a block are numbered from 0 in the order it reads them.
    label : str
        For people: ``function 12`` or the origin of the first block.
    uses : int
        Blocks of the network that need it.
    """

    content: Function | Arithmetic
    label: str
    uses: int

    def key(self, options: SolveOptions) -> str:
        """Return the content hash under which results are cached."""
        if isinstance(self.content, Function):
            what = self.content.digest
        else:
            what = digest(type(self.content).__name__, repr(astuple(self.content)), STRUCTURES)
        asked: list[object] = [options.k, options.effort, options.objective, ENGINE_SET]
        return digest(what, asked)

    def solve(self, options: SolveOptions) -> Solution:
        """Minimize within the budget."""
        seconds = math.inf if options.budget is None else options.budget
        with spending(Budget(seconds, within=budget())) as own:
            if isinstance(self.content, Function):
                solution = solve(self.content, options)
            else:
                solution = solve_block(self.content, options)
        return replace(solution, complete=not own.spent)

    def wrong(self, cone: Cone, engine: str, k: int) -> str:
        """Return why a network read from elsewhere is no solution, or nothing.

        Exact: by all inputs that matter or, where these are too many, by proof.

        Parameters
        ----------
        cone : Cone
        engine : str
            What is said to have made it; only says where the proof begins.
        k : int
        """
        problems = cone.problems(k)
        if problems:
            return problems[0]
        if isinstance(self.content, Function):
            wrong = mismatches(cone, self.content)
            return f"wrong on {wrong} of {1 << self.content.n_inputs} inputs" if wrong else ""
        return check_block(self.content, cone) or unproved(self.content, cone, engine, k)


def local_block(block: A) -> tuple[A, tuple[int, ...]]:
    """Renumber the signals of a block from 0, without its place in the network.

    Returns
    -------
    block
        Equal for all blocks that compute the same thing.
    signals : tuple of int
        The network's signal for each local one.
    """
    signals = tuple(dict.fromkeys(s for word in block.words for s in word.signals))
    number = {s: i for i, s in enumerate(signals)}
    words = tuple(Word(tuple(number[s] for s in w.signals), w.signed) for w in block.words)
    first = len(signals)
    result = Word(tuple(range(first, first + len(block.outputs))), block.result.signed)
    return replace(block, words=words, result=result, origin="", layer=0), signals


def units_of(net: TableNet) -> tuple[list[Unit], list[tuple[int, tuple[int, ...]]]]:
    """Collect what has to be minimized.

    Returns
    -------
    units : list of Unit
        Distinct, in order of first use.
    uses : list of (unit, input signals)
        One per block of the network.
    """
    contents: list[Function | Arithmetic] = []
    labels: list[str] = []
    counts: list[int] = []
    number: dict[object, int] = {}
    uses = []
    for block in net.blocks:
        if isinstance(block, Instance):
            content: Function | Arithmetic = net.functions[block.function]
            key: object = net.functions[block.function].digest
            label, inputs = f"function {block.function}", block.inputs
        else:
            content, inputs = local_block(block)
            key, label = content, block.origin
        if key not in number:
            number[key] = len(contents)
            contents.append(content)
            labels.append(label)
            counts.append(0)
        counts[number[key]] += 1
        uses.append((number[key], inputs))
    units = [Unit(*item) for item in zip(contents, labels, counts, strict=True)]
    return units, uses
