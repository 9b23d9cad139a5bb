"""Pickles of known classes, read as plain data: nothing that a file names is ever imported.

Classes become `Record`, arrays of NumPy are put together from their bytes here, and every other
name is refused before anything is built.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Collection
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError
from nnlogic.frontend.look import UNPARSED, pickled_names

PLAIN = "biufc?"
"""Kinds of numbers whose bytes can be anything."""
MOST_DIMS = 8
FORBIDDEN = frozenset({
    "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "INST", "OBJ", "NEXT_BUFFER", "READONLY_BUFFER",
    "NEWOBJ_EX",
})  # fmt: skip
"""Opcodes that such files have no use for."""
MEMOS = ("PUT", "BINPUT", "LONG_BINPUT")
BROKEN = (
    pickle.UnpicklingError, TypeError, ValueError, KeyError, IndexError, AttributeError, EOFError,
    OverflowError, MemoryError, RecursionError, ImportError,
)  # fmt: skip
"""What the reader of pickles raises for damaged ones."""


class Record:
    """An instance of a class of another program: its attributes, and none of its code."""

    def __setstate__(self, state: Any) -> None:
        """Take the attributes a pickle gives."""
        if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
            raise ValueError("a state without names")
        self.state = MappingProxyType(state)

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute; an array where it is one."""
        value = getattr(self, "state", {}).get(name, default)
        return getattr(value, "array", default) if isinstance(value, _Array) else value


class _Dtype:
    """The description of numbers, of a pickle, as far as plain numbers need one."""

    def __init__(self, text: str, *_: Any) -> None:
        if not isinstance(text, str) or len(text) > 3:
            raise ValueError("not the type of a number")
        self.dtype = np.dtype(text)
        if self.dtype.kind not in PLAIN:
            raise ValueError(f"an array of {self.dtype}")

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise ValueError("not an order of bytes")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """An array of a pickle, before and after its bytes are known."""

    array: NDArray[Any]

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, by_column, raw = state
        self.fill(raw, kind, shape, "F" if by_column else "C")

    def fill(self, raw: Any, kind: _Dtype, shape: Any, order: str) -> None:
        """Take bytes, which the shape must have use for, all of them."""
        if not (isinstance(shape, tuple) and len(shape) <= MOST_DIMS):
            raise ValueError("an array without a shape")
        if not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError("an array of a shape that cannot be")
        if not isinstance(raw, bytes | bytearray):
            raise ValueError("an array without bytes")
        if math.prod(shape) * kind.dtype.itemsize != len(raw):
            raise ValueError("an array whose bytes are more or less than its shape has")
        column = {"C": "C", "F": "F"}[order]
        self.array = np.frombuffer(raw, kind.dtype).reshape(shape, order=column)  # type: ignore[call-overload]


def _rebuilt(*_: Any) -> _Array:
    return _Array()


def _from_buffer(raw: Any, kind: _Dtype, shape: Any, order: str) -> _Array:
    found = _Array()
    found.fill(raw, kind, shape, order)
    return found


def _scalar(kind: _Dtype, raw: bytes) -> Any:
    return np.frombuffer(raw, kind.dtype)[0].item()


NUMPY = {
    **{f"numpy.{core}.multiarray.{name}": value
       for core in ("core", "_core")
       for name, value in (("_reconstruct", _rebuilt), ("scalar", _scalar))},
    **{f"numpy.{core}.numeric._frombuffer": _from_buffer for core in ("core", "_core")},
    "numpy.dtype": _Dtype,
    "numpy.ndarray": _Array,
}  # fmt: skip
NUMBERS = {
    name: value for name, value in NUMPY.items() if name.endswith((".scalar", "numpy.dtype"))
}
"""What a number of NumPy is made of."""
ENCODE = "_codecs.encode"
"""How protocols before 3 write bytes."""


def _encoded(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise ValueError("not an encoding of bytes")
    return text.encode("latin-1")


class _Reader(pickle.Unpickler):
    """An unpickler that finds nothing but what stands above."""

    def __init__(self, data: bytes, classes: Collection[str]) -> None:
        super().__init__(io.BytesIO(data))
        self.kinds = {name: type(name, (Record,), {}) for name in classes}

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in of a class or function."""
        known = {**NUMPY, ENCODE: _encoded, **self.kinds}
        return known[f"{module}.{name}"]

    def persistent_load(self, pid: Any) -> Any:
        """Refuse what is kept elsewhere."""
        raise pickle.UnpicklingError("an object kept elsewhere")


def read_records(data: bytes, classes: Collection[str], path: Path) -> Any:
    """Return what a pickle holds: plain data, numbers, arrays, and records of some classes.

    Parameters
    ----------
    data : bytes
    classes : collection of str
        ``module.name`` of the classes that may occur.
    path : Path
        Of the file, for messages.

    Raises
    ------
    CheckpointError
        It is damaged, or names anything else; nothing of it was built then.
    """
    allowed = {*classes, *NUMPY, ENCODE}
    strange = [name for name in pickled_names(data) if name not in allowed]
    if strange:
        raise CheckpointError(
            "a pickle that names other things than a network",
            where=str(path),
            why=f"{', '.join(strange[:8])}: it was not opened, since it could run code",
            fix=f"give a file that names {', '.join(sorted(classes))}, and arrays of NumPy",
        )
    try:
        _require_plain(data)
        return _Reader(data, classes).load()
    except (*BROKEN, *UNPARSED) as error:
        raise CheckpointError(
            "a damaged pickle", where=str(path), why=f"{type(error).__name__}: {error}"[:200],
            fix="copy the file again, and compare its size",
        ) from error  # fmt: skip


def _require_plain(data: bytes) -> None:
    """Raise ValueError where opcodes do what no such file needs, or take memory for nothing."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name in FORBIDDEN:
            raise ValueError(f"the opcode {opcode.name}")
        if opcode.name in MEMOS and int(argument or 0) > count:
            raise ValueError("places in memory that nothing fills")
