"""Files of numpy arrays, read with suspicion: nothing in them decides how much memory is taken.

`numpy.load` believes a header before it looks at the size of the file, warns about odd ones, and
unpickles. Here a header is a small literal of a few known forms, and what it claims must be there.
"""

from __future__ import annotations

import ast
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 1 << 16
LEAST_ENTRIES, ENTRIES_PER_BYTE = 1 << 24, 64
"""A packed array may have 2^24 entries, or 64 for each byte of its file where that is more."""
MOST = 1 << 48
_SIZES = {"f": (2, 4, 8, 16), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "b": (1,)}
_TEXT = 1 << 12  # characters of one entry
_DTYPE = re.compile(r"([<>|=])([a-zA-Z])(\d{1,9})?")
_KINDS = {"O": "Python objects", "c": "complex numbers", "M": "dates", "m": "durations"}
_STORED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ArrayError(ValueError):
    """What is wrong with an array in a file, in words; `fix` says what can be done."""

    def __init__(self, why: str, fix: str = "") -> None:
        super().__init__(why)
        self.fix = fix


@dataclass(frozen=True)
class Header:
    """What the head of a ``.npy`` file claims.

    Attributes
    ----------
    dtype : numpy.dtype
        Numbers, bools, text, or a structure of these.
    shape : tuple of int
    fortran : bool
        Whether the first index runs fastest.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    fortran: bool

    @property
    def size(self) -> int:
        """Bytes of the entries."""
        return prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes]) -> Header:
    """Read the head of a ``.npy`` file.

    Raises
    ------
    ArrayError
    """
    start = file.read(8)
    if len(start) < 8 or start[:6] != MAGIC or start[6] not in (1, 2, 3):
        raise ArrayError("not a .npy array")
    size = file.read(2 if start[6] == 1 else 4)
    count = int.from_bytes(size, "little")
    if count > LONGEST_HEADER:
        raise ArrayError(f"its header of {count:,} bytes is too long to be one")
    text = file.read(count)
    if len(text) < count:
        raise ArrayError("it ends inside its header")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = ast.literal_eval(text.decode("utf-8").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ArrayError("its header is damaged") from error
    if not isinstance(found, dict) or set(found) != {"descr", "fortran_order", "shape"}:
        raise ArrayError("its header is not that of an array")
    shape, fortran = found["shape"], found["fortran_order"]
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n <= MOST for n in shape):
        raise ArrayError(f"its header claims the shape {shape!r:.60}")
    if not isinstance(fortran, bool) or len(shape) > 8:
        raise ArrayError("its header is not that of an array")
    return Header(_dtype(found["descr"]), shape, fortran)


def _dtype(descr: Any) -> np.dtype:
    if isinstance(descr, list):
        fields = [(item[0], _scalar(item[1])) for item in descr if _is_field(item)]
        names = [name for name, _ in fields]
        if len(fields) < len(descr) or not names or len(set(names)) < len(names):
            raise ArrayError("its header names fields that are no columns of numbers")
        return np.dtype(fields)
    return _scalar(descr)


def _is_field(item: Any) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) and bool(item[0])


def _scalar(descr: Any) -> np.dtype:
    found = _DTYPE.fullmatch(descr) if isinstance(descr, str) else None
    if found is None:
        raise ArrayError(f"its header claims entries of type {descr!r:.60}")
    _, kind, digits = found.groups()
    size = int(digits or 0)
    if kind == "O":
        raise ArrayError(
            "it holds Python objects, which are never unpickled",
            "save numbers, or text as numpy.array(names, dtype=str)",
        )
    if kind in "SU" and size <= _TEXT:
        return np.dtype(descr)
    if size not in _SIZES.get(kind, ()):
        raise ArrayError(f"its entries are {_KINDS.get(kind, f'of type {descr}')}, not numbers")
    return np.dtype(descr)


def _entries(file: IO[bytes], header: Header, room: int) -> NDArray:
    """Read the entries of an array of which `room` bytes are left in the file."""
    if header.size != room:
        shape = " x ".join(map(str, header.shape)) or "a scalar"
        why = f"its header claims {shape} entries of {header.dtype}, {header.size:,} bytes"
        raise ArrayError(f"{why}; {room:,} follow")
    data = bytearray(header.size)
    view = memoryview(data)
    done = 0
    while done < header.size:
        got = file.readinto(view[done : done + (1 << 24)])  # type: ignore[attr-defined]
        if not got:
            raise ArrayError(f"it ends after {done:,} of {header.size:,} bytes")
        done += got
    array = np.frombuffer(data, header.dtype) if header.size else np.zeros(0, header.dtype)
    if not header.size and 0 not in header.shape:
        raise ArrayError(f"its entries of type {header.dtype} are empty")
    return array.reshape(header.shape, order="F" if header.fortran else "C")


def read_npy(path: Path) -> NDArray:
    """Read a ``.npy`` file.

    Raises
    ------
    ArrayError
        Damaged, not numbers or text, or not as long as its header claims.
    OSError
    """
    with path.open("rb") as file:
        header = read_header(file)
        return _entries(file, header, path.stat().st_size - file.tell())


class ArrayFile(Mapping[str, NDArray]):
    """Arrays of a ``.npz`` file by name, read when they are asked for.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ArrayError
        Here and for each array: damaged, packed or encrypted in a way numpy does not write, not
        numbers or text, or larger than `LEAST_ENTRIES` and `ENTRIES_PER_BYTE` allow.
    OSError
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._most = max(LEAST_ENTRIES, ENTRIES_PER_BYTE * path.stat().st_size)
        try:
            with zipfile.ZipFile(path) as file:
                members = file.infolist()
        except (*_ZIP_ERRORS,) as error:
            raise ArrayError("not a .npz file, or cut short or damaged") from error
        self._members = {m.filename.removesuffix(".npy"): m for m in members if _is_array(m)}
        self.others = tuple(m.filename for m in members if not _is_array(m))

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def header(self, name: str) -> Header:
        """Return what the head of an array claims."""
        return self._open(name, None)[0]

    def __getitem__(self, name: str) -> NDArray:
        return self._open(name, self._most)[1]

    def _open(self, name: str, most: int | None) -> tuple[Header, NDArray]:
        member = self._members[name]
        if member.flag_bits & 1 or member.compress_type not in _STORED:
            raise ArrayError(f"array {name} is encrypted, or packed in a way numpy does not write")
        try:
            with zipfile.ZipFile(self._path) as file, file.open(member) as packed:
                header = read_header(packed)
                if most is None:
                    return header, np.zeros(0)
                count = prod(header.shape)
                if count > most or header.size > 16 * most:
                    raise ArrayError(
                        f"it claims {count:,} entries, more than the {most:,} that a file of "
                        f"{self._path.stat().st_size:,} bytes may unpack to",
                        "save it unpacked, with numpy.savez",
                    )
                return header, _entries(packed, header, member.file_size - packed.tell())
        except ArrayError as error:
            raise ArrayError(f"array {name}: {error}", error.fix) from error
        except (*_ZIP_ERRORS, OSError) as error:  # a wrong offset fails in the system
            raise ArrayError(f"array {name}: cut short or damaged") from error


_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError,
    RuntimeError, OverflowError,
)  # fmt: skip


def _is_array(member: zipfile.ZipInfo) -> bool:
    return member.filename.endswith(".npy")
