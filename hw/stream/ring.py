"""Counters that are shift registers: one LUT where a binary counter takes one per bit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import xor

from amaranth.hdl import Cat, Const, Mux, Signal, Value

# Bits whose parity enters, by length: maximal sequences (XAPP052).
TAPS: dict[int, tuple[int, ...]] = {
    1: (1,), 2: (2, 1), 3: (3, 2), 4: (4, 3), 5: (5, 3), 6: (6, 5), 7: (7, 6), 8: (8, 6, 5, 4),
    9: (9, 5), 10: (10, 7), 11: (11, 9), 12: (12, 6, 4, 1), 13: (13, 4, 3, 1), 14: (14, 5, 3, 1),
    15: (15, 14), 16: (16, 15, 13, 4), 17: (17, 14), 18: (18, 11), 19: (19, 6, 2, 1), 20: (20, 17),
    21: (21, 19), 22: (22, 21), 23: (23, 18), 24: (24, 23, 22, 17),
}  # fmt: skip
MOST = 1 << max(TAPS)
"""Most places of a ring."""


@dataclass(frozen=True)
class Cycle:
    """States of a shift register that returns after some shifts.

    Attributes
    ----------
    states : tuple of int
        In order; the newest bit is the lowest.
    bits : int
    turns : tuple of int
        States after which the other bit enters than in the maximal sequence.
    """

    states: tuple[int, ...]
    bits: int
    turns: tuple[int, ...]

    @staticmethod
    @lru_cache(maxsize=64)
    def of(count: int) -> Cycle:
        """Return the shortest register with `count` states.

        One inverted bit cuts the maximal sequence anywhere: there is exactly one state whose
        successor then is `count - 1` states back. Two put the state of zeros into it.
        """
        bits = max(1, (count - 1).bit_length())
        mask = (1 << bits) - 1
        taps = sum(1 << tap - 1 for tap in TAPS[bits])
        states, state = [], 1
        for _ in range(mask):
            states.append(state)
            state = (state << 1 | (state & taps).bit_count() & 1) & mask
        if count > mask:
            oldest = 1 << bits - 1
            at = states.index(oldest) + 1
            return Cycle((*states[:at], 0, *states[at:]), bits, (oldest, 0))
        if count == mask:
            return Cycle(tuple(states), bits, ())
        place = {state: i for i, state in enumerate(states)}
        for end, state in enumerate(states):
            first = place.get(states[(end + 1) % mask] ^ 1)
            if first is not None and (end - first) % mask + 1 == count:
                ring = tuple(states[(first + i) % mask] for i in range(count))
                return Cycle(ring, bits, (state,))
        raise AssertionError(f"{bits} bits, taps {TAPS[bits]}: not a maximal sequence")


class Ring:
    """A counter modulo `count`; its value can only be compared with constants.

    Parameters
    ----------
    count : int
        At most `MOST`.
    name : str
    cleared : bool
        Whether who uses it sets it to `start` before it counts; else the domain's reset does.
    """

    def __init__(self, count: int, name: str, *, cleared: bool = True) -> None:
        self.count, self.cycle = count, self._cycle(count)
        first = self.cycle.states[0]
        self.state = Signal(self.cycle.bits, name=name, init=first, reset_less=cleared)

    @staticmethod
    def _cycle(count: int) -> Cycle:
        return Cycle.of(count)

    @property
    def start(self) -> Const:
        """The state that stands for 0."""
        return Const(self.cycle.states[0], self.cycle.bits)

    @property
    def after(self) -> Value:
        """The state after this one; 0 again after the last."""
        enters = reduce(xor, (self.state[tap - 1] for tap in TAPS[self.cycle.bits]))
        for turn in self.cycle.turns:
            enters = enters ^ (self.state == turn)
        return Cat(enters, self.state[:-1])

    def at(self, *values: int) -> Value:
        """Whether the count is one of these, which may be outside the ring."""
        wanted = {value for value in values if 0 <= value < self.count}
        others = set(range(self.count)) - wanted
        if not wanted or not others:
            return Const(int(bool(wanted)), 1)
        fewer = min(wanted, others, key=len)
        found = Cat(self.state == self.cycle.states[value] for value in sorted(fewer)).any()
        return found if fewer is wanted else ~found


class Binary(Ring):
    """The same with numbers for states: it needs no more of them than `count`."""

    @staticmethod
    def _cycle(count: int) -> Cycle:
        return Cycle(tuple(range(count)), max(1, (count - 1).bit_length()), ())

    @property
    def after(self) -> Value:
        """The state after this one; 0 again after the last."""
        return Mux(self.state == self.count - 1, 0, self.state + 1)
