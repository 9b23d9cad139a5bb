"""Trees in the JSON of conifer against QuantNet.

The importer is not trusted: the file is read again, trees are walked as conifer's own Python
backend does, and leaves are rounded once more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import edge_rows
from nnlogic.checks.rounded_trees import compare_scores, rounded_scores
from nnlogic.checks.verdict import Verdict
from nnlogic.quant.ir import QuantNet

ROWS = 4096


def check_conifer(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the trees in the file, on rows around their thresholds.

    Parameters
    ----------
    net : QuantNet
    source : Path
        JSON that conifer saved.
    """
    start = time.monotonic()
    if net.quantizer is None:
        raise ValueError("imported trees have an input quantizer")
    rows = edge_rows(net.quantizer, ROWS)
    model = json.loads(source.read_text(encoding="utf-8-sig"))
    strict, norm = model["splitting_convention"] == "<", float(model["norm"])
    walked = (
        (output, _leaves(tree) * norm, _walk(tree, rows.astype(np.float64), strict) * norm)
        for group in model["trees"]
        for output, tree in enumerate(group)
    )
    base = np.array(model["init_predict"], dtype=np.float64) * norm
    bits = int(net.info["leaf_bits"])
    sums = rounded_scores(walked, base, len(rows), bits)
    label = f"conifer trees, leaves of {bits} bits"
    return compare_scores(net, rows, sums, model.get("library") != "sklearn", label).timed(start)


def _leaves(tree: Mapping[str, Any]) -> NDArray[np.float64]:
    value, left, right = (tree[k] for k in ("value", "children_left", "children_right"))
    found, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        if tree["feature"][node] == -2:
            found.append(value[node])
        else:
            waiting += [left[node], right[node]]
    return np.array(found, dtype=np.float64)


def _walk(tree: Mapping[str, Any], rows: NDArray[np.float64], strict: bool) -> NDArray[np.float64]:
    out = np.zeros(len(rows))
    waiting = [(0, np.arange(len(rows)))]
    while waiting:
        node, mine = waiting.pop()
        feature, bound = tree["feature"][node], tree["threshold"][node]
        if feature == -2:
            out[mine] = tree["value"][node]
            continue
        x = rows[mine, feature]
        left = x < bound if strict else x <= bound
        waiting.append((tree["children_left"][node], mine[left]))
        waiting.append((tree["children_right"][node], mine[~left]))
    return out


RUNG = of_source("input trees = QuantNet", check_conifer, "the trees")
