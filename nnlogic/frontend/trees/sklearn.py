"""Trees of scikit-learn's classifiers: boosted, and averaged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnlogic.core.errors import UnsupportedModel
from nnlogic.frontend.trees.ensemble import LEAF, Cut, Tree, TreeEnsemble
from nnlogic.frontend.trees.order import above, ordered

AVERAGED = ("RandomForestClassifier", "ExtraTreesClassifier")


def from_sklearn(model: Any, *, name: str = "trees") -> TreeEnsemble:
    """Return the trees of a fitted scikit-learn classifier.

    Parameters
    ----------
    model : classifier
        GradientBoosting, HistGradientBoosting, RandomForest, ExtraTrees or DecisionTree, fitted on
        numeric features; rows are float32 from here on.
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
        if not isinstance(model.init_, str) and type(model.init_).__name__ != "DummyClassifier":
            raise UnsupportedModel(
                "boosting that begins with another model",
                where=kind,
                why=f"init={type(model.init_).__name__}, whose scores differ from row to row",
                fix="init=None or init='zero'",
            )
        zero = np.zeros((1, len(features)), dtype=np.float32)
        base = np.asarray(model._raw_predict_init(zero), dtype=np.float64).ravel()
        trees = [
            _from_gradient(k, tree.tree_, float(model.learning_rate))
            for row in model.estimators_
            for k, tree in enumerate(row)
        ]
    elif kind in (*AVERAGED, "DecisionTreeClassifier") and classes:
        if getattr(model, "n_outputs_", 1) != 1:
            raise UnsupportedModel(
                "trees of several targets", where=kind, fix="one model per target"
            )
        base = np.zeros(len(classes))
        grown = [model] if kind == "DecisionTreeClassifier" else model.estimators_
        trees = [tree for one in grown for tree in _from_average(one.tree_)]
    else:
        raise UnsupportedModel(
            "not a fitted classifier of trees",
            where=kind,
            fix="GradientBoosting, HistGradientBoosting, RandomForest, ExtraTrees or "
            "DecisionTreeClassifier, after fit",
        )
    # A score of exactly 0 is class 0 for one estimator and class 1 for the other.
    cut = Cut(strict=kind == "HistGradientBoostingClassifier")
    ensemble = TreeEnsemble(name, features, classes, tuple(trees), base, cut=cut)
    ensemble.verify(kind)
    return ensemble


def _from_histogram(output: int, nodes: Any) -> Tree:
    if np.any(nodes["is_categorical"]):
        raise UnsupportedModel("splits that are not numeric", why="a split on categories")
    leaf = nodes["is_leaf"].astype(bool)
    bound = above(np.where(leaf, 0.0, nodes["num_threshold"]))
    left, right = (np.where(leaf, LEAF, nodes[side].astype(np.int64)) for side in ("left", "right"))
    # A split of missing values from all others has an infinite threshold: no number goes right.
    onward = np.arange(len(nodes))
    for node in reversed(np.flatnonzero(np.isposinf(bound))):
        onward[node] = onward[left[node]]
    left, right = (np.where(leaf, LEAF, onward[side]) for side in (left, right))
    parts: tuple[Any, ...] = (nodes["feature_idx"], bound, left, right, nodes["value"])
    if onward[0]:
        parts = tuple(np.concatenate([part[onward[:1]], part[1:]]) for part in parts)
    return ordered(output, *parts)


def _from_gradient(output: int, tree: Any, rate: float) -> Tree:
    leaf = tree.children_left == -1
    return ordered(
        output,
        tree.feature,
        above(np.where(leaf, 0.0, tree.threshold)),
        np.where(leaf, LEAF, tree.children_left),
        np.where(leaf, LEAF, tree.children_right),
        rate * tree.value[:, 0, 0],
    )


def _from_average(tree: Any) -> Iterator[Tree]:
    # The mean decides, and the sum decides the same. A leaf has a share of rows for every class.
    leaf = tree.children_left == -1
    shares = tree.value[:, 0, :] / tree.value[:, 0, :].sum(axis=1, keepdims=True)
    for output in range(shares.shape[1]):
        yield ordered(
            output,
            tree.feature,
            above(np.where(leaf, 0.0, tree.threshold)),
            np.where(leaf, LEAF, tree.children_left),
            np.where(leaf, LEAF, tree.children_right),
            shares[:, output],
        )
