"""Classifiers in the JSON of conifer, as its Python backend evaluates them.

A row goes left where a value is below the threshold, or at most the threshold, as the file's
splitting convention says, in float64. Scores are ``(sum + init_predict) * norm``. One score decides
between two classes at 0; 0 itself is class 1 for scikit-learn, and class 0 for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError, Problem, UnsupportedModel
from nnlogic.core.limits import CLASSES, FEATURES
from nnlogic.frontend.trees.document import (
    BeyondLimit,
    WrongValue,
    floats,
    get,
    integers,
    read_document,
    within,
)
from nnlogic.frontend.trees.ensemble import LEAF, Cut, Tree, TreeEnsemble
from nnlogic.frontend.trees.limits import NODES, TREES
from nnlogic.frontend.trees.order import above, ordered

CONVENTIONS = ("<", "<=")
NO_FEATURE = -2
"""Feature of a leaf."""


def read_conifer(path: Path) -> TreeEnsemble:
    """Read a classifier that conifer saved (``model.save("model.json")``).

    Raises
    ------
    CheckpointError
        The file is damaged, incomplete, larger than allowed, or not a model.
    UnsupportedModel
        It is no classifier of trees that split on one feature at a time.
    """
    where = str(path)
    document = read_document(path)
    try:
        return _read(path, document)
    except BeyondLimit as error:
        raise CheckpointError(
            "the conifer model is larger than allowed", where=where, problems=error.problems
        ) from error
    except WrongValue as error:
        raise CheckpointError(
            "the conifer model is damaged or incomplete",
            where=where,
            why=str(error),
            fix="convert the model again, and save it with model.save()",
        ) from error


def _read(path: Path, document: Mapping[str, Any]) -> TreeEnsemble:
    features = _positive(document, "n_features")
    classes = _positive(document, "n_classes")
    within(FEATURES, features, "n_features")
    within(CLASSES, classes, "n_classes")
    convention = get(document, "splitting_convention", kind=str)
    if convention not in CONVENTIONS:
        raise WrongValue(f"splitting_convention is {convention[:20]!r}, not < or <=")
    rounds = get(document, "trees", kind=list)
    if len(rounds) != _positive(document, "n_trees"):
        raise WrongValue(f"n_trees is {document['n_trees']}, there are {len(rounds):,}")
    scores = 1 if classes == 2 else classes
    base = floats(document.get("init_predict"), "init_predict")
    norm = floats([document.get("norm")], "norm")
    if classes < 2:
        raise UnsupportedModel(
            "a conifer model that is no classifier", where=str(path), why="it has one class"
        )
    if len(base) != scores or any(isinstance(r, list) and len(r) != scores for r in rounds):
        _require_shares(path, rounds, base, classes)
        raise WrongValue(f"{scores} scores, but init_predict has {len(base)}, or rounds differ")
    if not np.isfinite(norm).all() or norm[0] <= 0:
        raise WrongValue(f"norm is {norm[0]}, not above 0")
    within(TREES, len(rounds) * scores, "trees")
    nodes, trees = 0, []
    oblique: list[Problem] = []
    for number, group in enumerate(rounds):
        if not isinstance(group, list):
            raise WrongValue(f"trees[{number}] is no list")
        for output, item in enumerate(group):
            name = f"tree {number}_{output}"
            trees.append(_tree(item, output, features, convention, norm[0], name, oblique))
            nodes = within(NODES, nodes + len(trees[-1].left), f"trees to {name}")
    if oblique:
        raise UnsupportedModel(
            "splits on several features at once", where=str(path), problems=oblique
        )
    ensemble = TreeEnsemble(
        path.stem,
        _names(document, features),
        tuple(str(i) for i in range(classes)),
        tuple(trees),
        base * norm[0],
        cut=Cut(strict=document.get("library") != "sklearn"),
    )
    ensemble.verify(str(path))
    return ensemble


def _require_shares(path: Path, rounds: list[Any], base: NDArray, classes: int) -> None:
    """Refuse random forests, of which conifer keeps a part."""
    if len(base) == classes and all(isinstance(r, list) and len(r) == 1 for r in rounds):
        raise UnsupportedModel(
            "a random forest of conifer",
            where=str(path),
            why=f"it keeps the share of one of the {classes} classes at every leaf",
            fix="where the forest is: nnlogic.frontend.trees.sklearn.from_sklearn",
        )


def _positive(document: Mapping[str, Any], name: str) -> int:
    found = get(document, name, kind=int)
    if found < 1:
        raise WrongValue(f"{name} is {found}")
    return found


def _tree(
    item: Any,
    output: int,
    features: int,
    convention: str,
    norm: float,
    name: str,
    oblique: list[Problem],
) -> Tree:
    feature, left, right = (
        integers(get(item, part, kind=list), f"{name}: {part}")
        for part in ("feature", "children_left", "children_right")
    )
    threshold = floats(get(item, "threshold", kind=list), f"{name}: threshold")
    value = floats(get(item, "value", kind=list), f"{name}: value")
    lengths = {len(part) for part in (feature, left, right, threshold, value)}
    if len(lengths) > 1:
        raise WrongValue(f"{name}: arrays of {sorted(lengths)} nodes")
    leaf = feature == NO_FEATURE
    if np.any(np.isnan(threshold)) or np.any((left == LEAF) != leaf):
        raise WrongValue(f"{name}: a threshold is NaN, or a leaf has children")
    weights = item.get("weight")
    if weights is not None:
        _require_plain(weights, feature, features, name, oblique)
    if convention == "<":
        # The smallest float32 from t on.
        threshold = np.nextafter(threshold, -np.inf)
    bound = above(np.where(leaf, 0.0, threshold))
    return ordered(output, feature, bound, left, right, value * norm, name)


def _require_plain(
    weights: Any, feature: NDArray[np.int64], features: int, name: str, oblique: list[Problem]
) -> None:
    if not isinstance(weights, list) or len(weights) != len(feature):
        raise WrongValue(f"{name}: weight is no list of a row per node")
    for node, (row, at) in enumerate(zip(weights, feature.tolist(), strict=True)):
        found = floats(row, f"{name}: weight")
        if len(found) != features:
            raise WrongValue(f"{name}: a weight row of {len(found)} for {features} features")
        if at != NO_FEATURE and (np.flatnonzero(found).tolist() != [at] or found[at] != 1):
            oblique.append(Problem(name, f"node {node}", "one feature per split"))
            return


def _names(document: Mapping[str, Any], features: int) -> tuple[str, ...]:
    given = document.get("feature_map", {f"feat_{i}": i for i in range(features)})
    if not isinstance(given, dict) or sorted(map(str, given.values())) != sorted(
        map(str, range(features))
    ):
        raise WrongValue("feature_map does not number the features")
    return tuple(sorted(given, key=lambda name: int(given[name])))
