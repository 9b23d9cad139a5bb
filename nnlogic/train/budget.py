"""Networks for a budget of LUTs: a handful of shapes, trained in turn, the best one longest."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nnlogic.core.progress import SILENT, Progress
from nnlogic.data import Dataset
from nnlogic.frontend import load
from nnlogic.quant.ir import QuantNet
from nnlogic.train.population import PopulationTraining
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.shapes import rescaled
from nnlogic.train.tasks import task_of
from nnlogic.train.trainer import TrainResult, threads, train

FIRST, SECOND, LAST = 0.35, 0.2, 0.45
"""Shares of the time: first shapes, shapes nearer to the budget, and the best one again."""
AGAIN = 2
"""Shapes that are brought nearer to the budget."""
NEAR = 0.1
"""A shape within this share of the budget is not changed."""
OVER, MARGIN = 1.1, 0.95
"""In budgets: LUTs of a shape that may be trained longest, and what one above it is cut to."""
LEAST_STEPS, MOST_STEPS, TIMED_STEPS = 30, 60_000, 8


@dataclass(frozen=True, eq=False)
class Tried:
    """A network that was trained.

    Attributes
    ----------
    recipe : PopulationRecipe
    result : TrainResult
    net : QuantNet
    luts : int
        As counted by the `count` of `within_budget`.
    score : float
        On validation rows, what is chosen by: accuracy, or balanced accuracy; of quantities minus
        the loss.
    """

    recipe: PopulationRecipe
    result: TrainResult
    net: QuantNet
    luts: int
    score: float


@dataclass(frozen=True)
class Pace:
    """How long to train: `seconds` for all networks together, or else `steps` for the last.

    Steps give the same networks on every machine, seconds do not.
    """

    seconds: float = 120.0
    steps: int = 0

    def steps_for(self, recipe: PopulationRecipe, data: Dataset, share: float) -> int:
        """Return the steps for a share of the whole."""
        if self.steps:
            return max(1, round(2 * self.steps * share / LAST))
        found = int(self.seconds * share / _seconds_per_step(recipe, data))
        return min(max(found, LEAST_STEPS), MOST_STEPS)


DEFAULT = Pace()


def within_budget(
    data: Dataset,
    luts: int,
    shapes: Sequence[PopulationRecipe],
    *,
    count: Callable[[Path], int],
    out: Path,
    pace: Pace = DEFAULT,
    progress: Progress = SILENT,
) -> tuple[Tried, list[Tried]]:
    """Train shapes, chosen on validation rows, and return the best within a budget.

    Parameters
    ----------
    data : Dataset
    luts : int
        The budget.
    shapes : sequence of PopulationRecipe
        To start from; one alone is trained once, and changed no more.
    count : callable
        LUTs of a checkpoint.
    out : Path
        Folder for a folder of each network.
    pace : Pace
    progress : Progress

    Returns
    -------
    chosen : Tried
        The best within the budget; the smallest of all where none is.
    tried : list of Tried
        All, as they were trained.
    """
    tried: list[Tried] = []

    def attempt(recipe: PopulationRecipe, share: float) -> None:
        steps = pace.steps_for(recipe, data, share)
        recipe = dataclasses.replace(recipe, steps=steps)
        folder = out / f"{len(tried):02d}"
        # One thread: sums round alike on any number of cores, and networks this small gain nothing.
        with threads(1):
            result = train(recipe, out=folder, dataset=data, device="cpu", progress=progress)
        net = load(result.checkpoint)
        score = _score(recipe, net, data)
        tried.append(Tried(recipe, result, net, count(result.checkpoint), score))

    if len(shapes) == 1:
        attempt(shapes[0], LAST / 2)
        return tried[0], tried
    for recipe in shapes:
        attempt(recipe, FIRST / len(shapes))
    for best in sorted(tried, key=_rank(luts), reverse=True)[:AGAIN]:
        ratio = luts / max(1, best.luts)
        changed = rescaled(best.recipe, ratio, len(data.outputs))
        if abs(ratio - 1) > NEAR and changed != best.recipe:
            attempt(changed, SECOND / AGAIN)
    near = [t for t in tried if t.luts <= OVER * luts] or [min(tried, key=lambda t: t.luts)]
    attempt(max(near, key=lambda t: (t.score, -t.luts)).recipe, LAST / 2)
    # Longer training moves the bits of sums: bring the shape back, or take another start.
    last = tried[-1]
    ratio = MARGIN * luts / max(1, last.luts)
    off = ratio < MARGIN or ratio > 1 + NEAR
    moved = rescaled(last.recipe, ratio, len(data.outputs)) if off else last.recipe
    attempt(dataclasses.replace(moved, seed=moved.seed + 1), LAST / 2)
    inside = [t for t in tried if t.luts <= luts]
    if not inside:
        return min(tried, key=lambda t: t.luts), tried
    return max(inside, key=lambda t: (t.score, -t.luts)), tried


def rates(net: QuantNet, x: NDArray, y: NDArray) -> tuple[float, float]:
    """Return how good a network is, exactly, and how good it is for all outputs alike.

    Of classes the accuracy, and the mean of the accuracies on each class. Of quantities the share
    of the variance that is explained (R squared), mean and lowest.
    """
    if net.quantities:
        found = net.decode(net.evaluate(net.encode(x)))
        spread = np.maximum(y.var(0), np.finfo(float).tiny)
        explained = 1 - ((found - y) ** 2).mean(0) / spread
        return float(explained.mean()), float(explained.min())
    right = net.evaluate(net.encode(x))[:, -1] == y
    each = [right[y == c].mean() for c in np.unique(y)]
    return float(right.mean()), float(np.mean(each))


def _score(recipe: PopulationRecipe, net: QuantNet, data: Dataset) -> float:
    if not data.targets:
        return rates(net, data.x_val, data.y_val)[bool(recipe.balance)]
    task = task_of(recipe, data, *recipe.levels(len(data.targets)))
    found, wanted = task.wanted(task.exact(net, data.x_val)), task.wanted(data.y_val)
    return float(task.merit(found, wanted).mean())


def _rank(luts: int) -> Callable[[Tried], float]:
    """Return what shapes are worth changing by: a shape far off has to change much."""
    return lambda t: t.score - 0.02 * abs(np.log2(max(t.luts, 1) / luts))


def _seconds_per_step(recipe: PopulationRecipe, data: Dataset) -> float:
    with threads(1):
        training = PopulationTraining(
            dataclasses.replace(recipe, steps=2 * TIMED_STEPS), data, torch.device("cpu")
        )
        training.prepare(None, SILENT)
        training.steps.run(2)
        start = time.perf_counter()
        training.steps.run(TIMED_STEPS)
        return max((time.perf_counter() - start) / TIMED_STEPS, 1e-5)
