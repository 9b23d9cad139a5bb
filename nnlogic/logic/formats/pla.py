"""PLA, the format of espresso: cubes with the outputs they set, clear or leave open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nnlogic.core.limits import PORTS
from nnlogic.logic.formats.cover import Cover
from nnlogic.logic.formats.spec import (
    Complaints,
    Specification,
    clean_names,
    count,
    decoded,
    model_name,
)
from nnlogic.tables.ir import MAX_INPUTS

TYPES = {"f": "1", "fd": "1-", "fr": "10", "fdr": "10-"}
"""What each type reads from the output part: 1 sets, 0 clears, - leaves open; ~ says nothing."""
INPUT_SYNONYMS = str.maketrans("2", "-")
OUTPUT_SYNONYMS = str.maketrans("243", "-1~")
NAMES = {".ilb": ".i", ".ob": ".o", ".olb": ".o"}
REFUSED = {
    ".phase": ("outputs in inverted phase", "write the outputs as they are, without .phase"),
    ".pair": ("paired inputs", "give every input a column of its own"),
    ".mv": ("variables of more than two values", "encode them in bits"),
    ".symbolic": ("symbolic inputs", "encode them in bits"),
    ".symbolic-output": ("symbolic outputs", "encode them in bits"),
    ".label": ("labels of variables of several values", "encode them in bits"),
    ".kiss": ("a state machine", "give its combinational part"),
}


@dataclass
class _File:
    """What the lines said; `part` is a cube that goes on on the next line."""

    complaints: Complaints
    kind: str = "fd"
    counts: dict[str, int] = field(default_factory=dict)
    names: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    naming: str = ""
    cubes: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    promised: tuple[int, int] = (0, -1)
    part: str = ""
    part_line: int = 0
    ended: bool = False

    @property
    def size(self) -> int:
        """Characters of a cube."""
        return self.counts[".i"] + self.counts[".o"]


def read_pla(data: bytes, where: str) -> Specification:
    """Read a PLA of type f, fd (the default), fr or fdr.

    Cubes are counted in characters, not lines: one may be wrapped, and several may share a line.
    None begins within a line and ends on another, so that a lost character is found. Open (``-``)
    wins over set where cubes of one output overlap, as in espresso. Where nothing is said, types f
    and fd mean 0; for fr and fdr it does not matter.

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
    for number, raw in enumerate(decoded(data, where).split("\n"), 1):
        words = raw.split("#", 1)[0].split()
        if not words:
            continue
        if file.ended:
            file.complaints.add(number, "text after .e")
            break
        if words[0].startswith("."):
            file.naming = ""
            _end_cube(file)
            _directive(file, number, words)
        elif file.naming:
            _more_names(file, words)
        else:
            _characters(file, number, "".join(words).replace("|", ""))
    _finish(file)
    file.complaints.check()
    return _specification(file)


def _directive(file: _File, number: int, words: Sequence[str]) -> None:
    key, rest = words[0], words[1:]
    say = file.complaints.add
    if key in (".i", ".o", ".p"):
        value = count(rest[0]) if len(rest) == 1 else -1
        if value < 0:
            say(number, f"{key} needs one number, got {' '.join(rest)[:40] or 'nothing'}")
        elif key == ".p":
            file.promised = number, value
        elif file.complaints.limit(number, PORTS, value, "inputs" if key == ".i" else "outputs"):
            pass
        elif file.counts.setdefault(key, value) != value:
            say(number, f"{key} was {file.counts[key]} before")
        elif key == ".o" and not value:
            say(number, "no outputs")
    elif key in NAMES:
        file.names[".ob" if key == ".olb" else key] = number, list(rest)
        file.naming = key if len(rest) < file.counts.get(NAMES[key], 0) else ""
    elif key == ".type":
        if len(rest) != 1 or rest[0] not in TYPES:
            say(number, f"type {' '.join(rest) or 'missing'}, known are {', '.join(TYPES)}")
        elif file.cubes:
            say(number, ".type must stand before the cubes")
        else:
            file.kind = rest[0]
    elif key in (".e", ".end"):
        file.ended = True
    elif key == ".phase" and rest and not "".join(rest).strip("1"):
        pass  # every output as it is
    elif key in REFUSED:
        what, fix = REFUSED[key]
        say(number, f"{key} ({what}) is not supported", fix)
    else:
        say(number, f"{key} is not supported", "two-valued .i .o .p .ilb .ob .type .e only")


def _more_names(file: _File, words: Sequence[str]) -> None:
    """Take names from the lines after ``.ilb``, until there are as many as ``.i`` says."""
    names = file.names[".ob" if file.naming == ".olb" else file.naming][1]
    names += words
    if len(names) >= file.counts[NAMES[file.naming]]:
        file.naming = ""


def _characters(file: _File, number: int, text: str) -> None:
    missing = [key for key in (".i", ".o") if key not in file.counts]
    if missing:
        if not file.lines:
            file.complaints.add(number, f"a cube before {' and '.join(missing)}")
        file.lines.append(number)
        return
    size = file.size
    if file.part and len(file.part) + len(text) > size:
        _end_cube(file)
    if not file.part:
        file.part_line = number
    file.part += text
    if len(file.part) % size == 0:
        for at in range(0, len(file.part), size):
            _cube(file, file.part_line, file.part[at : at + size])
        file.part = ""
    elif len(file.part) > size:
        _end_cube(file)


def _end_cube(file: _File) -> None:
    """Complain about a cube that does not end."""
    if file.part:
        n, m = file.counts[".i"], file.counts[".o"]
        why = f"{len(file.part)} characters, need {n} inputs and {m} outputs"
        file.complaints.add(file.part_line, why, "a cube may be wrapped, but must be whole")
        file.part = ""


def _cube(file: _File, number: int, text: str) -> None:
    say, n = file.complaints.add, file.counts[".i"]
    cube = text[:n].translate(INPUT_SYNONYMS) + text[n:].translate(OUTPUT_SYNONYMS)
    bad = cube[:n].strip("01-")
    if bad:
        say(number, f"input part has {bad[0]!r}, allowed are 0, 1, - and 2")
    elif cube[n:].strip("01-~"):
        say(number, f"output part has {cube[n:].strip('01-~')[0]!r}, allowed are 0 1 - ~ 2 3 4")
    else:
        file.cubes.append(cube)
        file.lines.append(number)


def _finish(file: _File) -> None:
    _end_cube(file)
    complaints = file.complaints
    missing = [key for key in (".i", ".o") if key not in file.counts]
    if missing and not complaints.found:
        complaints.add(0, f"no {' and no '.join(missing)}")
    for key, (line, names) in file.names.items():
        wanted = file.counts.get(NAMES[key], len(names))
        twice = sorted(name for name, times in Counter(names).items() if times > 1)
        if len(names) != wanted:
            complaints.add(line, f"{len(names)} names, need {wanted}")
        elif twice:
            complaints.add(line, f"a name stands twice: {', '.join(twice[:5])}")
    line, promised = file.promised
    if not complaints.found and promised >= 0 and promised != len(file.cubes):
        why = f".p says {promised} cubes, the file has {len(file.cubes)}"
        complaints.add(line, why, "complete the file, or remove .p")
    n, m = file.counts.get(".i", 0), file.counts.get(".o", 0)
    if not complaints.found and n <= MAX_INPUTS:
        complaints.tables(m, n)


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
    outputs = file.names.get(".ob", (0, []))[1] or [f"y{i}" for i in range(m)]
    for o, one, zero in cover.contradictions():
        why = f"output {outputs[o]} is 1 here and 0 on line {zero} for the same inputs"
        file.complaints.add(one, why)
    file.complaints.check()
    inputs = file.names.get(".ilb", (0, []))[1] or [f"x{i}" for i in range(n)]
    content = cover.table() if n <= MAX_INPUTS else cover
    name = model_name(file.complaints.where)
    return Specification(name, *clean_names(inputs, outputs), content)
