"""What networks are trained for, by name, and the keys of recipes that say so."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from nnlogic.core.errors import Problem, UsageError
from nnlogic.data import Dataset
from nnlogic.train.tasks.classification import Classification
from nnlogic.train.tasks.regression import LOSSES, Regression
from nnlogic.train.tasks.task import Task

__all__ = ["KEYS", "TASKS", "Classification", "Regression", "Task", "task_of", "task_problems"]

TASKS = ("classification", "regression", "autoencoder")
KEYS: dict[str, Any] = {"task": TASKS[0], "loss": LOSSES[0], "quantile": 0.5, "balance": 0.0}
"""Keys of recipes of all kinds that say what is trained for, and what they are without one."""


class HasTask(Protocol):
    """What recipes of all kinds say of what is trained for."""

    @property
    def name(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def loss(self) -> str: ...
    @property
    def quantile(self) -> float: ...
    @property
    def balance(self) -> float: ...


def task_problems(recipe: HasTask) -> list[Problem]:
    """Return what is wrong with the values of `KEYS`."""
    out = []
    for key, known in (("task", TASKS), ("loss", LOSSES)):
        value = getattr(recipe, key)
        if value not in known:
            out.append(Problem(key, f"{value!r}, known are {', '.join(known)}"))
    if not 0 < recipe.quantile < 1:
        out.append(Problem("quantile", f"{recipe.quantile}, need above 0, below 1"))
    if not 0 <= recipe.balance <= 1:
        out.append(Problem("balance", f"{recipe.balance}, need 0 to 1"))
    classes = recipe.task == TASKS[0]
    for key in ("loss", "quantile") if classes else ("balance",):
        if getattr(recipe, key) != KEYS[key]:
            why = f"{getattr(recipe, key)!r}, but the task is {recipe.task}"
            other = f'task = "{TASKS[1]}", or leave it out' if classes else "leave it out"
            out.append(Problem(key, why, other))
    if recipe.quantile != KEYS["quantile"] and recipe.loss != "quantile":
        out.append(Problem("quantile", f"with loss {recipe.loss!r}", 'loss = "quantile"'))
    return out


def task_of(recipe: HasTask, dataset: Dataset, levels: int, first: int = 0) -> Task:
    """Return the task of a recipe on a data set.

    Parameters
    ----------
    recipe : recipe of any kind
    dataset : Dataset
    levels, first
        Codes that an output has, or is to have, for a quantity.

    Raises
    ------
    UsageError
        The rows have classes, and the recipe wants quantities, or the other way round.
    """
    quantities = recipe.task != TASKS[0]
    if recipe.task == TASKS[2] and dataset.targets != dataset.feature_names:
        raise UsageError(
            "recipe does not fit the data", where=recipe.name,
            why=f"the quantities of {dataset.name} are not its features",
            fix=f'task = "{TASKS[1]}"',
        )  # fmt: skip
    if quantities != bool(dataset.targets):
        has = f"quantities ({', '.join(dataset.targets)})" if dataset.targets else "classes"
        raise UsageError(
            "recipe does not fit the data", where=recipe.name,
            why=f"{dataset.name} has {has}, and the task is {recipe.task}",
            fix=f'task = "{TASKS[not quantities]}"',
        )  # fmt: skip
    if quantities:
        loss, quantile = recipe.loss, recipe.quantile
        return Regression(
            dataset.targets, dataset.y_train, levels, loss=loss, quantile=quantile, first=first
        )
    classes = len(dataset.class_names)
    counts = torch.bincount(torch.from_numpy(dataset.y_train), minlength=classes)
    return Classification(classes, counts, recipe.balance)
