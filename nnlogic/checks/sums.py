"""Proof that an arithmetic structure is right, from the certificate its builder gave.

Nothing the builder says is taken on trust. What a counter, a comparator or a selection computes
is found by evaluating the LUTs between its inputs and outputs, for all values of the inputs. The
counters are linear identities between signals; adding them up must turn the block's weighted
bits into the bits of the result. An argmax is an induction over ranges of words: every match
gives the largest of its entries and the index of the first word that has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from nnlogic.checks.bdd import FALSE, Diagrams, TooLarge
from nnlogic.checks.ranges import weights_of
from nnlogic.checks.sweep import look_up
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.logic.certificate import Entry, Group, Match, Structure
from nnlogic.logic.cone import Cone
from nnlogic.tables.ir import ArgmaxBlock, Sum, Threshold, Word, block_inputs

GROUP_INPUTS = 12
ENUMERATED = 16
"""Most bits of a comparison that are enumerated; wider ones are decision diagrams."""
NODES = 200_000


class Unproved(Exception):
    """A step of a certificate does not hold, or is too wide to be enumerated."""


def certify(block: Sum | Threshold | ArgmaxBlock, structure: Structure) -> str:
    """Prove that a structure computes a block, for all inputs.

    Parameters
    ----------
    block : Sum, Threshold or ArgmaxBlock
        Signals numbered from 0 as the inputs of the structure's network.
    structure : Structure

    Returns
    -------
    str
        Empty when proved; else which step is not. That need not be an error of the network.
    """
    try:
        net = Evaluator(structure.cone)
        if structure.cone.n_inputs != max(block_inputs(block), default=-1) + 1:
            raise Unproved("another number of inputs")
        if len(structure.cone.outputs) != len(block.outputs):
            raise Unproved("another number of outputs")
        if isinstance(block, ArgmaxBlock):
            _argmax(net, block, structure)
        else:
            _total(net, block, structure)
            if isinstance(block, Threshold):
                _thresholds(net, block, structure)
            elif structure.total != structure.cone.outputs:
                raise Unproved("the outputs are not the bits of the sum")
    except (Unproved, TooLarge) as gap:
        return str(gap)
    return ""


class Evaluator:
    """Evaluates parts of a LUT network on all values of the signals below them.

    Parameters
    ----------
    cone : Cone

    Raises
    ------
    Unproved
        A LUT reads a signal that does not come before it.
    """

    def __init__(self, cone: Cone) -> None:
        self.cone = cone
        for signal, fanin in enumerate(cone.fanins, cone.n_inputs):
            if any(not 0 <= s < signal for s in fanin):
                raise Unproved(f"LUT {signal - cone.n_inputs} reads a later signal")
        last = cone.n_inputs + len(cone.fanins)
        if any(not 0 <= s < last for s in cone.outputs):
            raise Unproved("an output that does not exist")

    def between(self, leaves: Iterable[int], roots: Iterable[int]) -> list[int]:
        """Return the LUT signals from leaves to roots, fan-ins first."""
        stop, inside = set(leaves), set()
        todo = list(roots)
        while todo:
            signal = todo.pop()
            if signal in stop or signal in inside:
                continue
            node = signal - self.cone.n_inputs
            if not 0 <= node < len(self.cone.fanins):
                raise Unproved(f"signal {signal} reads input bit {signal} besides its own")
            inside.add(signal)
            todo += self.cone.fanins[node]
        return sorted(inside)

    def rows(self, leaves: Sequence[int], roots: Sequence[int], limit: int) -> dict[int, Bools]:
        """Return leaves and roots on all ``2**n`` values of the `n` leaves that vary."""
        known = {s: self.constant(s) for s in leaves}
        leaves = [s for s, value in known.items() if value is None]
        roots = [*roots, *known]
        n = len(leaves)
        if n > limit:
            raise Unproved(f"a step of {n} bits is too wide to enumerate")
        size = 1 << n
        full = (1 << size) - 1
        values = {}
        for b, signal in enumerate(leaves):
            values[signal] = _alternating(b, n)
        for signal in self.between(leaves, roots):
            node = signal - self.cone.n_inputs
            pins = [values[s] for s in self.cone.fanins[node]]
            values[signal] = look_up(self.cone.tables[node], pins, full)
        return {s: unpacked(values[s], size) for s in (*leaves, *roots)}

    def functions(
        self, diagrams: Diagrams, leaves: Sequence[int], roots: Sequence[int]
    ) -> dict[int, int]:
        """Return leaves and roots as diagrams, the first of the leaves at the top of the order."""
        values: dict[int, int] = {}
        for signal in leaves:
            fixed = self.constant(signal)
            if signal not in values:
                values[signal] = diagrams.variable() if fixed is None else fixed
        for signal in self.between(leaves, roots):
            node = signal - self.cone.n_inputs
            pins = [values[s] for s in self.cone.fanins[node]]
            values[signal] = diagrams.lut(self.cone.tables[node], pins)
        return values

    def constant(self, signal: int) -> int | None:
        """Return the value of a LUT without inputs, None for other signals."""
        node = signal - self.cone.n_inputs
        return self.cone.tables[node] & 1 if node >= 0 and not self.cone.fanins[node] else None

    def ternary(self, known: Mapping[int, int | None], root: int) -> int | None:
        """Return the value of a signal where some leaves are unknown, None when it is too."""
        values = dict(known)
        for signal in self.between(known, [root]):
            node = signal - self.cone.n_inputs
            rows = [0]
            for b, s in enumerate(self.cone.fanins[node]):
                value = values[s]
                options = (0, 1) if value is None else (value,)
                rows = [row | option << b for row in rows for option in options]
            seen = {self.cone.tables[node] >> row & 1 for row in rows}
            values[signal] = seen.pop() if len(seen) == 1 else None
        return values[root]


def _alternating(b: int, n: int) -> int:
    """Return bit `b` of the row number on ``2**n`` rows, row 0 in the lowest bit."""
    value, length = (1 << (1 << b)) - 1 << (1 << b), 2 << b
    while length < 1 << n:
        value |= value << length
        length *= 2
    return value


def unpacked(value: int, size: int) -> Bools:
    """Return the lowest `size` bits of an integer as bools."""
    raw = np.frombuffer(value.to_bytes(size + 7 >> 3, "little"), np.uint8)
    return np.unpackbits(raw, count=size, bitorder="little").astype(bool)


def _number(signals: Sequence[int], rows: Mapping[int, Bools]) -> IntArray:
    size = len(next(iter(rows.values())))
    out = np.zeros(size, np.int64)
    for b, s in enumerate(signals):
        out += rows[s].astype(np.int64) << b
    return out


def _total(net: Evaluator, block: Sum | Threshold, structure: Structure) -> None:
    """Prove the bits of the sum equal to it plus the offset, modulo two to their number."""
    modulus = 1 << len(structure.total)
    balance = weights_of(block)
    constant = block.bias + structure.offset
    for at, group in enumerate(structure.groups):
        if not _holds(net, group, modulus):
            raise Unproved(f"group {at} is not the sum of its inputs")
        for pairs, sign in ((group.inputs, -1), (group.outputs, 1)):
            for s, w in pairs:
                balance[s] = balance.get(s, 0) + sign * w
        constant += group.constant
    for b, s in enumerate(structure.total):
        balance[s] = balance.get(s, 0) - (1 << b)
    left = [s for s, w in balance.items() if w % modulus]
    if left or constant % modulus:
        raise Unproved(f"the groups leave signals {left[:4]} and constant {constant % modulus}")


def _holds(net: Evaluator, group: Group, modulus: int) -> bool:
    rows = net.rows([s for s, _ in group.inputs], [s for s, _ in group.outputs], GROUP_INPUTS)
    size = len(next(iter(rows.values()))) if rows else 1
    for row in range(size):
        left = sum(w for s, w in group.inputs if rows[s][row])
        right = sum(w for s, w in group.outputs if rows[s][row]) + group.constant
        if (left - right) % modulus:
            return False
    return True


def _thresholds(net: Evaluator, block: Threshold, structure: Structure) -> None:
    """Prove the outputs equal to the count of thresholds for every sum that can occur."""
    weights = weights_of(block).values()
    low = block.bias + sum(min(0, w) for w in weights)
    high = block.bias + sum(max(0, w) for w in weights)
    if low + structure.offset < 0 or high + structure.offset >= 1 << len(structure.total):
        raise Unproved("the sum does not fit its bits")
    outputs = structure.cone.outputs
    wrong = "the comparisons with the thresholds are wrong"
    if len(structure.total) > ENUMERATED:
        diagrams = Diagrams(NODES)
        at = net.functions(diagrams, structure.total, outputs)
        bits = [at[s] for s in structure.total]
        inside = diagrams.both(
            diagrams.at_least(bits, low + structure.offset),
            diagrams.choose(diagrams.at_least(bits, high + structure.offset + 1), FALSE, 1),
        )
        reached = [diagrams.at_least(bits, t + structure.offset) for t in block.thresholds]
        for b, root in enumerate(outputs):
            expected = FALSE
            for i, flag in enumerate(reached):
                if (i ^ (i + 1)) >> b & 1:
                    expected = diagrams.differ(expected, flag)
            if diagrams.both(diagrams.differ(at[root], expected), inside) != FALSE:
                raise Unproved(wrong)
        return
    rows = net.rows(structure.total, outputs, ENUMERATED)
    total = _number(structure.total, rows) - structure.offset
    count = np.searchsorted(np.array(block.thresholds, np.int64), total, side="right")
    odd = _number(outputs, rows) != count & ((1 << len(outputs)) - 1)
    if (odd & (total >= low) & (total <= high)).any():
        raise Unproved(wrong)


def _argmax(net: Evaluator, block: ArgmaxBlock, structure: Structure) -> None:
    if len(structure.leaves) != len(block.words):
        raise Unproved("another number of entries than words")
    offsets = set()
    at: list[tuple[Entry, int, int]] = []
    for i, (word, leaf) in enumerate(zip(block.words, structure.leaves, strict=True)):
        offsets.add(_offset(net, word, leaf))
        index = [net.constant(s) for s in leaf.index]
        if len(index) != len(block.outputs) or index != [i >> b & 1 for b in range(len(index))]:
            raise Unproved(f"entry {i} has another index")
        at.append((leaf, i, i + 1))
    if len(offsets) != 1:
        raise Unproved("entries are not offset alike")
    for number, match in enumerate(structure.matches):
        spans = [(a, z) for entry in match.entries for e, a, z in at if e == entry]
        if len(spans) != len(match.entries) or not all(e.word for e in match.entries):
            raise Unproved(f"match {number} has an entry from nowhere")
        if any(left[1] != right[0] for left, right in pairwise(spans)):
            raise Unproved(f"match {number} is out of order")
        _match(net, match, number)
        at = [item for item in at if item[0] not in match.entries]
        at.append((match.winner, spans[0][0], spans[-1][1]))
    if [(entry.index, a, z) for entry, a, z in at] != [
        (structure.cone.outputs, 0, len(block.words))
    ]:
        raise Unproved("the last winner is not the result")


def _offset(net: Evaluator, word: Word, leaf: Entry) -> int:
    """Return what is added to a word in the number of its entry."""
    diagrams = Diagrams(NODES)
    at = net.functions(diagrams, word.signals, leaf.word)
    width = len(leaf.word)
    bits = [at[s] for s in word.signals]
    extended = [*bits, *[bits[-1] if word.signed else FALSE] * (width - len(bits))]
    # The offset of a signed word makes its lowest value zero; that of an unsigned one is zero.
    for offset in (0, 1 << width - 1):
        if len(bits) <= width and diagrams.plus(extended, offset) == [at[s] for s in leaf.word]:
            return _within(word, offset, width)
    raise Unproved("an entry is not its word")


def _within(word: Word, offset: int, width: int) -> int:
    if word.format.lo + offset < 0 or word.format.hi + offset >= 1 << width:
        raise Unproved("an entry does not hold all values of its word")
    return offset


def _match(net: Evaluator, match: Match, number: int) -> None:
    n = len(match.entries)
    flags = {(i, j): s for i, j, s in match.beaten}
    if set(flags) != {(i, j) for i in range(n) for j in range(i + 1, n)}:
        raise Unproved(f"match {number} does not compare all pairs")
    for (i, j), flag in flags.items():
        left, right = match.entries[i].word, match.entries[j].word
        if len(left) != len(right):
            raise Unproved(f"match {number} compares numbers of two widths")
        diagrams = Diagrams(NODES)
        paired = [s for pair in zip(left, right, strict=True) for s in pair]
        at = net.functions(diagrams, paired, [flag])
        if at[flag] != diagrams.greater([at[s] for s in right], [at[s] for s in left]):
            raise Unproved(f"match {number} compares entries {i} and {j} wrongly")
    _selected(net, match, flags, number)


def _selected(net: Evaluator, match: Match, flags: dict[tuple[int, int], int], number: int) -> None:
    """Prove that every bit of the winner is the bit of the entry that no other beats.

    Comparisons between the others, and their bits, are left unknown.
    """
    columns = [
        *zip(match.winner.word, *(e.word for e in match.entries), strict=bool(match.winner.word)),
        *zip(match.winner.index, *(e.index for e in match.entries), strict=True),
    ]
    for root, *bits in columns:
        for best, bit in enumerate(bits):
            fixed = net.constant(bit)
            for value in (0, 1) if fixed is None else (fixed,):
                known: dict[int, int | None] = dict.fromkeys(flags.values())
                for (i, j), flag in flags.items():
                    if best in (i, j):
                        known[flag] = int(j == best)
                known |= {s: net.constant(s) for s in bits}
                known[bit] = value
                if net.ternary(known, root) != value:
                    raise Unproved(f"match {number} selects wrongly")
