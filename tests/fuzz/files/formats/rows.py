"""Rows of users: CSV, npy, npz, Parquet."""

from __future__ import annotations

import csv
import io
import pickle
from collections.abc import Sequence
from functools import cache

import numpy as np

from .. import codecs, texts
from ..commands import command
from ..format import Format, Maker, Mutation
from ..kit import GIB, NET, NPY, NPZ, TABLES, Right, beside, contents, zeros
from ..values import HUGE


@cache
def rows() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return column names, rows and labels for the network of `make`."""
    rng = np.random.default_rng(2)
    return [f"f{i}" for i in range(5)], rng.normal(size=(12, 5)), rng.integers(0, 3, 12)


def rows_csv() -> bytes:
    """Return the rows as text."""
    names, x, y = rows()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*names, "label"])
    writer.writerows([[*map(str, row.round(3)), label] for row, label in zip(x, y, strict=True)])
    return out.getvalue().encode()


def _npy_head(shape: str, descr: str = "'<f8'") -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head


ABSURD_NPY: tuple[Maker, ...] = tuple(
    lambda _, data=data: data
    for data in (
        _npy_head(f"({HUGE}, 5)"),
        _npy_head("(-1, 5)"),
        _npy_head(f"({2**63},)"),
        _npy_head("(3, 5)", "'|O'") + pickle.dumps([1] * 15),
        _npy_head("(3, 5)", "[('a', '<f4', (100000, 100000))]"),
        _npy_head("(" * 200 + ")" * 200),
        _npy_head("(0, 5)"),
        _npy_head("()") + bytes(8),
        b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little"),
        _npy_head("(2, 5)", "'<U100000000'"),
    )
)


ABSURD_NPZ: tuple[Maker, ...] = (
    lambda _: zeros("X.npy", _npy_head(f"({GIB // 40}, 5)"), GIB),
    lambda _: codecs.zip_bytes({"X.npy": _npy_head(f"({HUGE}, 5)")}),
    lambda _: codecs.zip_bytes({f"x{i}.npy": b"" for i in range(50_000)}),
)


ABSURD_CSV: tuple[Maker, ...] = (
    lambda _: (",".join(f"f{i}" for i in range(200_000)) + "\n").encode() * 3,
    lambda _: b'f0,f1,f2,f3,f4,label\n"' + b"1," * 1_000_000,
    lambda _: b"f0,f1,f2,f3,f4,label\n" + b"1e999,nan,-inf,0x10,1_0,1\n",
    lambda _: b"f0,f1,f2,f3,f4,label\n" + b"1,2,3,4,5," + b"9" * 5000 + b"\n",
    lambda _: b"f0,f1,f2,f3,f4,label\n" + b"1" * 20_000_000 + b"\n",
)


def rows_format(
    suffix: str, right: Right, mutations: Sequence[Mutation], whole: Sequence[Maker] = ()
) -> Format:
    """Return a format that rows of the network of `corpus.make` come in."""
    commands = (command(f"compile {NET} {TABLES} --rows rows{suffix}", 2),)
    name = f"rows-{suffix[1:]}"
    return Format(name, f"rows{suffix}", right, commands, mutations, whole, beside(NET))


def _npz() -> list[bytes]:
    _, x, y = rows()
    named, plain = io.BytesIO(), io.BytesIO()
    np.savez(named, X=x.astype(np.float32), y=y)
    np.savez(plain, X=x)
    return [named.getvalue(), plain.getvalue()]


def _npy() -> bytes:
    out = io.BytesIO()
    np.save(out, rows()[1])
    return out.getvalue()


FORMATS = (
    rows_format(".csv", contents(rows_csv()), texts.TEXT, ABSURD_CSV),
    rows_format(".npy", contents(_npy()), NPY, ABSURD_NPY),
    rows_format(".npz", contents(*_npz()), NPZ, ABSURD_NPZ),
)
