"""CIFAR-10 from its binary archive."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, Problem
from nnlogic.data.dataset import Raw
from nnlogic.data.fetch import fetch

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
ARCHIVE, FOLDER = "cifar-10-binary.tar.gz", "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST = ("test_batch.bin",)
SIDE, COLOURS = 32, "rgb"
PIXELS = SIDE * SIDE * len(COLOURS)
# One byte of label, then the pixels.
RECORD = PIXELS + 1
CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def load_cifar10(data_dir: Path | None) -> Raw:
    """Small photographs, 32x32 in three colours, 0..255, all of red first.

    The archive is fetched, or a local folder holds it or the files unpacked from it. The binary
    version is read: the other ones run code when they are opened.
    """
    if data_dir is None:
        files = _unpack(fetch(URL, MD5))
    elif (data_dir / FOLDER).is_dir():
        files = _unpacked(data_dir / FOLDER)
    else:
        files = _unpack(data_dir / ARCHIVE)
    _check(files)
    x_train, y_train = _records(files, TRAIN)
    x_test, y_test = _records(files, TEST)
    names = tuple(f"{c}{row}_{col}" for c in COLOURS for row in range(SIDE) for col in range(SIDE))
    return Raw(
        x_train,
        y_train,
        x_test,
        y_test,
        names,
        CLASSES,
        "CIFAR-10 (Krizhevsky 2009), binary version; original split.",
    )


def _unpack(path: Path) -> dict[str, bytes]:
    wanted = {f"{FOLDER}/{name}": name for name in (*TRAIN, *TEST)}
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(path.read_bytes()), mode="r:gz") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.name in wanted else None
                if content is not None:
                    found[wanted[member.name]] = content.read()
    except FileNotFoundError as error:
        raise InputError(
            "no local copy of the data set",
            where=str(path),
            fix="leave --data out to fetch the public original",
        ) from error
    except (OSError, EOFError, tarfile.TarError) as error:
        raise InputError("cannot read the data set", where=str(path), why=str(error)) from error
    return found


def _unpacked(folder: Path) -> dict[str, bytes]:
    try:
        return {p.name: p.read_bytes() for p in sorted(folder.glob("*.bin"))}
    except OSError as error:
        raise InputError("cannot read the data set", where=str(folder), why=str(error)) from error


def _check(files: dict[str, bytes]) -> None:
    problems = []
    for name in (*TRAIN, *TEST):
        size = len(files.get(name, b""))
        if name not in files:
            problems.append(Problem(name, "is missing"))
        elif not size or size % RECORD:
            problems.append(Problem(name, f"has {size} bytes, no multiple of {RECORD}"))
    if problems:
        raise InputError("the data set is incomplete", where=FOLDER, problems=problems)


def _records(
    files: dict[str, bytes], names: tuple[str, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    content = b"".join(files[name] for name in names)
    rows = np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD)
    return rows[:, 1:], rows[:, 0].astype(np.int64)
