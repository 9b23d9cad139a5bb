"""The rows a recipe trains on: a data set by name, or a table of the user by path."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from nnlogic import data
from nnlogic.core.errors import Problem
from nnlogic.data import Dataset
from nnlogic.data.maps import as_map
from nnlogic.data.own import Choices, load_own
from nnlogic.data.own_columns import MISSING

OWN = {"label": "", "test": "", "drop": (), "missing": MISSING[0]}
"""Keys of recipes that say how a table of the user is read, and what they are without one."""


class HasData(Protocol):
    """What recipes of all kinds say of their rows; see `nnlogic.data.own.Choices`."""

    @property
    def dataset(self) -> str: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def test(self) -> str: ...  # noqa: D102
    @property
    def drop(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def missing(self) -> str: ...  # noqa: D102


R = TypeVar("R")


def is_path(dataset: str) -> bool:
    """Whether a recipe's data set is a file of the user; known names have no dot or slash."""
    return "." in dataset or "/" in dataset or os.sep in dataset


def load_dataset(recipe: HasData, data_dir: Path | str | None) -> Dataset:
    """Return the rows of a recipe.

    Raises
    ------
    UsageError
        No data set has that name.
    InputError, ToolNotFound
        The data cannot be had.
    """
    shape: tuple[int, ...] = getattr(recipe, "frame", ())
    if not is_path(recipe.dataset):
        found = data.load(recipe.dataset, data_dir)
        return as_map(found, shape) if shape else found
    test = Path(recipe.test) if recipe.test else None
    return load_own(recipe.dataset, Choices(recipe.label, test, recipe.drop, recipe.missing, shape))


def data_problems(recipe: HasData) -> list[Problem]:
    """Return what is wrong with the keys in `OWN`."""
    out = []
    given = [key for key, unused in OWN.items() if getattr(recipe, key) != unused]
    if given and not is_path(recipe.dataset):
        why = f"only for a table of your own, but dataset is {recipe.dataset!r}"
        out.append(Problem(", ".join(given), why, 'dataset = "FILE.csv", or leave them out'))
    if recipe.missing not in MISSING:
        out.append(Problem("missing", f"{recipe.missing!r}, known are {', '.join(MISSING)}"))
    if not all(isinstance(name, str) for name in recipe.drop):
        out.append(Problem("drop", "must be names of columns", 'drop = ["NAME"]'))
    return out


def data_meta(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON form of a recipe without unused keys of `OWN`, and files by name only.

    Where a file lies is no property of the network, and nobody else's business.
    """
    out = {key: meta[key] for key in meta if meta[key] != OWN.get(key)}
    for key in ("dataset", "test"):
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
    own = is_path(recipe.dataset)
    keys = [key for key in ("dataset", "test") if own and getattr(recipe, key)]
    return dataclasses.replace(recipe, **{key: move(getattr(recipe, key)) for key in keys})
