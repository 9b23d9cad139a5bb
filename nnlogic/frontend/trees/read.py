"""Boosted trees from xgboost's JSON files and from scikit-learn's estimators."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError, Problem, UnsupportedModel
from nnlogic.frontend.trees.ensemble import LEAF, Tree, TreeEnsemble
from nnlogic.frontend.trees.net import LEAF_BITS, tree_net
from nnlogic.quant.ir import QuantNet

BINARY = ("binary:logistic", "binary:logitraw")
MULTI = ("multi:softmax", "multi:softprob")


def load_xgboost(path: Path, *, leaf_bits: int = LEAF_BITS) -> QuantNet:
    """Return the network of an xgboost model file, see `read_xgboost` and `tree_net`."""
    return tree_net(read_xgboost(path), leaves=leaf_bits)


def read_xgboost(path: Path) -> TreeEnsemble:
    """Read a classifier that xgboost saved as JSON (``save_model("model.json")``).

    All its trees count, also those after the best round of an early stop. Rows go right from a
    bound on, in float32; missing values are refused when rows are read.

    Raises
    ------
    CheckpointError
        The file is damaged, or not a model.
    UnsupportedModel
        It is no classifier of gradient-boosted trees with numeric splits.
    """
    where = str(path)
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
        learner = model["learner"]
        objective = learner["objective"]["name"]
        booster = learner["gradient_booster"]
        kind = booster["name"]
        params = learner["learner_model_param"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            "not an xgboost model in JSON",
            where=where,
            why=repr(error),
            fix='save it with model.save_model("model.json")',
        ) from error
    if kind != "gbtree" or objective not in BINARY + MULTI:
        raise UnsupportedModel(
            "an xgboost model that is no tree classifier",
            where=where,
            why=f"booster {kind}, objective {objective}",
            fix=f"booster gbtree with one of {', '.join(BINARY + MULTI)}",
        )
    try:
        trees, problems = _xgboost_trees(booster["model"])
        features = _names(learner.get("feature_names"), int(params["num_feature"]), "f")
        outputs = 1 if objective in BINARY else int(params["num_class"])
        base = _base_score(str(params["base_score"]), outputs, objective)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise CheckpointError(
            "xgboost model is incomplete", where=where, why=repr(error)
        ) from error
    if problems:
        raise UnsupportedModel("splits that are not numeric", where=where, problems=problems)
    classes = tuple(str(i) for i in range(max(2, outputs)))
    ensemble = TreeEnsemble(path.stem, features, classes, tuple(trees), base)
    ensemble.verify(where)
    return ensemble


def _xgboost_trees(model: Mapping[str, Any]) -> tuple[list[Tree], list[Problem]]:
    trees, problems = [], []
    for i, (item, output) in enumerate(zip(model["trees"], model["tree_info"], strict=True)):
        if any(item.get("split_type", [])) or item.get("categories"):
            problems.append(Problem(f"tree {i}", "splits on categories"))
            continue
        left = np.array(item["left_children"], dtype=np.int64)
        bound = np.array(item["split_conditions"], dtype=np.float64).astype(np.float32)
        trees.append(
            _ordered(
                int(output),
                np.array(item["split_indices"], dtype=np.int64),
                bound,
                left,
                np.array(item["right_children"], dtype=np.int64),
                # At leaves the bound is the value.
                np.where(left == LEAF, bound.astype(np.float64), 0.0),
            )
        )
    return trees, problems


def _base_score(text: str, outputs: int, objective: str) -> NDArray[np.float64]:
    # One number, or since xgboost 3.1 a bracketed list; of a logistic model a probability.
    values = np.array([float(v) for v in text.strip("[]").split(",")], dtype=np.float64)
    if objective == "binary:logistic":
        values = np.log(values / (1 - values))
    return np.broadcast_to(values, (outputs,)).copy()


def _ordered(
    output: int,
    feature: NDArray,
    bound: NDArray,
    left: NDArray,
    right: NDArray,
    value: NDArray,
) -> Tree:
    """Return a tree with its nodes in depth-first order, unreached ones left out."""
    order, stack = [], [0]
    while stack:
        node = stack.pop()
        order.append(node)
        if len(order) > len(left):
            raise ValueError("a tree that runs in circles")
        if left[node] != LEAF:
            stack += [int(right[node]), int(left[node])]
    place = np.full(len(left) + 1, LEAF)
    place[order] = np.arange(len(order))
    return Tree(
        output,
        feature[order].astype(np.int64),
        bound[order].astype(np.float32),
        place[left[order]],
        place[right[order]],
        value[order].astype(np.float64),
    )


def _names(given: Sequence[str] | None, count: int, letter: str) -> tuple[str, ...]:
    if given is not None and len(given) == count:
        return tuple(str(n) for n in given)
    return tuple(f"{letter}{i}" for i in range(count))


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
    features = _names(
        getattr(model, "feature_names_in_", None), int(getattr(model, "n_features_in_", 0)), "x"
    )
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
    ensemble = TreeEnsemble(name, features, classes, tuple(trees), base)
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
    return _ordered(
        output,
        nodes["feature_idx"],
        _above(np.where(leaf, 0.0, nodes["num_threshold"])),
        np.where(leaf, LEAF, nodes["left"].astype(np.int64)),
        np.where(leaf, LEAF, nodes["right"].astype(np.int64)),
        nodes["value"],
    )


def _from_gradient(output: int, tree: Any, rate: float) -> Tree:
    leaf = tree.children_left == -1
    return _ordered(
        output,
        tree.feature,
        _above(np.where(leaf, 0.0, tree.threshold)),
        np.where(leaf, LEAF, tree.children_left),
        np.where(leaf, LEAF, tree.children_right),
        rate * tree.value[:, 0, 0],
    )
