"""Boosted trees of scikit-learn's estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import UnsupportedModel
from nnlogic.frontend.trees.ensemble import LEAF, Cut, Tree, TreeEnsemble
from nnlogic.frontend.trees.order import ordered


def from_sklearn(model: Any, *, name: str = "trees") -> TreeEnsemble:
    """Return the trees of a fitted scikit-learn classifier.

    Parameters
    ----------
    model : GradientBoostingClassifier or HistGradientBoostingClassifier
        Fitted on numeric features; rows are float32 from here on.
    name : str

    Raises
    ------
    UnsupportedModel
        Another kind of model, or splits on categories.
    """
    kind = type(model).__name__
    classes = tuple(str(c) for c in getattr(model, "classes_", ()))
    count = int(getattr(model, "n_features_in_", 0))
    features = tuple(map(str, getattr(model, "feature_names_in_", (f"x{i}" for i in range(count)))))
    if kind == "HistGradientBoostingClassifier" and classes:
        rounds = model._predictors
        base = np.asarray(model._baseline_prediction, dtype=np.float64).ravel()
        trees = [_from_histogram(k, tree.nodes) for row in rounds for k, tree in enumerate(row)]
    elif kind == "GradientBoostingClassifier" and classes:
        zero = np.zeros((1, len(features)), dtype=np.float32)
        base = np.asarray(model._raw_predict_init(zero), dtype=np.float64).ravel()
        trees = [
            _from_gradient(k, tree.tree_, float(model.learning_rate))
            for row in model.estimators_
            for k, tree in enumerate(row)
        ]
    else:
        raise UnsupportedModel(
            "not a fitted boosted-tree classifier",
            where=kind,
            fix="GradientBoostingClassifier or HistGradientBoostingClassifier, after fit",
        )
    # A score of exactly 0 is class 0 for one estimator and class 1 for the other.
    cut = Cut(strict=kind == "HistGradientBoostingClassifier")
    ensemble = TreeEnsemble(name, features, classes, tuple(trees), base, cut=cut)
    ensemble.verify(kind)
    return ensemble


def _above(bound: NDArray) -> NDArray[np.float32]:
    # x > t, for x a float32, is x >= the smallest float32 above t.
    near = bound.astype(np.float32)
    with np.errstate(over="ignore"):
        return np.where(
            near.astype(np.float64) > bound, near, np.nextafter(near, np.float32(np.inf))
        )


def _from_histogram(output: int, nodes: Any) -> Tree:
    if np.any(nodes["is_categorical"]):
        raise UnsupportedModel("splits that are not numeric", why="a split on categories")
    leaf = nodes["is_leaf"].astype(bool)
    return ordered(
        output,
        nodes["feature_idx"],
        _above(np.where(leaf, 0.0, nodes["num_threshold"])),
        np.where(leaf, LEAF, nodes["left"].astype(np.int64)),
        np.where(leaf, LEAF, nodes["right"].astype(np.int64)),
        nodes["value"],
    )


def _from_gradient(output: int, tree: Any, rate: float) -> Tree:
    leaf = tree.children_left == -1
    return ordered(
        output,
        tree.feature,
        _above(np.where(leaf, 0.0, tree.threshold)),
        np.where(leaf, LEAF, tree.children_left),
        np.where(leaf, LEAF, tree.children_right),
        rate * tree.value[:, 0, 0],
    )
