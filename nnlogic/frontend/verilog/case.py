"""Bodies of ``case`` statements that list a table: labels and values as arrays."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.frontend.verilog.text import NotTables

NUMBER = r"(?:(?:\d[\d_]*\s*)?'[sS]?[bBoOdDhH]\s*[0-9a-fA-F_xXzZ?]+|\d[\d_]*)"
_ENTRY = re.compile(
    rf"(\s*(default\b|{NUMBER}(?:\s*,\s*{NUMBER})*)\s*:?\s*(begin\s+)?"
    rf"(\w+(?:\s*\[[^\]]*\])?)\s*<?=\s*({NUMBER}|[A-Za-z_]\w*)\s*;(\s*end\b)?)"
)
_BINARY = re.compile(
    r"\s*(?P<lw>\d+)'b(?P<label>[01]+)\s*:\s*(?P<target>\w+)\s*<?=\s*(?P<vw>\d+)'b(?P<value>[01]+)\s*;"
)
MAX_ENTRY = 200  # characters
_BASES = {"b": 2, "o": 8, "d": 10, "h": 16}
MAX_SELECTOR = 16  # bits
MAX_VALUE = 62
REPEATED = 4  # labels per value
MAX_LITERAL = 1 << 20


@dataclass(frozen=True, eq=False)
class CaseBody:
    """The entries of a ``case``.

    Attributes
    ----------
    at : int
        Offset of the body in its file.
    target : str
        What every entry assigns.
    labels, values : int64 arrays, shape (entries,)
    named : dict of entry to str
        Entries whose value is a parameter, by its name.
    default : int, str or None
        A number, or the name of a parameter.
    """

    at: int
    target: str
    labels: IntArray
    values: IntArray
    named: dict[int, str]
    default: int | str | None

    def table(self, width: int, out: int, constants: dict[str, int]) -> IntArray:
        """Return output values by selector value, shape (2**width,).

        The first of several equal labels counts; labels beyond `width` bits match nothing; values
        lose what exceeds `out` bits: all as in Verilog.

        Raises
        ------
        NotTables
            Selector values that no entry lists, without a default; an unknown name.
        """
        if out > MAX_VALUE:
            raise NotTables(self.at, f"a table of {out} output bits, limit {MAX_VALUE}")
        if width > MAX_SELECTOR:
            why = f"a table of {width} input bits, limit {MAX_SELECTOR}"
            raise NotTables(self.at, why, "prune the fan-in of this neuron, or use fewer bits")
        require_few_labels(len(self.labels), width, self.at)
        numbers = self.values.copy()
        for entry, name in self.named.items():
            numbers[entry] = self._constant(name, constants) & ((1 << MAX_VALUE) - 1)
        size = 1 << width
        table = np.full(size, -1, dtype=np.int64)
        fits = self.labels < size
        # Assigned backwards, so that the first of equal labels stays.
        table[self.labels[fits][::-1]] = numbers[fits][::-1] & ((1 << out) - 1)
        missing = table < 0
        if missing.any():
            if self.default is None:
                first = int(np.flatnonzero(missing)[0])
                raise NotTables(
                    self.at,
                    f"{int(missing.sum())} of {size} entries are missing, the first is "
                    f"{width}'b{first:0{width}b}, and there is no default: the circuit would have "
                    "a latch",
                    "list all entries, or add a default",
                )
            table[missing] = self._constant(self.default, constants) & ((1 << out) - 1)
        table.setflags(write=False)
        return table

    def _constant(self, value: int | str, constants: dict[str, int]) -> int:
        if isinstance(value, int):
            return value
        if value not in constants:
            raise NotTables(self.at, f"{value} is not a constant", "tables hold constants only")
        return constants[value]


def require_few_labels(count: int, width: int, at: int) -> None:
    """Refuse a ``case`` of many times as many labels as its selector has values.

    Raises
    ------
    NotTables
        It has: some are repeated, or never match.
    """
    if width <= MAX_SELECTOR and count > REPEATED << width:
        why = f"{count:,} labels of a case, for a selector of {1 << width:,} values"
        raise NotTables(at, why, "list every value once")


def number(text: str, at: int) -> tuple[int | None, int]:
    """Return width (None when unsized) and value of a literal.

    Raises
    ------
    NotTables
        Digits x, z or ?, or digits that do not fit the base.
    """
    width, value, _, mask, fill = literal(text, at)
    if mask or fill:
        raise _no_number(text, at)
    return width, value


def literal(text: str, at: int) -> tuple[int | None, int, bool, int, bool]:
    """Return width (None when unsized), value, sign, and mask of the digits x, z and ?.

    The last one says whether it is ``'0`` or ``'1``, which fill their place.

    Raises
    ------
    NotTables
        Digits that do not fit the base; a width beyond `MAX_LITERAL`.
    """
    if text in ("'0", "'1"):
        return None, int(text[1]), False, 0, True
    head, quote, tail = text.replace("_", "").partition("'")
    signed = not quote or tail[:1] in "sS"
    tail = tail.lower().lstrip("s") if quote else f"d{head}"
    base, digits = _BASES[tail[0]], tail[1:].strip()
    try:
        unknown = "".join("1" if c in "xz?" else "0" for c in digits)
        mask = 0
        if "1" in unknown and base in (2, 8, 16):
            mask = int(unknown, base) * (base - 1)
            digits = "".join("0" if c in "xz?" else c for c in digits)
        value = int(digits, base)
        width = int(head) if quote and head.strip() else None
    except ValueError as error:
        raise _no_number(text, at) from error
    if width is not None and not 1 <= width <= MAX_LITERAL:
        raise NotTables(at, f"a literal of {width} bits")
    if width is not None:
        value, mask = value & ((1 << width) - 1), mask & ((1 << width) - 1)
    return width, value, signed, mask, False


def _no_number(text: str, at: int) -> NotTables:
    shown = text.strip() if len(text) < 80 else f"{text[:40]}..."
    return NotTables(
        at, f"the literal {shown} is not a number", "tables must say 0 or 1 for every bit"
    )


def read_case(text: str, start: int, end: int) -> CaseBody:
    """Read the entries between ``case (...)`` and ``endcase``.

    Raises
    ------
    NotTables
        An entry that is not ``label : target = constant;``, or two different targets.
    """
    block = _regular(text, start, end)
    at = block[3] if block else start
    found: list[tuple[str, ...]] = []
    place, last = at, at + len(text[at:end].rstrip())
    while place < last:
        entry = _ENTRY.match(text, place, end)
        if entry is None:
            raise _unread(text, place, end)
        found.append(entry.groups(""))
        place = entry.end()
    if any(bool(entry[2]) != bool(entry[5]) for entry in found):
        raise NotTables(at, "begin without end in the case")
    targets = {entry[3] for entry in found} | ({block[0]} if block else set())
    if len(targets) != 1:
        what = f"the case assigns {', '.join(sorted(targets)[:4]) or 'nothing'}"
        raise NotTables(start, what, "a table assigns one signal in every entry")
    pairs = [(key, entry[4]) for entry in found for key in re.split(r"\s*,\s*", entry[1])]
    defaults = [_value(v, at) for k, v in pairs if k == "default"]
    if len(defaults) > 1:
        raise NotTables(at, f"the case has {len(defaults)} defaults")
    pairs = [(k, v) for k, v in pairs if k != "default"]
    # A label beyond any selector matches nothing, however large it is.
    labels = [min(number(k, at)[1], 1 << MAX_SELECTOR) for k, _ in pairs]
    values = [_value(v, at) for _, v in pairs]
    first = len(block[1]) if block else 0
    known = [v & ((1 << MAX_VALUE) - 1) if isinstance(v, int) else 0 for v in values]
    numbers = np.array(known, dtype=np.int64)
    keys = np.array(labels, dtype=np.int64)
    return CaseBody(
        start,
        targets.pop(),
        np.concatenate([block[1], keys]) if block else keys,
        np.concatenate([block[2], numbers]) if block else numbers,
        {first + i: v for i, v in enumerate(values) if isinstance(v, str)},
        defaults[0] if defaults else None,
    )


def _regular(text: str, start: int, end: int) -> tuple[str, IntArray, IntArray, int] | None:
    """Read the binary entries at the beginning that have the form of the first one.

    That is how tools write tables: every entry has the same length, so that all are read at once.

    Returns
    -------
    target, labels, values, end
        Or None when the first entry is of another form.
    """
    first = _BINARY.match(text, start, end)
    if first is None or first.end() - first.start() > MAX_ENTRY:
        return None
    spans = [first.span("label"), first.span("value")]
    widths = [int(first["lw"]), int(first["vw"])]
    if any(not b - a <= width <= 32 for width, (a, b) in zip(widths, spans, strict=True)):
        return None
    size = first.end() - start
    rows = (end - start) // size
    raw = np.frombuffer(text[start : start + rows * size].encode("latin-1", "replace"), np.uint8)
    table = raw.reshape(rows, size)
    digit = np.zeros(size, bool)
    for a, b in spans:
        digit[a - start : b - start] = True
    same = (table[:, ~digit] == table[0, ~digit]).all(axis=1)
    same &= ((table[:, digit] | 1) == ord("1")).all(axis=1)
    rows = int(np.argmin(same)) if not same.all() else rows
    parts = []
    for a, b in spans:
        bits = (table[:rows, a - start : b - start] & 1).astype(np.int64)
        parts.append(bits @ (1 << np.arange(b - a)[::-1]))
    return first["target"], parts[0], parts[1], start + rows * size


def _value(text: str, at: int) -> int | str:
    """Return a literal as a number; a name stays."""
    return number(text, at)[1] if text[0].isdigit() or text[0] == "'" else text


def _unread(text: str, start: int, end: int) -> NotTables:
    at = start + len(text[start:end]) - len(text[start:end].lstrip())
    shown = " ".join(text[at : min(end, at + 60)].split("\n")[0].split())
    fix = "an entry must read: constant : signal = constant ;"
    return NotTables(at, f"not an entry of a table: {shown}", fix)
