"""No change of class near a row: within a box, or within a Hamming ball of the input bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.properties import Property
from nnlogic.properties.claim import Claim
from nnlogic.properties.subject import Subject
from nnlogic.properties.words import AND, OR, all_of, differs, inside, word

USAGE = "robust radius=CODES | hamming=BITS [rows=N]"


WAYS = {"radius": "a box, so many codes to each side", "hamming": "a ball, so many bits apart"}


def claims(words: Sequence[str], subject: Subject) -> Iterator[Claim]:
    """Yield a claim for each row: every input as near as this has the class of the row."""
    options = dict(w.split("=", 1) for w in words if "=" in w)
    if why := _mistake(words, options):
        raise subject.error(f"robust {' '.join(words)}".rstrip() + f": {why}", USAGE)
    if subject.rows is None:
        raise subject.error("robust is about rows, and there are none", "--rows FILE")
    count = int(options.get("rows", len(subject.rows)))
    way = next(name for name in WAYS if name in options)
    size = int(options[way])
    for number, row in enumerate(subject.rows[:count]):
        claim = (_box if way == "radius" else _ball)(subject, f"row {number}", row, size)
        yield replace(claim, row=number)


def _mistake(words: Sequence[str], options: dict[str, str]) -> str:
    """Return what keeps the words from being understood, or nothing."""
    known = (*WAYS, "rows")
    strange = [w for w in words if w.split("=", 1)[0] not in known or "=" not in w]
    if strange:
        return f"{strange[0]!r} is none of {', '.join(f'{name}=NUMBER' for name in known)}"
    if len(options) != len(words):
        return "something is given twice"
    wrong = [k for k, v in options.items() if not (v.isdecimal() and len(v) < 8)]
    if wrong:
        return f"{wrong[0]} is {options[wrong[0]]!r}, not a whole number below 10,000,000"
    given = [name for name in WAYS if name in options]
    if not given:
        meant = " or ".join(f"{name}=NUMBER ({text})" for name, text in WAYS.items())
        return f"how far from the row is missing: {meant}"
    return "a box or a ball, not both" if len(given) > 1 else ""


def _chosen(subject: Subject, codes: IntArray) -> IntArray:
    return subject.net.evaluate(codes)[:, subject.chosen]


def _changed(subject: Subject, winner: int, builder: ConeBuilder) -> int:
    """Return whether the class is another one, on the first inputs of a builder."""
    outs = builder.add(subject.cone, range(subject.cone.n_inputs))
    at = bits.total_bits(subject.net.outputs[: subject.chosen])
    fmt = subject.net.outputs[subject.chosen].format
    return differs(builder, outs[at : at + fmt.bits], word(builder, winner, fmt.bits))


def _box(subject: Subject, label: str, row: IntArray, radius: int) -> Claim:
    limits = np.array([subject.bounds(i) for i in range(len(row))], np.int64)
    near = np.stack([row - radius, row + radius], axis=1)
    box = np.stack([np.maximum(near[:, 0], limits[:, 0]), np.minimum(near[:, 1], limits[:, 1])], 1)
    winner = int(_chosen(subject, row[None])[0])

    def cone() -> Cone:
        builder = ConeBuilder(subject.cone.n_inputs)
        near = inside(builder, subject.net.inputs, subject.starts, box)
        return builder.cone([all_of(builder, [near, _changed(subject, winner, builder)])])

    return Claim(label, subject.net.inputs, box, lambda c: _chosen(subject, c) != winner,
                 cone, lambda c: c[None])  # fmt: skip


def _ball(subject: Subject, label: str, row: IntArray, most: int) -> Claim:
    ports = subject.net.inputs
    box = np.array([subject.bounds(i) for i in range(len(row))], np.int64)
    winner = int(_chosen(subject, row[None])[0])
    widths = [port.format.bits for port in ports]
    centre = _raw_bits(subject, row[None])[:, 0]

    def violated(codes: IntArray) -> Bools:
        apart = (_raw_bits(subject, codes) ^ centre[:, None]).sum(axis=0)
        out: Bools = (_chosen(subject, codes) != winner) & (apart <= most)
        return out

    def cone() -> Cone:
        builder = ConeBuilder(sum(widths))
        flips = [builder.lut((i,), 0b01 if bit else 0b10) for i, bit in enumerate(centre)]
        near = builder.lut((_more(builder, flips, most),), 0b01)
        legal = inside(builder, ports, subject.starts, box)
        return builder.cone([all_of(builder, [near, legal, _changed(subject, winner, builder)])])

    return Claim(label, ports, box, violated, cone, lambda c: c[None])


def _raw_bits(subject: Subject, codes: IntArray) -> Bools:
    formats = [port.format for port in subject.net.inputs]
    raw = np.stack([f.to_raw(codes[:, i]) for i, f in enumerate(formats)], axis=1)
    return bits.raw_to_bits(raw, [f.bits for f in formats])


def _more(builder: ConeBuilder, signals: Sequence[int], most: int) -> int:
    """Return whether more than `most` signals are 1: a chain that counts up to that."""
    count = [builder.constant(False)] * (most + 1)  # count[i]: more than i so far
    for s in signals:
        before = [builder.constant(True), *count[:-1]]
        count = [
            builder.lut((c, builder.lut((s, b), AND)), OR)
            for c, b in zip(count, before, strict=True)
        ]
    return count[most]


PROPERTY = Property(
    "robust", USAGE, "the class of a row does not change near it, for each row", claims
)
