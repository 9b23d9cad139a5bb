"""PLA, the format of espresso: cubes with the outputs they set, clear or leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nnlogic.logic.formats.cover import Cover
from nnlogic.logic.formats.spec import Complaints, Specification, clean_names, decoded, model_name
from nnlogic.tables.ir import MAX_INPUTS

TYPES = {"f": "1", "fd": "1-", "fr": "10", "fdr": "10-"}
"""What each type reads from the output part: 1 sets, 0 clears, - leaves open; ~ says nothing."""
INPUT_SYNONYMS = str.maketrans("2", "-")
OUTPUT_SYNONYMS = str.maketrans("243", "-1~")


@dataclass
class _File:
    """What the lines said."""

    complaints: Complaints
    kind: str = "fd"
    counts: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    cubes: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    promised: tuple[int, int] = (0, -1)
    ended: bool = False


def read_pla(data: bytes, where: str) -> Specification:
    """Read a PLA of type f, fd (the default), fr or fdr.

    Open (``-``) wins over set where cubes of one output overlap, as in espresso. Where nothing is
    said, types f and fd mean 0; for fr and fdr it does not matter.

    Returns
    -------
    Specification
        Tabular up to 16 inputs, otherwise cubes.

    Raises
    ------
    FormatError
        Listing every bad line, and cubes that contradict each other.
    """
    file = _File(Complaints(where))
    for number, raw in enumerate(decoded(data, where).splitlines(), 1):
        words = raw.split("#", 1)[0].split()
        if not words:
            continue
        if file.ended:
            file.complaints.add(number, "text after .e")
            break
        if words[0].startswith("."):
            _directive(file, number, words)
        else:
            _cube(file, number, "".join(words).replace("|", ""))
    _finish(file)
    file.complaints.check()
    return _specification(file)


def _directive(file: _File, number: int, words: Sequence[str]) -> None:
    key, rest = words[0], words[1:]
    say = file.complaints.add
    if key in (".i", ".o", ".p"):
        if len(rest) != 1 or not rest[0].isdecimal():
            say(number, f"{key} needs one number, got {' '.join(rest) or 'nothing'}")
        elif key == ".p":
            file.promised = number, int(rest[0])
        elif file.counts.setdefault(key, int(rest[0])) != int(rest[0]):
            say(number, f"{key} was {file.counts[key]} before")
        elif key == ".o" and rest[0].strip("0") == "":
            say(number, "no outputs")
    elif key in (".ilb", ".ob"):
        file.names[key] = list(rest)
        wanted = file.counts.get({".ilb": ".i", ".ob": ".o"}[key])
        if wanted is not None and len(rest) != wanted:
            say(number, f"{len(rest)} names, need {wanted}")
        elif len(set(rest)) != len(rest):
            twice = sorted({name for name in rest if rest.count(name) > 1})
            say(number, f"a name stands twice: {', '.join(twice[:5])}")
    elif key == ".type":
        if len(rest) != 1 or rest[0] not in TYPES:
            say(number, f"type {' '.join(rest) or 'missing'}, known are {', '.join(TYPES)}")
        elif file.cubes:
            say(number, ".type must stand before the cubes")
        else:
            file.kind = rest[0]
    elif key in (".e", ".end"):
        file.ended = True
    else:
        say(number, f"{key} is not supported", "two-valued .i .o .p .ilb .ob .type .e only")


def _cube(file: _File, number: int, text: str) -> None:
    say = file.complaints.add
    missing = [key for key in (".i", ".o") if key not in file.counts]
    if missing:
        if not file.lines:
            say(number, f"a cube before {' and '.join(missing)}")
        file.lines.append(number)
        return
    n, m = file.counts[".i"], file.counts[".o"]
    if len(text) != n + m:
        say(number, f"{len(text)} characters, need {n} inputs and {m} outputs")
        return
    cube = text[:n].translate(INPUT_SYNONYMS) + text[n:].translate(OUTPUT_SYNONYMS)
    bad = [c for c in cube[:n] if c not in "01-"]
    if bad:
        say(number, f"input part has {bad[0]!r}, allowed are 0, 1, - and 2")
    elif cube[n:].strip("01-~"):
        say(number, f"output part has {cube[n:].strip('01-~')[0]!r}, allowed are 0 1 - ~ 2 3 4")
    else:
        file.cubes.append(cube)
        file.lines.append(number)


def _finish(file: _File) -> None:
    missing = [key for key in (".i", ".o") if key not in file.counts]
    if missing and not file.complaints.found:
        file.complaints.add(0, f"no {' and no '.join(missing)}")
    line, promised = file.promised
    if not file.complaints.found and promised >= 0 and promised != len(file.cubes):
        why = f".p says {promised} cubes, the file has {len(file.cubes)}"
        file.complaints.add(line, why, "complete the file, or remove .p")


def _specification(file: _File) -> Specification:
    n, m = file.counts[".i"], file.counts[".o"]
    joined = "".join(file.cubes).encode()
    grid = np.frombuffer(joined, np.uint8).reshape(len(file.cubes), n + m)
    reads = TYPES[file.kind]
    on, off, free = ((grid[:, n:] == ord(c)) & (c in reads) for c in "10-")
    cover = Cover(
        grid[:, :n] == ord("1"),
        grid[:, :n] == ord("0"),
        on,
        off,
        free,
        np.array(file.lines, np.int64),
        rest_off="0" not in reads,
    )
    outputs = file.names.get(".ob") or [f"y{i}" for i in range(m)]
    for o, one, zero in cover.contradictions():
        why = f"output {outputs[o]} is 1 here and 0 on line {zero} for the same inputs"
        file.complaints.add(one, why)
    file.complaints.check()
    inputs = file.names.get(".ilb") or [f"x{i}" for i in range(n)]
    content = cover.table() if n <= MAX_INPUTS else cover
    name = model_name(file.complaints.where)
    return Specification(name, *clean_names(inputs, outputs), content)
