"""Run the methods on the parts of a row."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.minimize.cases import Parts
from benchmarks.minimize.parts import Part, Score, Wrong
from benchmarks.minimize.table import Cell
from benchmarks.minimize.yosys import Yosys
from nnlogic.core.errors import NNLogicError
from nnlogic.tables.ir import Function

SIZES = (6, 4)
EXACT = "nnlogic exact"


class Method(Protocol):
    """A column: a name, and what it makes of parts for a LUT size."""

    @property
    def name(self) -> str: ...

    def run(self, parts: Sequence[Part], k: int) -> list[Score] | None: ...


@dataclass(frozen=True)
class Task:
    """A column and which parts of a row it is given.

    Attributes
    ----------
    own : bool
        Whole networks, where the row has them for nnlogic.
    observed : bool
        Functions with the inputs seen in data as care set; nothing where the row has no data.
    """

    method: Method
    own: bool = False
    observed: bool = False

    def parts(self, given: Parts) -> Sequence[Part]:
        """Pick the parts."""
        if self.observed:
            return given.observed
        return given.own if self.own and given.own else given.given

    def batches(self, given: Parts) -> list[Sequence[Part]]:
        """Return what goes into one call: everything for Yosys, whose start is slow."""
        parts = self.parts(given)
        if isinstance(self.method, Yosys):
            return [parts] if parts else []
        return [[part] for part in parts]


Found = dict[int, list[Score] | str | None]


def measured(tasks: Sequence[Task], given: Parts, jobs: int) -> Iterator[tuple[Task, Found]]:
    """Yield, per column, the scores for each LUT size; text is what went wrong."""
    from joblib import Parallel, delayed

    plan = [(t, k, batch) for t in tasks for k in SIZES for batch in t.batches(given)]
    pool = Parallel(n_jobs=jobs, return_as="generator")
    results = pool(delayed(attempt)(t.method, batch, k) for t, k, batch in plan)
    found: dict[int, Found] = {i: {} for i in range(len(tasks))}
    left = Counter((t.method.name, k) for t, k, _ in plan)
    for (task, k, _), scores in zip(plan, results, strict=True):
        column = found[tasks.index(task)]
        before = column.setdefault(k, [])
        if isinstance(before, list) and isinstance(scores, list):
            before += scores
        else:
            column[k] = before if isinstance(before, str) else scores
        name = task.method.name
        left[name, k] -= 1
        if not left[name, k]:
            print(f"    {name}, LUT{k}: {_shown(column[k])}", file=sys.stderr, flush=True)
    yield from zip(tasks, found.values(), strict=True)


def _shown(scores: list[Score] | str | None) -> str:
    if not isinstance(scores, list):
        return scores or "does not apply"
    luts, seconds = sum(s.luts for s in scores), sum(s.seconds for s in scores)
    return f"{luts:,} LUTs, {max(s.depth for s in scores)} levels, {seconds:.1f} s"


def attempt(method: Method, parts: Sequence[Part], k: int) -> list[Score] | str | None:
    """Run a method on some parts; return what went wrong as text."""
    try:
        return method.run(parts, k)
    except Wrong as error:
        return f"wrong: {error}"
    except NNLogicError as error:
        return f"failed: {error.what}"


def cell_of(task: Task, given: Parts, found: Found) -> Cell:
    """Return what the table shows for a column of a row."""
    scores = {k: s for k, s in found.items() if isinstance(s, list)}
    notes = [f"LUT{k} {s}" for k, s in found.items() if isinstance(s, str)]
    notes += [score.note for score in scores.get(6, ()) if score.note]
    if given.held_out and task.observed and scores.get(6):
        notes.append(f"{agreement(scores[6], given):.2f} %")
    return Cell(scores, "; ".join(notes))


def agreement(scores: Sequence[Score], given: Parts) -> float:
    """Percentage of rows no method saw on which results equal the exact table, over all parts."""
    same = []
    for function, score, rows in zip(given.given, scores, given.held_out, strict=True):
        assert isinstance(function, Function)
        assert score.cone is not None
        index = rows[None, :] >> np.arange(function.n_inputs)[:, None]
        got = score.cone.evaluate((index & 1).astype(bool))
        same.append((got == function.table()[:, rows]).all(axis=0).mean())
    return 100 * float(np.mean(same))
