"""Boosted trees of an xgboost file against QuantNet.

The importer is not trusted: of it, only the parser of JSON and UBJSON is used. Trees are walked
node by node as they stand in the file, and the rounds that count and where class 1 begins are
stated anew.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import edge_rows
from nnlogic.checks.rounded_trees import compare_scores, rounded_scores
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.frontend.trees.document import read_document
from nnlogic.quant.ir import QuantNet

ROWS = 4096


def check_trees(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the trees in the file, on rows around their bounds.

    Parameters
    ----------
    net : QuantNet
    source : Path
        xgboost model in JSON or UBJSON.
    """
    start = time.monotonic()
    if net.quantizer is None:
        raise ValueError("imported trees have an input quantizer")
    rows = edge_rows(net.quantizer, ROWS)
    learner = read_document(Path(source))["learner"]
    bits = int(net.info["leaf_bits"])
    scores = _scores(learner, rows, bits, bool(net.info.get("all_rounds")))
    label = f"xgboost trees, leaves of {bits} bits"
    return compare_scores(net, rows, scores, True, label).timed(start)


def _scores(
    learner: Mapping[str, Any], rows: NDArray[np.float32], bits: int, every: bool
) -> IntArray:
    """Return the sums of rounded leaves, shape (rows, classes), or (rows, 1) for two classes."""
    objective = learner["objective"]["name"]
    params = learner["learner_model_param"]
    classes = int(params["num_class"]) if objective.startswith("multi:") else 1
    base = np.array(json.loads(f"[{params['base_score'].strip('[]')}]"), dtype=np.float32)
    if objective == "binary:logistic":
        base = np.log(base.astype(np.float64) / (1 - base.astype(np.float64)))
    if objective == "binary:logitraw":
        base = base - 0.5
    bias = np.broadcast_to(base, (classes,)).astype(np.float64)
    model = learner["gradient_booster"]["model"]
    trees = model["trees"]
    best = learner.get("attributes", {}).get("best_iteration")
    if best is not None and not every:
        together = max(1, int(model.get("gbtree_model_param", {}).get("num_parallel_tree", 1)))
        trees = trees[: (int(best) + 1) * together * classes]
    walked = (
        (output, np.fromiter(_reached(tree), np.float64), _walk(tree, rows))
        for tree, output in zip(trees, model["tree_info"], strict=False)
    )
    return rounded_scores(walked, bias, len(rows), bits)


def _reached(tree: Mapping[str, Any]) -> Iterator[float]:
    nodes = [0]
    while nodes:
        node = nodes.pop()
        left, right = tree["left_children"][node], tree["right_children"][node]
        if left < 0:
            yield float(np.float32(tree["split_conditions"][node]))
        else:
            nodes += [left, right]


def _walk(tree: Mapping[str, Any], rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the leaf value of each row; a row below the bound goes left."""
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    feature = np.array(tree["split_indices"])
    bound = np.array(tree["split_conditions"], dtype=np.float64).astype(np.float32)
    at = np.zeros(len(rows), dtype=np.int64)
    for _ in range(len(left)):
        if np.all(left[at] < 0):
            break
        goes_left = rows[np.arange(len(rows)), feature[at]] < bound[at]
        at = np.where(left[at] < 0, at, np.where(goes_left, left[at], right[at]))
    return bound[at].astype(np.float64)


RUNG = of_source("input trees = QuantNet", check_trees, "the trees")
