"""Classifiers that xgboost saved, as JSON or UBJSON, with the library's own idea of a prediction.

What counts is `XGBClassifier.predict` of a model that was loaded from the file: the rounds up to
the best one of an early stop, sums in float32 in the order of the trees, beginning with the base
score, and a probability above 0.5. Rows go right from a bound on, in float32. A missing value would
follow the default direction of a split; input rows have none, so it plays no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError, Problem, UnsupportedModel
from nnlogic.core.limits import CLASSES, FEATURES
from nnlogic.frontend.trees.document import (
    BeyondLimit,
    WrongValue,
    count,
    floats,
    get,
    integers,
    read_document,
    within,
)
from nnlogic.frontend.trees.ensemble import LEAF, Cut, Rounds, Tree, TreeEnsemble
from nnlogic.frontend.trees.limits import NODES, TREES
from nnlogic.frontend.trees.order import ordered

HALF = 1.5 * 2.0**-24
"""Largest score whose float32 probability is not above 0.5."""
CUTS = {
    "binary:logistic": Cut(strict=True, slack=HALF),
    "binary:logitraw": Cut(at=0.5, strict=True),
    "binary:hinge": Cut(strict=True),
}
MULTI = ("multi:softmax", "multi:softprob")
BOOSTERS = {
    "gblinear": "a linear model of xgboost, without trees",
    "dart": "a DART model of xgboost, whose trees are weighted by dropout",
}


def read_xgboost(path: Path, *, all_rounds: bool = False) -> TreeEnsemble:
    """Read a classifier that xgboost saved (``save_model("model.json")`` or ``"model.ubj"``).

    Parameters
    ----------
    path : Path
    all_rounds : bool
        Use the rounds after the best one of an early stop as well.

    Raises
    ------
    CheckpointError
        The file is damaged, incomplete, larger than allowed, or not a model.
    UnsupportedModel
        It is no classifier of gradient-boosted trees with numeric splits.
    """
    where = str(path)
    document = read_document(path)
    if "learner" not in document:
        raise CheckpointError(
            "not an xgboost model",
            where=where,
            why=f"no learner among its members: {', '.join(map(repr, list(document)[:6]))}",
            fix='save it with model.save_model("model.json")',
        )
    try:
        _require_classifier(document["learner"], where)
        return _read(document["learner"], path, all_rounds)
    except BeyondLimit as error:
        raise CheckpointError(
            "the xgboost model is larger than allowed", where=where, problems=error.problems
        ) from error
    except WrongValue as error:
        raise CheckpointError(
            "the xgboost model is damaged or incomplete",
            where=where,
            why=str(error),
            fix='save it again with model.save_model("model.json")',
        ) from error


def _require_classifier(learner: Any, where: str) -> None:
    booster = get(learner, "gradient_booster", "name", kind=str)
    objective = get(learner, "objective", "name", kind=str)
    params = get(learner, "learner_model_param", kind=dict)
    kind = f"booster {booster}, objective {objective}"
    fix = f"booster gbtree with one of {', '.join([*CUTS, *MULTI])}"
    what = BOOSTERS.get(booster)
    if what is None and booster != "gbtree":
        what = "an xgboost model of an unknown booster"
    if what is None and objective not in CUTS and objective not in MULTI:
        what = "an xgboost model that is no classifier"
    targets = count(params.get("num_target", 1), "num_target")
    if what is None and targets > 1:
        what, kind = "an xgboost model of several targets", f"{targets} targets"
        fix = "one model per target"
    if what is not None:
        raise UnsupportedModel(what, where=where, why=kind, fix=fix)


def _read(learner: Any, path: Path, all_rounds: bool) -> TreeEnsemble:
    params = get(learner, "learner_model_param", kind=dict)
    objective = get(learner, "objective", "name", kind=str)
    features = count(params.get("num_feature"), "num_feature", FEATURES)
    classes = count(params.get("num_class", 0), "num_class", CLASSES)
    outputs = 1 if objective in CUTS else classes
    model = get(learner, "gradient_booster", "model", kind=dict)
    items = get(model, "trees", kind=list)
    info = integers(model.get("tree_info"), "tree_info")
    if len(info) != len(items):
        raise WrongValue(f"{len(items):,} trees and {len(info):,} entries of tree_info")
    within(TREES, len(items), "trees")
    _require_numeric(items, path)
    rounds, used = _rounds(learner, model, len(items), max(1, outputs), all_rounds)
    trees = list(_trees(items[:used], info))
    ensemble = TreeEnsemble(
        path.stem,
        _names(learner, features),
        tuple(str(i) for i in range(2 if objective in CUTS else classes)),
        tuple(trees),
        _base_score(str(params.get("base_score")), outputs, objective),
        cut=CUTS.get(objective, Cut()),
        single=True,
        link="softmax" if objective == "multi:softprob" else "",
        rounds=rounds,
    )
    ensemble.verify(str(path))
    return ensemble


def _require_numeric(items: list[Any], path: Path) -> None:
    """Refuse trees of other kinds, one line for each kind."""
    found: dict[str, list[int]] = {}
    for i, item in enumerate(items):
        get(item, "left_children", kind=object)
        vector = item.get("tree_param", {})
        if isinstance(vector, Mapping) and str(vector.get("size_leaf_vector", 1)) not in "01":
            found.setdefault("a vector at every leaf (multi_output_tree)", []).append(i)
        split = integers(item.get("split_type", []), "split_type")
        if len(integers(item.get("categories", []), "categories")) or np.any(split):
            found.setdefault("splits on categories", []).append(i)
    problems = [
        Problem(
            f"tree {at[0]}" + (f" and {len(at) - 1} more" if len(at) > 1 else ""),
            what,
            "numeric features, one output per tree",
        )
        for what, at in found.items()
    ]
    if problems:
        raise UnsupportedModel("trees of another kind", where=str(path), problems=problems)


def _trees(items: list[Any], info: NDArray[np.int64]) -> Iterator[Tree]:
    nodes = 0
    for i, (item, output) in enumerate(zip(items, info.tolist(), strict=False)):
        left, right, feature = (
            integers(item.get(name), f"tree {i}: {name}")
            for name in ("left_children", "right_children", "split_indices")
        )
        given = floats(item.get("split_conditions"), f"tree {i}: split_conditions")
        with np.errstate(over="ignore"):
            bound = given.astype(np.float32)
        nodes = within(NODES, nodes + len(left), f"trees 0 to {i}")
        # At leaves the bound is the value.
        value = np.where(left == LEAF, bound, 0.0) if len(left) == len(bound) else bound
        yield ordered(output, feature, bound, left, right, value, f"tree {i}")


def _rounds(
    learner: Mapping[str, Any], model: Mapping[str, Any], trees: int, outputs: int, every: bool
) -> tuple[Rounds, int]:
    """Return the rounds, and how many trees those that count have."""
    held = model.get("iteration_indptr")
    if held is None:
        params = get({"gbtree_model_param": {}, **model}, "gbtree_model_param", kind=dict)
        together = params.get("num_parallel_tree", 1)
        # Files of long ago have a 0 there.
        step = outputs * max(1, count(together, "num_parallel_tree", TREES))
        starts = np.arange(0, trees + step, step)
    else:
        starts = integers(held, "iteration_indptr")
    if not len(starts) or starts[0] != 0 or starts[-1] != trees or np.any(np.diff(starts) < 0):
        raise WrongValue(f"{trees:,} trees do not make whole rounds")
    total, best = len(starts) - 1, None
    attributes = get({"attributes": {}, **learner}, "attributes", kind=dict)
    if "best_iteration" in attributes:
        best = count(attributes["best_iteration"], "best_iteration")
        if best >= total and not every:
            raise WrongValue(
                f"best_iteration is {best} in a model of {total} rounds; read all of them with "
                "--read rounds=all"
            )
    used = total if every or best is None else best + 1
    return Rounds(used, total, best), int(starts[used])


def _base_score(text: str, outputs: int, objective: str) -> NDArray[np.float64]:
    """Return the scores to begin with: one number for all, or since xgboost 3.1 a list."""
    try:
        values = np.array([float(v) for v in text.strip("[] ").split(",")], dtype=np.float64)
    except ValueError:
        raise WrongValue(f"base_score is {text[:40]!r}, not numbers") from None
    if len(values) not in (1, outputs):
        raise WrongValue(f"base_score has {len(values)} numbers for {outputs} scores")
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    if objective == "binary:logistic":
        if not np.all((single > 0) & (single < 1)):
            raise WrongValue(f"base_score is {text[:40]}, not a probability between 0 and 1")
        # As the library computes it: every step in float32.
        odds = np.float32(1) / single - np.float32(1)
        single = -np.log(odds.astype(np.float64)).astype(np.float32)
    return np.broadcast_to(single.astype(np.float64), (outputs,)).copy()


def _names(learner: Mapping[str, Any], features: int) -> tuple[str, ...]:
    given = learner.get("feature_names") or [f"f{i}" for i in range(features)]
    if not isinstance(given, list) or not all(isinstance(n, str) for n in given):
        raise WrongValue("feature_names is no list of texts")
    if len(given) != features:
        raise WrongValue(f"{len(given):,} feature_names for {features:,} features")
    return tuple(given)
