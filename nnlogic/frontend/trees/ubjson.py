"""UBJSON, the binary form of JSON that xgboost writes by default.

Own code: what reads it elsewhere takes memory for whatever a header claims. Numbers are big-endian;
an array of one type of number, which is nearly all of a model, becomes a NumPy array.
Specification: UBJSON draft 12.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from nnlogic.core.limits import NESTING

NUMBERS = {"i": ">b", "U": ">B", "I": ">h", "l": ">i", "L": ">q", "d": ">f", "D": ">d"}
"""By type, as `struct` and NumPy both write it."""
STRUCTS = {mark: struct.Struct(kind) for mark, kind in NUMBERS.items()}
CONSTANTS = {"Z": None, "T": True, "F": False}


def parse(data: bytes) -> Any:
    """Return what UBJSON holds: JSON types, and arrays of one type of number as NumPy arrays.

    Raises
    ------
    ValueError
        The data end early, go on after the end, are nested too deep, or hold what is not UBJSON.
    """
    reader = _Reader(data)
    value = reader.value(reader.mark(), 0)
    if reader.at != len(data):
        raise ValueError(f"{len(data) - reader.at} bytes behind the end, from byte {reader.at}")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        left = len(self.data) - self.at
        if not 0 <= count <= left:
            raise ValueError(f"{count} bytes claimed at byte {self.at}, {left} are left")
        self.at += count
        return self.data[self.at - count : self.at]

    def mark(self) -> str:
        """Return the next type, behind what does nothing."""
        data, at = self.data, self.at
        while data[at : at + 1] == b"N":
            at += 1
        if at == len(data):
            raise ValueError(f"it ends where a type should stand, at byte {at}")
        self.at = at + 1
        return chr(data[at])

    def number(self, mark: str) -> int | float:
        """Return a number of a type."""
        kind = STRUCTS[mark]
        if self.at + kind.size > len(self.data):
            raise ValueError(f"a number at byte {self.at} that is cut off")
        found: int | float = kind.unpack_from(self.data, self.at)[0]
        self.at += kind.size
        return found

    def length(self) -> int:
        """Return a length: an integer of any type, not negative."""
        mark = self.mark()
        if mark not in "iUIlL":
            raise ValueError(f"a length of type {mark!r} before byte {self.at}")
        return int(self.number(mark))

    def text(self) -> str:
        """Return a string, behind its mark."""
        return self.take(self.length()).decode("utf-8")

    def value(self, mark: str, depth: int) -> Any:
        """Return a value of the type `mark`."""
        if mark in NUMBERS:
            return self.number(mark)
        if mark in CONSTANTS:
            return CONSTANTS[mark]
        if mark == "S":
            return self.text()
        if mark == "C":
            return self.take(1).decode("ascii")
        if mark not in "[{":
            raise ValueError(f"type {mark!r} before byte {self.at}")
        if why := NESTING.why(depth + 1):
            raise ValueError(f"{why}, at byte {self.at}")
        return self.array(depth) if mark == "[" else self.object(depth)

    def array(self, depth: int) -> Any:
        """Return an array, behind its mark."""
        kind, count = self.header()
        if kind:
            dtype = np.dtype(NUMBERS[kind])
            raw = np.frombuffer(self.take((count or 0) * dtype.itemsize), dtype)
            return raw.astype(dtype.newbyteorder("="))
        out: list[Any] = []
        while len(out) != count:
            mark = self.mark()
            if count is None and mark == "]":
                break
            out.append(self.value(mark, depth + 1))
        return out

    def object(self, depth: int) -> dict[str, Any]:
        """Return an object, behind its mark; names have no mark of their own."""
        kind, count = self.header()
        if kind:
            raise ValueError(f"an object of one type before byte {self.at}")
        out: dict[str, Any] = {}
        members = 0
        while members != count:
            if count is None and self.data[self.at : self.at + 1] == b"}":
                self.at += 1
                break
            name = self.text()
            if name in out:
                raise ValueError(f"{name!r} stands twice in an object")
            out[name] = self.value(self.mark(), depth + 1)
            members += 1
        return out

    def header(self) -> tuple[str, int | None]:
        """Return type and count of a container where they are given."""
        kind = ""
        if self.data[self.at : self.at + 1] == b"$":
            self.at += 1
            kind = self.take(1).decode("latin-1")
            if kind not in NUMBERS or self.data[self.at : self.at + 1] != b"#":
                raise ValueError(f"a container of type {kind!r} without a count or not of numbers")
        if self.data[self.at : self.at + 1] != b"#":
            return kind, None
        self.at += 1
        return kind, self.length()
