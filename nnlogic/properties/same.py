"""Two networks choose the same class, or have the same outputs, for every input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.network.tidy import tidied
from nnlogic.logic.rewrite import cone_of
from nnlogic.properties import Property
from nnlogic.properties.claim import Claim
from nnlogic.properties.subject import Subject, logic_of
from nnlogic.properties.words import all_of, differs, inside

USAGE = "same RUN [OUTPUT]"


def claims(words: Sequence[str], subject: Subject) -> Iterator[Claim]:
    """Yield one claim: an output, by default that of the class, is equal in both networks."""
    if len(words) not in (1, 2):
        why = "a run is missing" if not words else f"{words[2]!r} is too much"
        raise subject.error(f"same {' '.join(words)}".rstrip() + f": {why}", USAGE)
    net = subject.net
    other, _ = logic_of(Path(words[0]))
    name = words[1] if len(words) == 2 else net.outputs[subject.chosen].name
    place = subject.output(name)
    places = [i for i, port in enumerate(other.outputs) if port == net.outputs[place]]
    if other.inputs != net.inputs or len(places) != 1:
        why = f"{words[0]} has other inputs, or no output {net.outputs[place]}"
        raise subject.error(why, "networks with the same ports")
    box = np.array([subject.bounds(i) for i in range(len(net.inputs))], np.int64)

    def violated(codes: IntArray) -> Bools:
        out: Bools = net.evaluate(codes)[:, place] != other.evaluate(codes)[:, places[0]]
        return out

    def cone() -> Cone:
        builder = ConeBuilder(subject.cone.n_inputs)
        sides = []
        for logic, mine, at in ((net, subject.cone, place), (other, None, places[0])):
            part = mine or tidied(cone_of(logic))
            outs = builder.add(part, range(subject.cone.n_inputs))
            first = bits.total_bits(logic.outputs[:at])
            sides.append(outs[first : first + logic.outputs[at].format.bits])
        legal = inside(builder, net.inputs, subject.starts, box)
        return builder.cone([all_of(builder, [legal, differs(builder, *sides)])])

    label = f"same {' '.join(words)}"
    yield Claim(label, net.inputs, box, violated, cone, lambda c: c[None])


PROPERTY = Property("same", USAGE, "another run's network has the same output everywhere", claims)
