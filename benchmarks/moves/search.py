"""A prior for moves, learned from functions that take no part, and tree search with it."""

from __future__ import annotations

import math
import resource
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.moves.moves import LONGEST, MOVES, Runner, Sequence
from nnlogic.tables.ir import Function

EXPLORE = 0.6
SMOOTH = 1.0
SHARP = 12.0
"""How much more a sequence counts in the prior that is better by its whole size."""


def cpu() -> float:
    """Return CPU seconds of this process and of programs that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + spent.ru_utime + spent.ru_stime


def kind_of(function: Function) -> str:
    """Return the class of a function: its inputs, outputs, and whether it is nearly unate."""
    table = function.table()[:1]
    unate = 0
    for i in range(function.n_inputs):
        low, high = np.moveaxis(table.reshape(-1, 2, 1 << i), 1, 0)
        unate += bool((low & ~high).mean() < 0.01 or (high & ~low).mean() < 0.01)
    wide = "wide" if function.n_inputs > 8 else "narrow"
    shape = "unate" if unate > function.n_inputs / 2 else "mixed"
    return f"{wide}, {shape}, {'one' if function.n_outputs == 1 else 'several'} outputs"


@dataclass
class Prior:
    """Chances of a next move, given the class of the function and the move before.

    Attributes
    ----------
    weights : mapping
        By class, move before ("" at the start) and move.
    """

    weights: dict[tuple[str, str, str], float] = field(default_factory=lambda: defaultdict(float))

    def learn(self, function: Function, tried: dict[Sequence, int]) -> None:
        """Take up sequences that were tried on a function, with their LUTs."""
        best = min(tried.values(), default=0)
        for moves, luts in tried.items():
            worth = math.exp(-SHARP * (luts / max(1, best) - 1))
            for before, move in zip(("", *moves), moves, strict=False):
                self.weights[kind_of(function), before, move] += worth

    def chances(self, kind: str, before: str, moves: list[str]) -> list[float]:
        """Return the chances of moves, which add up to one."""
        found = [SMOOTH + self.weights.get((kind, before, move), 0.0) for move in moves]
        return [value / sum(found) for value in found]


@dataclass
class Tree:
    """PUCT over sequences of one function: the value of a node is the best that came of it.

    Attributes
    ----------
    runner : Runner
    prior : Prior
    """

    runner: Runner
    prior: Prior

    def __post_init__(self) -> None:
        """Start with an empty tree."""
        self.kind = kind_of(self.runner.function)
        self.starts = self.runner.starts()
        self.visits: dict[Sequence, int] = defaultdict(int)
        self.best: dict[Sequence, float] = {}
        self.tried: dict[Sequence, int] = {}
        self.dead: set[Sequence] = set()

    def search(self, seconds: float) -> None:
        """Try sequences until so many CPU seconds are spent; at least one."""
        end = cpu() + seconds
        while not self.tried or cpu() < end:
            if () in self.dead:
                return
            self.step()

    def step(self) -> None:
        """Follow the most promising moves to a sequence that was not tried, and try it."""
        path: Sequence = ()
        while True:
            open_moves = [m for m in self._moves(path) if (*path, m) not in self.dead]
            if not open_moves:
                self.dead.add(path)
                return
            path = (*path, self._choose(path, open_moves))
            if path not in self.tried:
                break
        luts = self.runner.luts(path)
        if luts is None:
            self.dead.add(path)
        else:
            self.tried[path] = luts
        for n in range(len(path) + 1):
            node = path[:n]
            self.visits[node] += 1
            if luts is not None:
                self.best[node] = min(luts, self.best.get(node, math.inf))

    def _moves(self, path: Sequence) -> Iterable[str]:
        if len(path) >= LONGEST:
            return ()
        return self.starts if not path else MOVES

    def _choose(self, path: Sequence, moves: list[str]) -> str:
        chances = self.prior.chances(self.kind, path[-1] if path else "", moves)
        top = min(self.best.values(), default=1.0)
        scores = []
        for move, chance in zip(moves, chances, strict=True):
            node = (*path, move)
            # What was not tried yet promises what its parent gave.
            value = self.best.get(node, self.best.get(path, math.inf))
            gain = 0.0 if math.isinf(value) else top / value
            room = math.sqrt(1 + self.visits[path]) / (1 + self.visits[node])
            scores.append(gain + EXPLORE * chance * room)
        return moves[int(np.argmax(scores))]


def explored(function: Function, seconds: float, seed: int) -> dict[Sequence, int]:
    """Return the LUTs of random sequences, tried for so many CPU seconds."""
    rng, runner = np.random.default_rng(seed), Runner(function)
    starts = runner.starts()
    tried: dict[Sequence, int] = {}
    end = cpu() + seconds
    for moves in [(start,) for start in starts]:
        if (luts := runner.luts(moves)) is not None:
            tried[moves] = luts
    while cpu() < end:
        start = starts[int(rng.integers(len(starts)))]
        more = rng.choice(list(MOVES), int(rng.integers(1, LONGEST)))
        moves = (start, *map(str, more))
        if (luts := runner.luts(moves)) is not None:
            tried[moves] = luts
    return tried
