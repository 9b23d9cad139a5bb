"""``python -m benchmarks.search.supernet --data DIR``: trials that begin with others' weights.

Some networks of a space, each trained for long and for as short as a trial, from the start and
from the weights of the largest network of the space, which was trained for long once.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.search.grid import SPACES, Grid
from nnlogic.core.progress import SILENT
from nnlogic.nn.network import Network
from nnlogic.train.layered import LayeredTraining
from nnlogic.train.recipe import Recipe
from nnlogic.train.supernet import inherit, largest

LONGER = 8
NAMES = ("long", "long, inherited", "short", "short, inherited")


def trained(grid: Grid, recipe: Recipe, whole: Network | None = None) -> LayeredTraining:
    """Train a network, from the weights of a larger one if there is one."""
    torch.manual_seed(recipe.seed)
    run = LayeredTraining(recipe, grid.dataset, torch.device("cpu"))
    if whole is not None:
        inherit(run.model, whole)
    run.prepare(None, SILENT)
    while not run.finished:
        run.advance()
    run.finish(SILENT)
    return run


def main() -> None:
    """Print the mean accuracy on validation rows, and how networks rank."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search.supernet")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", default="jets_small", choices=sorted(SPACES))
    parser.add_argument("--networks", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        grid = Grid(given.recipe, Path(folder) / "rows.jsonl", given.data)
    short = grid.recipe.epochs

    def of(point: dict[str, int], epochs: int) -> Recipe:
        return dataclasses.replace(grid.space.recipe(point), epochs=epochs)

    whole = trained(grid, of(largest(grid.space), LONGER * short))
    print(f"largest     {100 * whole.merits()[0]:.2f} % after {LONGER * short} epochs")
    points = grid.points()
    drawn = np.random.default_rng(given.seed).choice(len(points), given.networks, replace=False)
    rows = []
    for i in drawn:
        runs = [
            trained(grid, of(points[i], epochs), start)
            for epochs in (LONGER * short, short)
            for start in (None, whole.model)
        ]
        rows.append([100 * run.merits()[0] for run in runs])
        print(*(f"{value:9.2f}" for value in rows[-1]), flush=True)
    found = np.array(rows)
    for name, column in zip(NAMES, found.T, strict=True):
        rank = spearmanr(found[:, 0], column).statistic
        print(f"{name:<18}{column.mean():6.2f} %   rank correlation with long {rank:.2f}")


if __name__ == "__main__":
    main()
