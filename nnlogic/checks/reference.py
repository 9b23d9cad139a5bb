"""Reference circuits for arithmetic blocks: plain ripple adders and comparators.

They are built from the meaning of a block, not from how `nnlogic.logic` maps it.
"""

from __future__ import annotations

from collections.abc import Mapping

from nnlogic.checks.gates import ONE, ZERO, Gates
from nnlogic.tables.ir import ArgmaxBlock, Sum, Threshold, Word

Number = list[str]  # two's complement nets, LSB first, the last one is the sign


def add_block(
    gates: Gates, block: Sum | Threshold | ArgmaxBlock, nets: Mapping[int, str]
) -> list[str]:
    """Add the reference of a block.

    Parameters
    ----------
    gates : Gates
    block : Sum, Threshold or ArgmaxBlock
    nets : mapping of signal to net name
        For every signal the block reads.

    Returns
    -------
    list of str
        Nets of the result bits, LSB first.
    """
    words = [_number(word, nets) for word in block.words]
    width = len(block.result.signals)
    if isinstance(block, ArgmaxBlock):
        return _argmax(gates, words, width)
    terms = [
        _scaled(gates, word, weight) for word, weight in zip(words, block.weights, strict=True)
    ]
    total = _sum(gates, [*terms, _constant(block.bias)])
    if isinstance(block, Sum):
        return _extend(total, width)[:width]
    flags = [[gates.not_(_add(gates, total, _constant(-t))[-1]), ZERO] for t in block.thresholds]
    count = _sum(gates, flags or [_constant(0)])
    return _extend(count, width)[:width]


def _number(word: Word, nets: Mapping[int, str]) -> Number:
    out = [nets[s] for s in word.signals]
    return out if word.signed else [*out, ZERO]


def _constant(value: int) -> Number:
    width = max(value, -value - 1).bit_length() + 1
    return [ONE if value >> b & 1 else ZERO for b in range(width)]


def _extend(a: Number, width: int) -> Number:
    return a + [a[-1]] * max(0, width - len(a))


def _add(gates: Gates, a: Number, b: Number) -> Number:
    width = max(len(a), len(b)) + 1
    carry, out = ZERO, []
    for x, y in zip(_extend(a, width), _extend(b, width), strict=True):
        out.append(gates.xor(gates.xor(x, y), carry))
        carry = gates.cover([x, y, carry], ["11-", "1-1", "-11"])
    return out


def _sum(gates: Gates, terms: list[Number]) -> Number:
    while len(terms) > 1:
        paired = [_add(gates, a, b) for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = paired + terms[len(terms) & ~1 :]
    return terms[0]


def _scaled(gates: Gates, a: Number, weight: int) -> Number:
    shifted = [[ZERO] * b + a for b in range(abs(weight).bit_length()) if abs(weight) >> b & 1] or [
        _constant(0)
    ]
    out = _sum(gates, shifted)
    if weight < 0:
        inverted = [gates.not_(x) for x in _extend(out, len(out) + 1)]
        out = _add(gates, inverted, _constant(1))
    return out


def _greater(gates: Gates, a: Number, b: Number) -> str:
    inverted = [gates.not_(x) for x in _extend(a, max(len(a), len(b)))]
    # b - a - 1 + 1 = b + ~a + 1 is negative exactly when a > b.
    return _add(gates, _add(gates, b, inverted), _constant(1))[-1]


def _argmax(gates: Gates, words: list[Number], width: int) -> list[str]:
    size = max(len(w) for w in words)
    best = _extend(words[0], size)
    index = [ZERO] * width
    for i, word in enumerate(words[1:], start=1):
        wins = _greater(gates, word, best)
        best = [gates.mux(wins, a, b) for a, b in zip(_extend(word, size), best, strict=True)]
        index = [gates.mux(wins, ONE if i >> b & 1 else ZERO, index[b]) for b in range(width)]
    return index
