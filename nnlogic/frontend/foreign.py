"""Files that are no networks nnlogic reads, and what to do about each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Foreign:
    """A kind of file, known by its first bytes or else by its name."""

    what: str
    fix: str
    starts: tuple[bytes, ...] = ()
    suffixes: tuple[str, ...] = ()


TRAIN = "train it as an nnlogic.nn network, and save that with nnlogic.nn.save_checkpoint"
FOREIGN = (
    Foreign("an HDF5 file, as Keras writes", TRAIN, (b"\x89HDF",), (".h5", ".hdf5", ".keras")),
    Foreign("an ONNX model", TRAIN, suffixes=(".onnx",)),
    Foreign(
        "a LightGBM model",
        'train it with xgboost, and save it with model.save_model("model.json")',
        (b"tree\nversion=",),
    ),
    Foreign(
        "an xgboost model in a binary format",
        'save it with model.save_model("model.json")',
        (b"{L\x00\x00",),
        (".ubj",),
    ),
    Foreign(
        "NumPy arrays",
        "rows of a data set go to --rows; arrays of weights say nothing of the network",
        (b"\x93NUMPY",),
        (".npy", ".npz"),
    ),
    Foreign("a recipe or options", "nnlogic train makes a checkpoint of it", suffixes=(".toml",)),
)


def by_start(head: bytes) -> Foreign | None:
    """Return what a file is by its first bytes."""
    return next((kind for kind in FOREIGN if kind.starts and head.startswith(kind.starts)), None)


def by_name(path: Path) -> Foreign | None:
    """Return what a file is by its name."""
    return next((kind for kind in FOREIGN if path.suffix.lower() in kind.suffixes), None)
