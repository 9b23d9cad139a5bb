"""AIGER, ASCII (``.aag``) and binary (``.aig``): and-inverter graphs without latches."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.core.limits import PORTS
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.formats.order import topological
from nnlogic.logic.formats.spec import (
    MARK,
    Complaints,
    Specification,
    clean_names,
    count,
    model_name,
)

FIELDS = ("variables", "inputs", "latches", "outputs", "ANDs", "bad states", "constraints",
          "justice", "fairness")  # fmt: skip
MOST_BITS = 63


@dataclass
class _Graph:
    """Literals of the file; an even literal is a signal, the odd one after it its complement."""

    inputs: list[int]
    outputs: list[int]
    ands: dict[int, tuple[int, int]]
    lines: dict[int, int]


class _Reader:
    """Takes a file apart line by line, or byte by byte in the binary part."""

    def __init__(self, data: bytes, where: str) -> None:
        self.data, self.at, self.line = data, 0, 0
        self.complaints = Complaints(where)

    def text(self) -> str | None:
        """Return the next line, None at the end."""
        if self.at >= len(self.data):
            return None
        end = self.data.find(b"\n", self.at)
        end = len(self.data) if end < 0 else end
        raw, self.at = self.data[self.at : end], end + 1
        self.line += 1
        return raw.decode("utf-8", "replace").rstrip("\r")

    def filled(self) -> str | None:
        """Return the next line that is not blank, None at the end."""
        while (text := self.text()) is not None and not text.strip():
            pass
        return text

    def numbers(self, size: int, what: str) -> list[int]:
        """Return the next line as `size` numbers; stops reading at anything else."""
        text = self.filled()
        if text is None:
            self.stop(f"the file ends, need {what}", line=self.line + 1)
        found = [count(word) for word in (text or "").split()]
        if len(found) != size or min(found) < 0:
            self.stop(f"need {size} number{'s' * (size > 1)} ({what}), got {(text or '')[:40]!r}")
        return found

    def delta(self) -> int:
        """Return the next binary number: seven bits a byte, lowest first."""
        value = shift = 0
        while self.at < len(self.data):
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > MOST_BITS:
                self.stop(f"a number of more than {MOST_BITS} bits, at byte {self.at}", line=0)
        return self.stop(f"the file ends within its ANDs, at byte {self.at}", line=0)

    def stop(self, why: str, line: int | None = None) -> int:
        """Give up: what follows cannot be understood."""
        self.complaints.add(self.line if line is None else line, why)
        raise self.complaints.error()


def read_aiger(data: bytes, where: str) -> Specification:
    """Read a combinational AIGER file of either kind, with its symbols.

    Inputs without a symbol are called ``i<number>``, outputs ``o<number>``.

    Raises
    ------
    FormatError
        Latches, properties, a malformed header, lines, literals, or cycles.
    """
    data = data.removeprefix(MARK)
    if data.lstrip().startswith(b"aag"):
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    reader = _Reader(data, where)
    kind, counts = _header(reader)
    graph = _ascii(reader, counts) if kind == "aag" else _binary(reader, counts)
    _check_literals(reader, graph, counts[0])
    reader.complaints.check()
    inputs, outputs = _symbols(reader, len(graph.inputs), len(graph.outputs))
    reader.complaints.check()
    order, cycle = topological(graph.inputs, {v: tuple(_even(p)) for v, p in graph.ands.items()})
    if cycle:
        reader.complaints.add(graph.lines[cycle[0]], f"a cycle through literal {cycle[0]}")
    reader.complaints.check()
    return Specification(model_name(where), *clean_names(inputs, outputs), _network(graph, order))


def _even(pair: tuple[int, int]) -> list[int]:
    return [literal & ~1 for literal in pair if literal > 1]


def _header(reader: _Reader) -> tuple[str, list[int]]:
    words = (reader.filled() or "").split()
    if not words or words[0] not in ("aag", "aig"):
        reader.stop("not an AIGER header, need aag or aig and M I L O A", line=1)
    counts = [count(w) for w in words[1:]]
    if len(words) < 6 or len(words) > 10 or min(counts) < 0:
        reader.stop(f"the header needs five numbers M I L O A, got {' '.join(words[1:])[:60]!r}")
    for i in (2, 5, 6, 7, 8):
        if i < len(counts) and counts[i]:
            why = f"{counts[i]} {FIELDS[i]}: only combinational logic"
            reader.complaints.add(1, why, "cut the network at its latches" if i == 2 else "")
    if not counts[3]:
        reader.complaints.add(1, "no outputs")
    least = counts[1] + counts[2] + counts[4]
    exact = words[0] == "aig"
    if counts[0] < least or (exact and counts[0] != least):
        reader.complaints.add(1, f"M is {counts[0]}, but I + L + A is {least}")
    for i in (1, 3):
        reader.complaints.limit(1, PORTS, counts[i], FIELDS[i])
    # An AND takes two bytes at least, in either kind; what it needs in memory is known before.
    left = len(reader.data) - reader.at
    if 2 * counts[4] > left:
        reader.complaints.add(1, f"{counts[4]:,} ANDs, but {left:,} bytes follow")
    reader.complaints.check()
    return words[0], counts


def _ascii(reader: _Reader, counts: list[int]) -> _Graph:
    _, n_inputs, _, n_outputs, n_ands = counts[:5]
    graph = _Graph([], [], {}, {})
    for _ in range(n_inputs):
        [literal] = reader.numbers(1, "an input literal")
        _define(reader, graph, literal)
        graph.inputs.append(literal)
    graph.outputs = [reader.numbers(1, "an output literal")[0] for _ in range(n_outputs)]
    for _ in range(n_ands):
        left, a, b = reader.numbers(3, "an AND and what it reads")
        _define(reader, graph, left)
        graph.ands[left] = (a, b)
    return graph


def _define(reader: _Reader, graph: _Graph, literal: int) -> None:
    if literal < 2 or literal & 1:
        reader.complaints.add(reader.line, f"literal {literal} cannot be defined")
    elif literal in graph.lines:
        where = f"line {graph.lines[literal]}"
        reader.complaints.add(reader.line, f"literal {literal} is defined on {where} too")
    graph.lines.setdefault(literal, reader.line)


def _binary(reader: _Reader, counts: list[int]) -> _Graph:
    _, n_inputs, _, n_outputs, n_ands = counts[:5]
    inputs = [2 * i + 2 for i in range(n_inputs)]
    outputs = [reader.numbers(1, "an output literal")[0] for _ in range(n_outputs)]
    ands: dict[int, tuple[int, int]] = {}
    for i in range(n_ands):
        left = 2 * (n_inputs + i) + 2
        first = left - reader.delta()
        second = first - reader.delta()
        if not 0 <= second <= first < left:
            reader.stop(f"AND {i} (literal {left}) does not read smaller literals", line=0)
        ands[left] = (first, second)
    return _Graph(inputs, outputs, ands, dict.fromkeys([*inputs, *ands], 0))


def _check_literals(reader: _Reader, graph: _Graph, variables: int) -> None:
    say = reader.complaints.add
    known = {*graph.inputs, *graph.ands, 0}
    for literal in graph.lines:
        if literal > 2 * variables + 1:
            say(graph.lines[literal], f"literal {literal} is beyond M = {variables}")
    for left, pair in graph.ands.items():
        for literal in pair:
            if literal & ~1 not in known:
                say(graph.lines[left], f"nothing defines literal {literal}")
    for i, literal in enumerate(graph.outputs):
        if literal & ~1 not in known:
            say(0, f"nothing defines literal {literal} of output {i}")


def _symbols(reader: _Reader, n_inputs: int, n_outputs: int) -> tuple[list[str], list[str]]:
    names = {"i": [f"i{i}" for i in range(n_inputs)], "o": [f"o{i}" for i in range(n_outputs)]}
    while (text := reader.text()) is not None:
        if text.rstrip() == "c":
            break
        if not text.strip():
            continue
        head, _, name = text.strip().partition(" ")
        kind, number = head[:1], head[1:]
        if kind not in names or count(number) < 0 or not name:
            reader.complaints.add(reader.line, f"not a symbol: {text[:40]!r}")
            break
        if int(number) >= len(names[kind]):
            reader.complaints.add(reader.line, f"a name for {head}, there are {len(names[kind])}")
        else:
            names[kind][int(number)] = name
    return names["i"], names["o"]


def _network(graph: _Graph, order: list[int]) -> Cone:
    builder = ConeBuilder(len(graph.inputs))
    signal = {literal: i for i, literal in enumerate(graph.inputs)}

    def taken(literal: int) -> int:
        if literal < 2:
            return builder.constant(bool(literal))
        node = signal[literal & ~1]
        return builder.lut([node], 0b01) if literal & 1 else node

    for left in order:
        a, b = graph.ands[left]
        if a < 2 or b < 2:
            zero = a == 0 or b == 0
            signal[left] = builder.constant(False) if zero else taken(b if a == 1 else a)
        else:
            table = 1 << ((1 - (a & 1)) | (1 - (b & 1)) << 1)
            signal[left] = builder.lut([signal[a & ~1], signal[b & ~1]], table)
    return builder.cone([taken(literal) for literal in graph.outputs])
