"""Boosted trees with integer leaves, grown so that later trees repair the rounding of earlier ones.

Every round fits trees to the gradients at the *integer* scores, then rounds their leaves to a grid
that the first round fixes. TreeLUT rounds once at the end; growing on the rounded scores loses
less, which makes the peer stronger.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from nnlogic.frontend.trees.ensemble import LEAF, Leaves, Tree, TreeEnsemble, decide
from nnlogic.frontend.trees.xgboost import read_xgboost


@dataclass(frozen=True)
class Shape:
    """Size of an ensemble.

    Attributes
    ----------
    depth : int
        Of every tree.
    leaf_bits : int
        A leaf is an integer of so many bits, signed.
    rate : float
        Learning rate.
    """

    depth: int
    leaf_bits: int
    rate: float


def grow(
    codes: NDArray[np.float32],
    labels: NDArray[np.int64],
    features: tuple[str, ...],
    classes: tuple[str, ...],
    shape: Shape,
    rounds: int,
) -> Iterator[tuple[TreeEnsemble, Leaves]]:
    """Yield the ensemble after each round.

    Parameters
    ----------
    codes : float32 array, shape (rows, features)
        Training rows as input codes.
    """
    scores = 1 if len(classes) == 2 else len(classes)
    objective = "binary:logistic" if scores == 1 else "multi:softprob"
    params = {
        "objective": objective,
        "max_depth": shape.depth,
        "eta": shape.rate,
        "nthread": 1,
        "tree_method": "hist",
        "base_score": 0.5 if scores == 1 else 0.0,
        "seed": 0,
    }
    if scores > 1:
        params["num_class"] = scores
    rows = xgb.DMatrix(codes, label=labels)
    total = np.zeros((len(codes), scores), dtype=np.int64)
    trees: list[Tree] = []
    values: list[NDArray[np.int64]] = []
    bias = np.zeros(scores, dtype=np.int64)
    step = 0.0
    top = (1 << (shape.leaf_bits - 1)) - 1
    for _ in range(rounds):
        rows.set_base_margin(total * step if step else np.zeros(total.shape))
        booster = xgb.train(params, rows, 1)
        fresh = _trees(booster)
        if not step:
            largest = max(float(np.abs(t.value[t.leaves]).max()) for t in fresh)
            step = largest / (top + 0.5)
        for tree in fresh:
            leaf = np.clip(np.rint(tree.value / step), -top - 1, top).astype(np.int64)
            total[:, tree.output] += leaf[tree.arrive(codes)]
            low = int(leaf[tree.leaves].min())
            bias[tree.output] += low
            trees.append(tree)
            values.append(np.where(tree.left == LEAF, leaf - low, 0))
        ensemble = TreeEnsemble("trees", features, classes, tuple(trees), np.zeros(scores))
        yield ensemble, Leaves(tuple(values), bias.copy(), step)


def _trees(booster: xgb.Booster) -> tuple[Tree, ...]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        booster.save_model(path)
        return read_xgboost(path).trees


def accuracy(
    ensemble: TreeEnsemble, leaves: Leaves, codes: NDArray[np.float32], labels: NDArray[np.int64]
) -> float:
    """Return the share of rows whose integer scores decide right."""
    return float(np.mean(decide(leaves.scores(ensemble, codes)) == labels))
