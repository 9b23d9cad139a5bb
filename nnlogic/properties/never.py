"""A class is never chosen where features are in ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.properties import Property
from nnlogic.properties.claim import Claim
from nnlogic.properties.subject import Subject
from nnlogic.properties.words import all_of, differs, inside, word

USAGE = "never CLASS when FEATURE >|>=|<|<=|= VALUE [and ...]"
CONDITION = re.compile(r"^(.+?)\s*(>=|<=|>|<|=)\s*([-+.\deE]+)$")


def claims(words: Sequence[str], subject: Subject) -> Iterator[Claim]:
    """Yield one claim, over the inputs in the ranges.

    Values are in units of the feature where the network has input thresholds, codes otherwise; a
    code counts where any value of the range has it.
    """
    if len(words) < 3 or words[1] != "when":
        missing = "a class" if not words else "when" if "when" not in words else "a condition"
        why = f"{missing} is missing" if len(words) < 3 else "'when' does not follow one class"
        raise subject.error(f"never {' '.join(words)}".rstrip() + f": {why}", USAGE)
    winner = subject.class_number(words[0])
    net, place = subject.net, subject.chosen
    box = np.array([subject.bounds(i) for i in range(len(net.inputs))], np.int64)
    for text in " ".join(words[2:]).split(" and "):
        feature, (low, high) = _condition(text.strip(), subject)
        box[feature] = max(box[feature][0], low), min(box[feature][1], high)

    def violated(codes: IntArray) -> Bools:
        out: Bools = net.evaluate(codes)[:, place] == winner
        return out

    def cone() -> Cone:
        builder = ConeBuilder(subject.cone.n_inputs)
        outs = builder.add(subject.cone, range(subject.cone.n_inputs))
        at, fmt = bits.total_bits(net.outputs[:place]), net.outputs[place].format
        other = differs(builder, outs[at : at + fmt.bits], word(builder, winner, fmt.bits))
        legal = inside(builder, net.inputs, subject.starts, box)
        return builder.cone([all_of(builder, [legal, builder.lut((other,), 0b01)])])

    label = f"never {' '.join(words)}"
    yield Claim(label, net.inputs, box, violated, cone, lambda c: c[None])


def _condition(text: str, subject: Subject) -> tuple[int, tuple[int, int]]:
    found = CONDITION.match(text)
    try:
        value = float(found[3]) if found else np.nan
    except ValueError:
        value = np.nan
    if found is None or not np.isfinite(value):
        raise subject.error(f"{text!r} is not a condition", USAGE)
    feature = subject.feature(found[1])
    feature = subject.feature(found[1])
    return feature, subject.codes(feature, found[2], value)


PROPERTY = Property("never", USAGE, "a class is never chosen in a range of features", claims)
