"""Trees of a LightGBM file against QuantNet.

The importer is not trusted: the text is taken apart by other means, trees are walked node by node
by the rules of the library, in float64, and leaves are rounded once more.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import edge_rows
from nnlogic.checks.rounded_trees import compare_scores, rounded_scores
from nnlogic.checks.verdict import Verdict
from nnlogic.quant.ir import QuantNet

ROWS = 4096
NEAR_ZERO = 1.0000000180025095e-35


def check_lightgbm(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the trees in the file, on rows around their thresholds.

    Parameters
    ----------
    net : QuantNet
    source : Path
        Text that LightGBM saved.
    """
    start = time.monotonic()
    if net.quantizer is None:
        raise ValueError("imported trees have an input quantizer")
    rows = edge_rows(net.quantizer, ROWS)
    text = source.read_text(encoding="utf-8")
    head, *trees = re.split(r"^Tree=\d+\s*$", text.split("\nend of trees")[0], flags=re.MULTILINE)
    scores = int(_field(head, "num_tree_per_iteration")[0])
    walked = (
        (i % scores, _reached(tree), _walk(tree, rows.astype(np.float64)))
        for i, tree in enumerate(trees)
    )
    bits = int(net.info["leaf_bits"])
    sums = rounded_scores(walked, np.zeros(scores), len(rows), bits)
    label = f"LightGBM trees, leaves of {bits} bits"
    return compare_scores(net, rows, sums, True, label).timed(start)


def _field(part: str, name: str) -> list[str]:
    found = re.search(rf"^{name}=(.*)$", part, flags=re.MULTILINE)
    return found[1].split() if found else []


def _numbers(part: str, name: str) -> NDArray[np.float64]:
    return np.array(_field(part, name), dtype=np.float64)


def _walk(tree: str, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    leaf = _numbers(tree, "leaf_value")
    splits = list(_splits(tree))
    out = np.full(len(rows), leaf[0])
    waiting = [(0, np.arange(len(rows)))] if splits else []
    while waiting:
        number, mine = waiting.pop()
        feature, threshold, kind, *children = splits[number]
        left = _goes_left(rows[mine, int(feature)], threshold, int(kind))
        for child, some in zip(children, (mine[left], mine[~left]), strict=True):
            if child >= 0:
                waiting.append((int(child), some))
            else:
                out[some] = leaf[-int(child) - 1]
    return out


def _goes_left(x: NDArray[np.float64], threshold: float, kind: int) -> NDArray[np.bool_]:
    left: NDArray[np.bool_] = x <= threshold
    return np.where(np.abs(x) <= NEAR_ZERO, bool(kind & 2), left) if kind >> 2 == 1 else left


def _reached(tree: str) -> NDArray[np.float64]:
    """Return the leaves that splits lead to: some send all numbers of float32 to one side."""
    leaf, splits = _numbers(tree, "leaf_value"), list(_splits(tree))
    largest = float(np.finfo(np.float32).max)
    found, waiting = [], [0 if splits else -1]
    while waiting:
        number = waiting.pop()
        if number < 0:
            found.append(leaf[-number - 1])
            continue
        _, threshold, kind, *children = splits[number]
        # Between these numbers, and those next to them, nothing changes side.
        ends = np.array([-largest, -NEAR_ZERO, 0.0, NEAR_ZERO, largest, threshold])
        ends = np.clip(ends, -largest, largest).astype(np.float32)
        near = [ends, *(np.nextafter(ends, np.float32(to * largest)) for to in (-1, 1))]
        left = _goes_left(np.concatenate(near).astype(np.float64), threshold, int(kind))
        waiting += [int(c) for c, some in zip(children, (left, ~left), strict=True) if some.any()]
    return np.array(found)


def _splits(tree: str) -> Iterator[tuple[float, ...]]:
    names = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
    return zip(*(_numbers(tree, name).tolist() for name in names), strict=True)


RUNG = of_source("input trees = QuantNet", check_lightgbm, "the trees")
