"""Where each data set comes from."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError
from nnlogic.data.dataset import Raw
from nnlogic.data.fetch import fetch, get

JETS_RECORD = "https://www.openml.org/api/v1/json/data/42468"
JETS_CLASSES = ("g", "q", "t", "w", "z")
JETS_TEST_SHARE = 0.2
MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
LOCAL_SPLIT = "Local copy; test rows as the file has them."


def load_jets(data_dir: Path | None) -> Raw:
    """Jet tagging: 16 features, 5 classes; ``jets16.npz``, or OpenML 42468.

    OpenML gives no split: the last fifth of a fixed permutation is the test set.
    """
    if data_dir is not None:
        file = _read_local(data_dir / "jets16.npz", feature_names=True)
        return Raw(
            file["X_train"],
            file["y_train"],
            file["X_test"],
            file["y_test"],
            tuple(str(n) for n in file["feature_names"]),
            tuple(str(n) for n in file["class_names"]),
            "Simulated jets (Pythia 8.317), a re-creation of the features of OpenML 42468, free "
            f"to use; not comparable with figures on the original. {LOCAL_SPLIT}",
        )
    try:
        record = json.loads(get(JETS_RECORD))["data_set_description"]
        url, md5 = str(record["url"]), str(record["md5_checksum"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "the data set's record is not understood",
            where=JETS_RECORD,
            why=repr(error),
            fix="pass a folder with jets16.npz (--data)",
        ) from error
    names, x, labels = parse_arff(fetch(url, md5).read_text(encoding="utf-8"), url)
    y = np.searchsorted(JETS_CLASSES, labels)
    order = np.random.default_rng(42468).permutation(len(x))
    cut = round((1 - JETS_TEST_SHARE) * len(x))
    train, test = order[:cut], order[cut:]
    return Raw(
        x[train],
        y[train],
        x[test],
        y[test],
        names,
        JETS_CLASSES,
        "OpenML 42468 (hls4ml_lhc_jets_hlf), believed CC BY 4.0 (Zenodo 3602260); own seeded "
        "80/20 split.",
    )


def parse_arff(text: str, where: str) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray]:
    """Parse a dense ARFF file whose numeric columns end in, or begin with, the class column.

    Returns
    -------
    names : tuple of str
        Of the numeric columns.
    rows : float32 array, shape (rows, len(names))
    labels : str array, shape (rows,)

    Raises
    ------
    InputError
        Another kind of ARFF.
    """
    head, _, body = text.partition("\n@DATA")
    if not body:
        head, _, body = text.partition("\n@data")
    numeric, nominal = [], []
    columns = 0
    for line in head.splitlines():
        words = line.replace("{", " {").split()
        if len(words) < 3 or words[0].lower() != "@attribute":
            continue
        if words[2].lower() in ("numeric", "real", "integer"):
            numeric.append((columns, words[1].strip("'\"")))
        else:
            nominal.append(columns)
        columns += 1
    if not body or len(nominal) != 1:
        raise InputError(
            "the data set's file is not understood",
            where=where,
            why=f"ARFF with {len(numeric)} numeric and {len(nominal)} other columns",
        )
    lines = [line for line in body.splitlines() if line.strip() and line[0] != "%"]
    cells = [line.split(",") for line in lines]
    if any(len(row) != columns for row in cells):
        raise InputError("the data set's file is damaged", where=where, why="rows differ in length")
    rows = np.array([[row[i] for i, _ in numeric] for row in cells], dtype=np.float32)
    labels = np.array([row[nominal[0]].strip().strip("'\"") for row in cells])
    return tuple(name for _, name in numeric), rows, labels


def load_mnist(data_dir: Path | None) -> Raw:
    """Handwritten digits, 28x28, 0..255; ``mnist.npz``, or the public files."""
    names = tuple(f"p{r}_{c}" for r in range(28) for c in range(28))
    digits = tuple(str(d) for d in range(10))
    source = "MNIST (LeCun, Cortes, Burges); original split."
    if data_dir is not None:
        file = _read_local(data_dir / "mnist.npz")
        arrays = [file[k] for k in ("X_train", "y_train", "X_test", "y_test")]
    else:
        arrays = [_read_idx(fetch(MNIST_URL + f, md5)) for f, md5 in MNIST_FILES.items()]
    x_train, y_train, x_test, y_test = arrays
    return Raw(x_train, y_train, x_test, y_test, names, digits, source)


def load_digits(data_dir: Path | None) -> Raw:
    """Scikit-learn's 1,797 digits, 8x8, 0..16; the last fifth of a permutation is the test set."""
    try:
        from sklearn import datasets
    except ImportError as error:
        raise InputError(
            "the digits come with scikit-learn",
            where="digits",
            why=str(error),
            fix="pip install 'nnlogic[train]'",
        ) from error
    bunch = datasets.load_digits()
    order = np.random.default_rng(8).permutation(len(bunch.data))
    x, y = bunch.data[order], bunch.target[order]
    cut = round(0.8 * len(x))
    return Raw(
        x[:cut],
        y[:cut],
        x[cut:],
        y[cut:],
        tuple(str(n) for n in bunch.feature_names),
        tuple(str(d) for d in range(10)),
        "scikit-learn's digits (UCI optical recognition of handwritten digits, CC BY 4.0); own "
        "seeded 80/20 split.",
    )


def _read_local(path: Path, *, feature_names: bool = False) -> dict[str, NDArray]:
    need = ["X_train", "y_train", "X_test", "y_test"]
    need += ["feature_names", "class_names"] if feature_names else []
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            missing = [k for k in need if k not in file]
            if not missing:
                return {k: file[k] for k in need}
    except FileNotFoundError as error:
        raise InputError(
            "no local copy of the data set",
            where=str(path),
            fix="leave --data out to fetch the public original",
        ) from error
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise InputError("cannot read the data set", where=str(path), why=str(error)) from error
    raise InputError(
        "the local copy lacks arrays", where=str(path), why=f"missing: {', '.join(missing)}"
    )


def _read_idx(path: Path) -> NDArray[np.uint8]:
    # IDX: two zero bytes, type 8 (unsigned byte), number of axes, sizes as big-endian u32, data.
    try:
        raw = gzip.decompress(path.read_bytes())
        axes = raw[3]
        shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(axes)]
        return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)
    except (OSError, EOFError, IndexError, ValueError) as error:
        raise InputError("cannot read the data set", where=str(path), why=str(error)) from error
