"""Plans for adding a heap of bits: which bits each counter takes.

A counter takes bits of up to three neighbouring columns and returns the bits of their sum, one
LUT per bit (generalized parallel counters: Parandeh-Afshar et al., "Compressor tree synthesis on
commercial high-performance FPGAs", TRETS 2011). Columns are settled from the lowest; a beam search
keeps the plans that promise the fewest LUTs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

SPAN = 3
"""Columns a counter reads."""
MOST_ROOM = 8
"""Columns from which on a counter has room for all its outputs."""
SEARCHED, TALL, TALL_TAKES = 160, 16, 6
"""Bits of a heap above which columns of more than `TALL` are not searched, and how many of these a
counter then takes: a bit less for each of its LUTs, and no counter does better. Measured: 784 bits
take 775 LUTs in 0.2 s, and searched through 774 in 5.5 s; 545 in columns of 8 to 40 take 484 in
0.7 s, and 485 in 1.9 s."""
FULL_ADDER = 5
"""Two-input LUTs in a full adder."""


class Step(NamedTuple):
    """A counter: how many bits it takes of `column` and those above, and of the constant.

    Bits are taken in order of their level, the earliest first.
    """

    column: int
    taken: tuple[int, ...]
    ones: tuple[int, int]


@dataclass(frozen=True)
class Shape:
    """Outputs of a counter: which of them need a LUT, and LUTs in all."""

    logic: tuple[bool, ...]
    luts: int


@cache
def shape(taken: tuple[int, ...], ones: tuple[int, ...], room: int, k: int) -> Shape:
    """Return the outputs of a counter with `room` columns from its lowest to the top."""
    base = sum(o << i for i, o in enumerate(ones))
    most = base + sum(n << i for i, n in enumerate(taken))
    counts = list(product(*(range(n + 1) for n in taken)))
    values = {c: base + sum(v << i for i, v in enumerate(c)) for c in counts}
    logic = []
    for b in range(min(most.bit_length(), room)):
        support = 0
        for i, n in enumerate(taken):
            moved = ((c, (*c[:i], c[i] + 1, *c[i + 1 :])) for c in counts if c[i] < n)
            support += n * any((values[a] ^ values[z]) >> b & 1 for a, z in moved)
        logic.append(support > 1)
    wide = k < 3 and sum(taken) == 3
    return Shape(tuple(logic), FULL_ADDER - (room < 2) * 3 if wide else sum(logic))


@cache
def counters(k: int) -> tuple[tuple[int, ...], ...]:
    """Return how many bits a counter may take of each column."""
    most = max(k, 3)
    out = []
    for taken in product(range(1, most + 1), range(most), range(most - 1)):
        if sum(taken) <= most and (taken[1] or not taken[2]) and (k > 2 or not taken[1]):
            out.append(taken)
    return tuple(out)


class _State(NamedTuple):
    columns: tuple[tuple[int, ...], ...]
    constant: int
    luts: int
    depth: int
    step: Step | None
    before: _State | None

    def total(self, column: int) -> int:
        return len(self.columns[column]) + (self.constant >> column & 1)


def plan(
    heights: Sequence[Sequence[int]], constant: int, k: int, *, level_cost: float, beam: int
) -> tuple[Step, ...]:
    """Search the counters that leave one bit per column.

    Parameters
    ----------
    heights : sequence of sequence of int
        Per column, from the lowest: the level of every bit.
    constant : int
        Added to the heap, below ``2**len(heights)``.
    k : int
        Inputs of a LUT; two-input LUTs make adders of five.
    level_cost : float
        LUTs that a level is worth.
    beam : int
        Plans kept at every height of every column.

    Returns
    -------
    tuple of Step
        In order; carries beyond the last column are dropped.
    """
    return _plan(tuple(tuple(sorted(c)) for c in heights), constant, k, level_cost, beam)


@lru_cache(maxsize=4096)
def _plan(
    start: tuple[tuple[int, ...], ...], constant: int, k: int, level_cost: float, beam: int
) -> tuple[Step, ...]:
    states = [_State(start, constant, 0, max((max(c) for c in start if c), default=0), None, None)]
    tall = sum(map(len, start)) > SEARCHED
    for column in range(len(start)):
        states = _settled(states, column, k, level_cost, beam, tall=tall)
    best = min(states, key=lambda s: _score(s, len(start), level_cost))
    return tuple(reversed(list(_steps(best))))


def _steps(state: _State | None) -> Iterator[Step]:
    while state is not None and state.step is not None:
        yield state.step
        state = state.before


def _settled(
    states: Sequence[_State], column: int, k: int, level_cost: float, beam: int, *, tall: bool
) -> list[_State]:
    """Continue until the column has one bit, keeping `beam` states per height on the way."""
    waiting: dict[int, dict[tuple[object, int], _State]] = {}
    done: dict[tuple[object, int], _State] = {}

    def keep(state: _State) -> None:
        total = state.total(column)
        pool = done if total <= 1 else waiting.setdefault(total, {})
        key = state.columns, state.constant
        old = pool.get(key)
        if old is None or (state.luts, state.depth) < (old.luts, old.depth):
            pool[key] = state

    for state in states:
        keep(_lowered(state, column, k) if tall else state)
    while waiting:
        for state in _best(waiting.pop(max(waiting)), column, level_cost, beam):
            for new in _continued(state, column, k):
                keep(new)
    return _best(done, column + 1, level_cost, beam)


def _lowered(state: _State, column: int, k: int) -> _State:
    """Return the state after counters of six bits, of which no other is better, in tall columns."""
    step = Step(column, (TALL_TAKES, 0, 0), (0, 0))
    while k >= TALL_TAKES and len(state.columns[column]) > TALL:
        made = shape(step.taken, step.ones, min(len(state.columns) - column, MOST_ROOM), k)
        state = _applied(state, step, made)
    return state


def _best(
    pool: dict[tuple[object, int], _State], column: int, level_cost: float, beam: int
) -> list[_State]:
    return sorted(pool.values(), key=lambda s: _score(s, column, level_cost))[:beam]


def _score(state: _State, column: int, level_cost: float) -> float:
    late, bits, above = 0.0, state.constant.bit_count(), len(state.columns) - column
    for c in state.columns[column:]:
        if c:
            bits += len(c)
            late = max(late, c[-1] + above / 2)
        above -= 1
    return state.luts + bits + level_cost * max(late, state.depth)


def _continued(state: _State, column: int, k: int) -> Iterator[_State]:
    room = len(state.columns) - column
    here = [len(c) for c in state.columns[column : column + SPAN]]
    here += [0] * (SPAN - len(here))
    constant = state.constant >> column
    for taken, ones, made in _choices(min(room, MOST_ROOM), k):
        # A counter takes what is there: bits of the columns, and ones of the constant.
        if (
            taken[0] <= here[0] and taken[1] <= here[1] and taken[2] <= here[2]
            and not (ones[0] & ~constant or ones[1] & ~(constant >> 1))
        ):  # fmt: skip
            yield _applied(state, Step(column, taken, ones), made)


@cache
def _choices(room: int, k: int) -> tuple[tuple[tuple[int, ...], tuple[int, int], Shape], ...]:
    """Return the counters that fit into `room` columns, with the ones of the constant they take."""
    out = []
    for taken in counters(k):
        for ones in product((0, 1), (0, 1) if room >= 2 else (0,)) if k > 2 else ((0, 0),):
            if taken[0] + ones[0] >= 2:
                out.append((taken, ones, shape(taken, ones, room, k)))
    return tuple(out)


def _applied(state: _State, step: Step, made: Shape) -> _State:
    """Return the state after a counter."""
    columns = list(state.columns)
    at = step.column
    levels = []
    for i, n in enumerate(step.taken):
        if n:
            levels.append(columns[at + i][n - 1])
            columns[at + i] = columns[at + i][n:]
    depth = state.depth
    for b, level in enumerate(surfaced(levels, made), at):
        depth = max(depth, level)
        column = columns[b]
        place = bisect_right(column, level)
        columns[b] = (*column[:place], level, *column[place:])
    constant = state.constant - (step.ones[0] << at) - (step.ones[1] << at + 1)
    return _State(tuple(columns), constant, state.luts + made.luts, depth, step, state)


def surfaced(levels: Sequence[int], made: Shape) -> list[int]:
    """Return the levels of a counter's outputs, from the latest input of each of its columns."""
    # The lowest output reads only its own column.
    latest = max(levels)
    return [(latest if b else levels[0]) + logic for b, logic in enumerate(made.logic)]
