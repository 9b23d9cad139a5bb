"""The rows a recipe trains on: a data set by name, or a table of the user by path."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from nnlogic import data
from nnlogic.core.errors import Problem
from nnlogic.data import Dataset
from nnlogic.data.maps import as_map
from nnlogic.data.own import Choices, load_own
from nnlogic.data.own_columns import MISSING
from nnlogic.train.given_teacher import with_teacher

OWN = {"label": "", "targets": (), "test": "", "drop": (), "missing": MISSING[0]}
"""Keys of recipes that say how a table of the user is read, and what they are without one."""
UNUSED = {**OWN, "teacher": ""}
FILES = ("dataset", "test", "teacher")
"""Keys that may name files."""
MOST_NAME = 200
"""Bytes of a recipe's name; file names have 255."""
FRAME = "frame = [ROWS, COLUMNS], or [CHANNELS, ROWS, COLUMNS]"


class HasData(Protocol):
    """What recipes of all kinds say of their rows; see `nnlogic.data.own.Choices`."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def dataset(self) -> str: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def targets(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def task(self) -> str: ...  # noqa: D102
    @property
    def test(self) -> str: ...  # noqa: D102
    @property
    def drop(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def missing(self) -> str: ...  # noqa: D102
    @property
    def teacher(self) -> str: ...  # noqa: D102
    @property
    def distill(self) -> float: ...  # noqa: D102


R = TypeVar("R")


def is_path(dataset: str) -> bool:
    """Whether a recipe's data set is a file of the user; known names have no dot or slash."""
    return "." in dataset or "/" in dataset or os.sep in dataset


def load_dataset(recipe: HasData, data_dir: Path | str | None) -> Dataset:
    """Return the rows of a recipe, and what its teacher says of them.

    Raises
    ------
    UsageError
        No data set has that name.
    InputError, ToolNotFound
        The data cannot be had.
    NNLogicError
        See `with_teacher`.
    """
    found = _rows(recipe, data_dir)
    return with_teacher(found, Path(recipe.teacher)) if recipe.teacher else found


def _rows(recipe: HasData, data_dir: Path | str | None) -> Dataset:
    shape: tuple[int, ...] = getattr(recipe, "frame", ())
    if not is_path(recipe.dataset):
        found = data.load(recipe.dataset, data_dir)
        return as_map(found, shape, FRAME) if shape else found
    test = Path(recipe.test) if recipe.test else None
    quantities = recipe.task != "classification"
    return load_own(
        recipe.dataset,
        Choices(
            recipe.label, test, recipe.drop, recipe.missing, quantities, recipe.targets,
            recipe.task == "autoencoder", shape,
        ),
    )  # fmt: skip


def of_itself(found: Dataset) -> Dataset:
    """Return a data set whose features are its quantities, for an autoencoder."""
    x = {part: getattr(found, f"x_{part}").astype(np.float64) for part in ("train", "val", "test")}
    return dataclasses.replace(
        found, class_names=(), targets=found.feature_names,
        y_train=x["train"], y_val=x["val"], y_test=x["test"],
    )  # fmt: skip


def data_problems(recipe: HasData) -> list[Problem]:
    """Return what is wrong with the keys in `OWN`, and with the name, which files get."""
    out = []
    if (size := len(recipe.name.encode())) > MOST_NAME:
        out.append(Problem("name", f"{size:,} bytes, limit {MOST_NAME}", "choose a shorter one"))
    given = [key for key, unused in OWN.items() if getattr(recipe, key) != unused]
    if given and not is_path(recipe.dataset):
        why = f"only for a table of your own, but dataset is {recipe.dataset!r}"
        out.append(Problem(", ".join(given), why, 'dataset = "FILE.csv", or leave them out'))
    if recipe.missing not in MISSING:
        out.append(Problem("missing", f"{recipe.missing!r}, known are {', '.join(MISSING)}"))
    for key in ("drop", "targets"):
        if not all(isinstance(name, str) for name in getattr(recipe, key)):
            out.append(Problem(key, "must be names of columns", f'{key} = ["NAME"]'))
    if recipe.targets and (recipe.label or recipe.task != "regression"):
        why = f"with label {recipe.label!r} and task {recipe.task!r}"
        out.append(Problem("targets", why, 'task = "regression", and no label'))
    if recipe.label and recipe.task == "autoencoder":
        out.append(Problem("label", "an autoencoder has none: its features are what it gives"))
    if recipe.teacher and not recipe.distill:
        out.append(Problem("teacher", "with distill = 0", "say which share of the loss follows it"))
    return out


def data_meta(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON form of a recipe without unused keys of `OWN`, and files by name only.

    Where a file lies is no property of the network, and nobody else's business.
    """
    out = {key: meta[key] for key in meta if meta[key] != UNUSED.get(key)}
    for key in FILES:
        if key in out and is_path(out[key]):
            out[key] = Path(out[key]).name
    return out


def found_from(recipe: R, folder: Path) -> R:
    """Return a recipe whose files are given relative to `folder` with paths from here."""
    return _moved(recipe, lambda path: os.path.join(folder, path))


def as_seen_from(recipe: R, folder: Path) -> R:
    """Return a recipe whose files are given from here with paths relative to `folder`."""
    return _moved(recipe, lambda path: os.path.relpath(path, folder))


def _moved(recipe: Any, move: Any) -> Any:
    keys = [key for key in FILES if is_path(getattr(recipe, key))]
    return dataclasses.replace(recipe, **{key: move(getattr(recipe, key)) for key in keys})
