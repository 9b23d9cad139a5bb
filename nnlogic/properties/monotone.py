"""An output never falls when a feature rises and all others stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.properties import Property
from nnlogic.properties.claim import Claim
from nnlogic.properties.subject import Subject
from nnlogic.properties.words import all_of, inside, less, ordered

USAGE = "monotone OUTPUT FEATURE [falling]"


def claims(words: Sequence[str], subject: Subject) -> Iterator[Claim]:
    """Yield one claim, over the inputs and a second value of the feature, the larger one."""
    if len(words) not in (2, 3) or words[2:] not in ([], ["falling"]):
        missing = ("an output and a feature are", "a feature is")[len(words) :][:1]
        why = f"{missing[0]} missing" if missing else f"{' '.join(words[2:])!r} is not 'falling'"
        raise subject.error(f"monotone {' '.join(words)}".rstrip() + f": {why}", USAGE)
    output, feature = subject.output(words[0]), subject.feature(words[1])
    falling = len(words) == 3
    net = subject.net
    variables = (*net.inputs, net.inputs[feature])
    box = np.array([subject.bounds(i) for i in [*range(len(net.inputs)), feature]], np.int64)

    def pair(values: IntArray) -> tuple[IntArray, IntArray]:
        """Return both inputs, that with the smaller value of the feature first."""
        ends = np.sort(values[:, [feature, -1]], axis=1)
        low, high = values[:, :-1].copy(), values[:, :-1].copy()
        low[:, feature], high[:, feature] = ends.T
        return low, high

    def violated(values: IntArray) -> Bools:
        low, high = (net.evaluate(codes)[:, output] for codes in pair(values))
        out: Bools = low < high if falling else low > high
        return out

    def cone() -> Cone:
        fmt = net.inputs[feature].format
        n = subject.cone.n_inputs
        builder = ConeBuilder(n + fmt.bits)
        start = subject.starts[feature]
        second = list(range(n))
        second[start : start + fmt.bits] = range(n, n + fmt.bits)
        sides = []
        for signals in (range(n), second):
            outs = builder.add(subject.cone, signals)
            at = bits.total_bits(net.outputs[:output])
            out = net.outputs[output].format
            sides.append(ordered(out, outs[at : at + out.bits], builder))
        ends = [
            ordered(fmt, [signals[start + b] for b in range(fmt.bits)], builder)
            for signals in (range(n), second)
        ]
        wrong = less(builder, *(sides if falling else reversed(sides)))
        legal = inside(builder, variables, (*subject.starts, n), box)
        return builder.cone([all_of(builder, [less(builder, *ends), wrong, legal])])

    label = f"monotone {' '.join(words)}"
    yield Claim(label, variables, box, violated, cone, lambda v: np.concatenate(pair(v[None])))


PROPERTY = Property("monotone", USAGE, "an output never falls as a feature rises", claims)
