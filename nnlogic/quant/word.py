"""Numbers as hardware delivers them: words of bits, and where on them an input code changes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.core.inert import visible

FLOAT = "float32"
SIGN = 1 << 31
EXACT = 24
"""Bits of a magnitude that float32 holds: every fixed-point word is a float32 exactly."""
FURTHEST = 60
"""Most fraction bits, and most zeros below the last bit."""
NEED = "q4.12 (signed, 4 bits before the point, sign included), u0.8, int8, uint8, float32"


@dataclass(frozen=True, slots=True)
class WordFormat:
    """How a raw feature is written in bits.

    Attributes
    ----------
    bits : int
    signed : bool
        Two's complement, for fixed point.
    fraction : int
        The lowest bit stands for ``2**-fraction``; the rest is an integer where it is 0.
    floating : bool
        IEEE 754 binary32 rather than fixed point. The port is the word as it stands, unsigned.
    """

    bits: int
    signed: bool
    fraction: int = 0
    floating: bool = False

    @staticmethod
    def parse(text: str) -> WordFormat:
        """Return the format of a name such as ``q4.12``, ``u0.8``, ``int8`` or ``float32``.

        Raises
        ------
        ValueError
            Anything else; it says what is allowed.
        """
        if text == FLOAT:
            return WordFormat(32, False, 0, True)
        found = re.fullmatch(r"([qsu])(-?\d{1,2})\.(-?\d{1,2})|(u?)int(\d{1,2})", text, re.ASCII)
        if found is None:
            raise ValueError(f"{visible(text)!r} is no format of a number, such as {NEED}")
        if found[5]:
            bits, signed, fraction = int(found[5]), not found[4], 0
        else:
            bits, signed, fraction = int(found[2]) + int(found[3]), found[1] != "u", int(found[3])
        if not 1 + signed <= bits <= EXACT + signed or abs(fraction) > FURTHEST:
            why = f"{1 + signed} to {EXACT + signed} bits, at most {FURTHEST} after the point"
            raise ValueError(f"{text} has {bits} bits, need {why}: then float32 holds every word")
        return WordFormat(bits, signed, fraction)

    def __str__(self) -> str:
        """Return the name that `parse` reads."""
        if self.floating:
            return FLOAT
        if not self.fraction:
            return f"{'' if self.signed else 'u'}int{self.bits}"
        return f"{'q' if self.signed else 'u'}{self.bits - self.fraction}.{self.fraction}"

    @property
    def format(self) -> IntFormat:
        """The port that carries the word."""
        return IntFormat(self.bits, self.signed)

    def encode(self, values: ArrayLike) -> IntArray:
        """Return the words nearest to float32 numbers, ties to even, the ends beyond the range."""
        values = np.asarray(values, np.float32)
        if self.floating:
            return values.view(np.uint32).astype(np.int64)
        fmt = self.format
        whole = np.rint(np.ldexp(values.astype(np.float64), self.fraction))
        return np.clip(whole, fmt.lo, fmt.hi).astype(np.int64)

    def decode(self, words: ArrayLike) -> NDArray[np.float32]:
        """Return the numbers that words stand for, exactly."""
        words = np.asarray(words, np.int64)
        if self.floating:
            return words.astype(np.uint32).view(np.float32)
        return np.ldexp(words.astype(np.float64), -self.fraction).astype(np.float32)

    def steps(self, thresholds: NDArray[np.float32]) -> tuple[list[int], list[int]]:
        """Return where, as words rise, the number of thresholds reached changes, and to what.

        A NaN has no order; as a word it lies beyond the infinity of its sign, and so gives the
        first or the last code. Zero has two words of float32, which give the same code.

        Parameters
        ----------
        thresholds : float32 array
            Nondecreasing and finite.

        Returns
        -------
        cuts : list of int
            Increasing; the first is the lowest word, from which the first code holds.
        codes : list of int
            The code from each cut on.
        """
        lo, top = self.format.lo, len(thresholds)
        if self.floating:
            reached = int(np.searchsorted(thresholds, 0.0, side="right"))
            rising, sizes = thresholds[reached:], -thresholds[:reached][::-1]
            # Of negative words size rises: a threshold is lost one beyond its own.
            pairs = [(0, reached)]
            pairs += [(int(self.encode(t)), reached + i + 1) for i, t in enumerate(rising)]
            pairs += [(SIGN, reached)]
            pairs += [
                (SIGN + int(self.encode(abs(t))) + 1, reached - i - 1) for i, t in enumerate(sizes)
            ]
        else:
            least = np.ceil(np.ldexp(thresholds.astype(np.float64), self.fraction))
            within = np.clip(least, lo, self.format.hi + 1).astype(np.int64).tolist()
            pairs = [(lo, 0), *((word, i + 1) for i, word in enumerate(within))]
        cuts: list[int] = []
        codes: list[int] = []
        for cut, code in pairs:
            if cuts and cuts[-1] == cut:
                codes[-1] = int(code)
            elif cut <= self.format.hi and (not codes or codes[-1] != code):
                cuts.append(cut)
                codes.append(int(code))
        if max(codes) > top:
            raise ValueError(f"code {max(codes)} of {top} thresholds")
        return cuts, codes


def words_of(info: Mapping[str, Any]) -> tuple[WordFormat, ...]:
    """Return the formats of raw features that the information of a network states, or none."""
    return tuple(WordFormat.parse(text) for text in info.get("raw", ()))


def words_like(value: Any) -> bool:
    """Whether JSON data are those of raw formats."""
    try:
        return isinstance(value, list | tuple) and all(
            isinstance(text, str) and str(WordFormat.parse(text)) == text for text in value
        )
    except ValueError:
        return False


def parse_words(text: str, names: Sequence[str]) -> tuple[WordFormat, ...]:
    """Return the format of every feature, from ``q4.12`` or ``q4.12,x3=int8,x5=float32``.

    Parameters
    ----------
    text : str
        Formats of single features by name, and at most one without, for all others.
    names : sequence of str
        Of the features.

    Raises
    ------
    UsageError
        With all that is wrong.
    """
    flag, problems = "--raw", list[Problem]()
    found: dict[str, WordFormat] = {}
    rest: list[WordFormat] = []
    for part in text.split(","):
        name, given, kind = part.strip().rpartition("=")
        try:
            word = WordFormat.parse(kind.strip())
        except ValueError as error:
            problems.append(Problem(flag, str(error)))
            continue
        if not given:
            rest.append(word)
        elif name not in names:
            why = f"there is no feature {visible(name)!r}"
            problems.append(Problem(flag, why, f"features are {', '.join(names[:8])}"))
        elif name in found:
            problems.append(Problem(flag, f"feature {visible(name)} is given twice"))
        else:
            found[name] = word
    if len(rest) > 1:
        why = f"{len(rest)} formats without a feature"
        problems.append(Problem(flag, why, "give one for all, others as NAME=FORMAT"))
    missing = [name for name in names if name not in found]
    if not rest and missing and not problems:
        why = f"no format for {len(missing)} features, such as {visible(missing[0])}"
        problems.append(Problem(flag, why, "add one without a name, for all others"))
    if problems:
        raise UsageError("formats of raw features that do not fit", problems=problems)
    return tuple(found.get(name, rest[0] if rest else WordFormat(8, True)) for name in names)
