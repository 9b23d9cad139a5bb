"""Structures for sums, thresholds and argmax, LUT by LUT; `nnlogic.logic.arith` picks the best."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from nnlogic.logic import comparators
from nnlogic.logic.adders import Style, Term, digits, terms_of, weighted_sum
from nnlogic.logic.certificate import Entry, Group, Match, Structure
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.logic.ranks import rank_cones
from nnlogic.logic.truth import NOT
from nnlogic.tables.ir import ArgmaxBlock, Sum, Threshold, block_inputs

Arithmetic = Sum | Threshold | ArgmaxBlock

STRUCTURES = 4
"""Raised when structures change: what is cached is proved against those that are built now."""
SHARED = 4
"""Thresholds of one word from which on they are not compared each alone."""
MAX_PAIRED = 8
"""Most words of an argmax for which all pairs are compared."""
FLAT = 3.0
"""LUTs that a level is worth in structures of few levels."""


def n_inputs_of(block: Arithmetic) -> int:
    """Return the number of input signals of a block with local numbering."""
    return max(block_inputs(block), default=-1) + 1


def structure(block: Arithmetic, k: int) -> Cone:
    """Build a block gate by gate from LUTs of at most `k` inputs."""
    _, first = next(structures(block, k))
    return tidy(first.cone)


def structures(block: Arithmetic, k: int) -> Iterator[tuple[str, Structure]]:
    """Yield named structures of a block, each with what proves it; the same in every call."""
    if isinstance(block, ArgmaxBlock):
        n = len(block.words)
        yield "tournament", tournament(block, k, 2, 2)
        if n > 2:
            size = 3 if k >= 6 else 2
            yield f"tournament of {size}, last of 3", tournament(block, k, size, 3)
            yield f"tournament of {size}, last of 4", tournament(block, k, size, 4)
        if n <= MAX_PAIRED:
            yield "all pairs", tournament(block, k, n, n)
        return
    terms = terms_of(block)
    styles = {"structure": Style(), "flat structure": Style(level_cost=FLAT)}
    if any(len(digits(t.weight)) > 1 for t in terms):
        styles["structure of digits"] = Style(tables=False)
    for name, style in styles.items():
        if isinstance(block, Sum):
            yield name, _sum(block, terms, k, style)
        else:
            yield name, _thresholds(block, terms, k, style)
    if isinstance(block, Threshold) and len(block.words) == 1:
        yield from _ranks(block, k)


def tidy(cone: Cone) -> Cone:
    """Return a network without the constants that a structure may contain."""
    return propagate_constants(cone).cone


def _sum(block: Sum, terms: list[Term], k: int, style: Style) -> Structure:
    builder = ConeBuilder(n_inputs_of(block))
    bits, groups = weighted_sum(builder, terms, block.bias, len(block.outputs), k, style)
    return Structure(builder.cone(bits), tuple(groups), tuple(bits))


def _thresholds(block: Threshold, terms: list[Term], k: int, style: Style) -> Structure:
    builder = ConeBuilder(n_inputs_of(block))
    low = sum(min(0, t.weight) for t in terms) + block.bias
    high = sum(max(0, t.weight) for t in terms) + block.bias
    width = max(1, (high - low).bit_length())
    total, groups = weighted_sum(builder, terms, block.bias - low, width, k, style)
    reached = [comparators.at_least(builder, total, t - low, k) for t in block.thresholds]
    # Thresholds do not decrease, so the bits of the count toggle as they are reached in turn.
    bits = [
        comparators.parity(
            builder, [r for i, r in enumerate(reached) if ((i ^ (i + 1)) >> b) & 1], k
        )
        for b in range(len(reached).bit_length())
    ]
    room = len(block.outputs)
    bits += [builder.constant(False)] * (room - len(bits))
    return Structure(builder.cone(bits[:room]), tuple(groups), tuple(total), -low)


def _ranks(block: Threshold, k: int) -> Iterator[tuple[str, Structure]]:
    """Yield what ranks the word of a block without a comparator for every threshold."""
    [word], weights = block.words, block.weights
    low = word.format.lo
    cuts = [t - block.bias - low for t in block.thresholds]
    n = len(word.signals)
    orderly = all(a < b for a, b in pairwise([0, *cuts, 1 << n]))
    if weights != (1,) or len(cuts) < SHARED or not orderly or len(set(word.signals)) < n:
        return
    found = list(rank_cones(n, cuts, k))
    for cost in (_product, _area):
        name, cone = min(found, key=lambda item: cost(item[1]))
        builder = ConeBuilder(n_inputs_of(block))
        total = list(word.signals)
        groups: tuple[Group, ...] = ()
        if word.signed:
            total[-1] = builder.lut(total[-1:], NOT)
            groups = (Group(((word.signals[-1], low),), ((total[-1], -low),), low),)
        bits = [*builder.add(cone, total)][: len(block.outputs)]
        bits += [builder.constant(False)] * (len(block.outputs) - len(bits))
        yield name, Structure(builder.cone(bits), groups, tuple(total), -low - block.bias)


def _product(cone: Cone) -> tuple[int, int]:
    return cone.luts * cone.depth, cone.luts


def _area(cone: Cone) -> tuple[int, int]:
    return cone.luts, cone.depth


def tournament(block: ArgmaxBlock, k: int, size: int, final: int) -> Structure:
    """Build an argmax from matches of up to `size` entries, the last of up to `final`.

    Inside a match all pairs are compared.
    """
    builder = ConeBuilder(n_inputs_of(block))
    width = len(block.outputs)
    leaves = entries = [
        Entry(tuple(word), tuple(builder.constant(bool(i >> b & 1)) for b in range(width)))
        for i, word in enumerate(comparators.aligned(builder, block.words))
    ]
    matches: list[Match] = []
    while len(entries) > 1:
        step = len(entries) if len(entries) <= final else size
        entries = [
            _played(builder, entries[at : at + step], k, matches, step == len(entries))
            for at in range(0, len(entries), step)
        ]
    return Structure(builder.cone(entries[0].index), leaves=tuple(leaves), matches=tuple(matches))


def _played(
    builder: ConeBuilder, entries: list[Entry], k: int, matches: list[Match], last: bool
) -> Entry:
    n = len(entries)
    if n == 1:
        return entries[0]
    beaten = {
        (i, j): comparators.greater(builder, entries[j].word, entries[i].word, k)
        for i in range(n)
        for j in range(i + 1, n)
    }
    select = comparators.Selection(builder, beaten, n, k)
    word = () if last else tuple(map(select.bit, zip(*(e.word for e in entries), strict=True)))
    index = tuple(map(select.bit, zip(*(e.index for e in entries), strict=True)))
    flags = tuple((i, j, s) for (i, j), s in beaten.items())
    winner = Entry(word, index)
    matches.append(Match(tuple(entries), flags, winner))
    return winner
