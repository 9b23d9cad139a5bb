"""Data sets by name, split once and for all, with where they come from."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import digest
from nnlogic.core.errors import InputError, Problem, UsageError
from nnlogic.data.split import take

SPLIT_SEED = 20240
VALIDATION_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Raw:
    """Training and test rows as a source gives them.

    Attributes
    ----------
    x_train, x_test : arrays, shape (rows, features)
    y_train, y_test : int arrays, shape (rows,); or float arrays, shape (rows, targets)
    feature_names, class_names : tuple of str
    provenance : str
        Source, licence and split, in a sentence.
    stratified : bool
        Whether the validation rows hold the same share of every class.
    file : str
        The local copy, where they are from one.
    targets : tuple of str
        Names of quantities, of rows that have no classes.
    """

    x_train: NDArray
    y_train: NDArray
    x_test: NDArray
    y_test: NDArray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    provenance: str
    stratified: bool = False
    file: str = ""
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows for training, for choosing (validation) and for the final figure (test).

    Attributes
    ----------
    name : str
    x_train, x_val, x_test : float32 arrays, shape (rows, features)
    y_train, y_val, y_test : int64 arrays, shape (rows,), or float64, shape (rows, targets)
        Index into `class_names`; or quantities.
    feature_names, class_names : tuple of str
    digest : str
        Of all rows and labels.
    provenance : str
    notices : tuple of str
        What was left out of a user's table, and why.
    targets : tuple of str
        Names of the quantities; empty where rows have classes.
    taught : float array, shape (training rows, outputs), or None
        What a teacher says of the training rows: log-probabilities, or quantities.
    train_rows : int array, shape (training rows,), or None
        Their numbers in the file of the user, from 0, and
    file_rows : int
        how many it has.
    order : int array, shape (features,), or None
        Where each column stood before they were put into the order of a map.
    """

    name: str
    x_train: NDArray[np.float32]
    y_train: NDArray
    x_val: NDArray[np.float32]
    y_val: NDArray
    x_test: NDArray[np.float32]
    y_test: NDArray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    digest: str
    provenance: str
    notices: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    taught: NDArray | None = None
    train_rows: NDArray[np.int64] | None = None
    file_rows: int = 0
    order: NDArray[np.int64] | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the classes, or of the quantities."""
        return self.targets or self.class_names


def _sources() -> dict[str, Callable[[Path | None], Raw]]:
    from nnlogic.data import beats, cifar, intrusion, kws, pulses, sensor, sources, uci

    return {
        "jets": sources.load_jets,
        "mnist": sources.load_mnist,
        "nid": intrusion.load_nid,
        "nsl_kdd": intrusion.load_nsl_kdd,
        "cifar10": cifar.load_cifar10,
        "digits": sources.load_digits,
        "ecg": beats.load_beats,
        "pulses": pulses.load_pulses,
        "kws": kws.load_kws,
        "sensor": sensor.load_sensor,
        **{name: partial(uci.load_uci, name) for name in uci.TABLES},
    }


def names() -> tuple[str, ...]:
    """Return the names of the data sets `load` knows."""
    return tuple(_sources())


def load(name: str, data_dir: Path | str | None = None) -> Dataset:
    """Load a data set; validation rows are taken from the training rows, the same ones always.

    Parameters
    ----------
    name : str
        One of `names`: ``"jets"``, ``"mnist"``, ``"nid"``, ``"nsl_kdd"``, ``"cifar10"``,
        ``"digits"``, ``"sensor"``, ``"kws"``, the simulated ``"pulses"`` and ``"ecg"``, or one of
        the UCI tables.
    data_dir : Path, optional
        Folder with local copies (``jets16.npz``, ``mnist.npz``, ...), used instead of the public
        originals.

    Raises
    ------
    UsageError
        Unknown name.
    InputError
        The data cannot be fetched, or are not what they should be.
    """
    sources = _sources()
    if name not in sources:
        close = difflib.get_close_matches(name, sources, 1)
        raise UsageError(
            "unknown data set",
            why=f"{name!r}, known are {', '.join(sources)}",
            fix=f"did you mean {close[0]!r}?" if close else "",
        )
    raw = sources[name](None if data_dir is None else Path(data_dir))
    x, x_test = _flat(raw.x_train), _flat(raw.x_test)
    kind = np.float64 if raw.targets else np.int64
    y, y_test = raw.y_train.astype(kind), raw.y_test.astype(kind)
    problems = [
        Problem(part, why)
        for part, rows, labels in (("training rows", x, y), ("test rows", x_test, y_test))
        for why in _wrong(rows, labels, raw)
    ]
    for part, names in (("features", raw.feature_names), ("classes", raw.class_names)):
        if len(set(names)) < len(names):
            problems.append(Problem(part, "two have one name"))
    if problems:
        raise InputError("data set is damaged", where=raw.file or name, problems=problems)
    train, val = take(y, VALIDATION_SHARE, SPLIT_SEED, stratified=raw.stratified)
    return Dataset(
        name=name,
        x_train=x[train],
        y_train=y[train],
        x_val=x[val],
        y_val=y[val],
        x_test=x_test,
        y_test=y_test,
        feature_names=raw.feature_names,
        class_names=raw.class_names,
        digest=digest(x, y, x_test, y_test),
        provenance=raw.provenance,
        targets=raw.targets,
    )


def _flat(rows: NDArray) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what is no float32 is infinite, and refused
        return rows.reshape(len(rows), -1).astype(np.float32)


def _wrong(rows: NDArray[np.float32], labels: NDArray, raw: Raw) -> Iterator[str]:
    if not len(rows) or not np.isfinite(rows).all():
        yield "none, or NaN or infinite values"
    if rows.shape[1] != len(raw.feature_names):
        yield f"of {rows.shape[1]} features, {len(raw.feature_names)} names"
    if len(rows) != len(labels):
        yield f"{len(rows)} rows, {len(labels)} labels"
    if raw.targets:
        if labels.ndim != 2 or labels.shape[1] != len(raw.targets) or not np.isfinite(labels).all():
            yield f"quantities {labels.shape} for {len(raw.targets)} names, or not finite"
        return
    classes = len(raw.class_names)
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        yield f"labels {labels.min()}..{labels.max()} of {classes} classes"
