"""Arithmetic structures with the steps that make them right, for `nnlogic.checks` to verify."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.logic.cone import Cone

Weighted = tuple[tuple[int, int], ...]
"""Pairs of signal and weight."""


@dataclass(frozen=True)
class Group:
    """A counter or a table of partial sums.

    For all values of its inputs, ``sum(weight * input) == sum(weight * output) + constant``
    modulo ``2**width`` of the sum it is part of.
    """

    inputs: Weighted
    outputs: Weighted
    constant: int


@dataclass(frozen=True)
class Entry:
    """An unsigned number and the index of the word it stands for, as signals, LSB first."""

    word: tuple[int, ...]
    index: tuple[int, ...]


@dataclass(frozen=True)
class Match:
    """The largest of some entries, the first where several are equal.

    Attributes
    ----------
    entries : tuple of Entry
        Of neighbouring ranges of words, in order.
    beaten : tuple of (i, j, signal)
        For all ``i < j``: whether entry ``j`` is greater than entry ``i``.
    winner : Entry
    """

    entries: tuple[Entry, ...]
    beaten: tuple[tuple[int, int, int], ...]
    winner: Entry


@dataclass(frozen=True)
class Structure:
    """A network for a block, and why it is right.

    Attributes
    ----------
    cone : Cone
    groups : tuple of Group
        Of the sum inside a Sum or a Threshold block, in topological order.
    total : tuple of int
        Signals of the bits of that sum, LSB first.
    offset : int
        Added to the block's sum, so that the bits of a Threshold block's are unsigned.
    leaves : tuple of Entry
        Of an ArgmaxBlock block, one per word; their numbers are the words' plus a common offset.
    matches : tuple of Match
        In topological order; the last winner's index is the result.
    """

    cone: Cone
    groups: tuple[Group, ...] = ()
    total: tuple[int, ...] = ()
    offset: int = 0
    leaves: tuple[Entry, ...] = ()
    matches: tuple[Match, ...] = ()
