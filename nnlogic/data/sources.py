"""Where each data set comes from."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError
from nnlogic.data.arff import fetch_openml
from nnlogic.data.dataset import Raw
from nnlogic.data.fetch import fetch
from nnlogic.data.local import LABELS, ROWS, TEXTS, read_local

JETS_NUMBER = 42468
JETS_CLASSES = ("g", "q", "t", "w", "z")
JETS_TEST_SHARE = 0.2
MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
SPLIT = {"X_train": ROWS, "y_train": LABELS, "X_test": ROWS, "y_test": LABELS}
LOCAL_SPLIT = "Local copy; test rows as the file has them."


def load_jets(data_dir: Path | None) -> Raw:
    """Jet tagging: 16 features, 5 classes; ``jets16.npz``, or OpenML 42468.

    OpenML gives no split: the last fifth of a fixed permutation is the test set.
    """
    if data_dir is not None:
        path = data_dir / "jets16.npz"
        file = read_local(path, {**SPLIT, "feature_names": TEXTS, "class_names": TEXTS})
        return Raw(
            file["X_train"],
            file["y_train"],
            file["X_test"],
            file["y_test"],
            tuple(str(n) for n in file["feature_names"]),
            tuple(str(n) for n in file["class_names"]),
            "Simulated jets (Pythia 8.317), a re-creation of the features of OpenML 42468, free "
            f"to use; not comparable with figures on the original. {LOCAL_SPLIT}",
            file=str(path),
        )
    names, x, labels = fetch_openml(JETS_NUMBER)
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


def load_mnist(data_dir: Path | None) -> Raw:
    """Handwritten digits, 28x28, 0..255; ``mnist.npz``, or the public files."""
    names = tuple(f"p{r}_{c}" for r in range(28) for c in range(28))
    digits = tuple(str(d) for d in range(10))
    path, source = "", "MNIST (LeCun, Cortes, Burges); original split."
    if data_dir is not None:
        path = str(data_dir / "mnist.npz")
        file = read_local(Path(path), SPLIT)
        arrays = [file[k] for k in SPLIT]
    else:
        arrays = [_read_idx(fetch(MNIST_URL + f, md5)) for f, md5 in MNIST_FILES.items()]
    x_train, y_train, x_test, y_test = arrays
    return Raw(x_train, y_train, x_test, y_test, names, digits, source, file=path)


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


def _read_idx(path: Path) -> NDArray[np.uint8]:
    # IDX: two zero bytes, type 8 (unsigned byte), number of axes, sizes as big-endian u32, data.
    try:
        raw = gzip.decompress(path.read_bytes())
        axes = raw[3]
        shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(axes)]
        return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)
    except (OSError, EOFError, IndexError, ValueError) as error:
        raise InputError("cannot read the data set", where=str(path), why=str(error)) from error
