"""Boosted trees of xgboost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import codecs
from ..format import Format, Maker
from ..kit import JSON, UBJSON, files, reading
from ..values import DEEP, HUGE

DATA = Path(__file__).parents[3] / "frontend/data"


def stump(feature: int = 0) -> dict[str, object]:
    """Return a tree of one split, as xgboost has it in its files."""
    figures = {
        "base_weights": [0.1, -0.5, 0.5],
        "loss_changes": [1, 0, 0],
        "sum_hessian": [2, 1, 1],
    }
    return {
        **figures, "categories": [], "categories_nodes": [], "categories_segments": [],
        "categories_sizes": [], "default_left": [0, 0, 0], "id": 0, "left_children": [1, -1, -1],
        "parents": [2147483647, 0, 0], "right_children": [2, -1, -1],
        "split_conditions": [0.25, -0.5, 0.5], "split_indices": [feature, 0, 0],
        "split_type": [0, 0, 0],
        "tree_param": {"num_deleted": "0", "num_feature": "4", "num_nodes": "3",
                       "size_leaf_vector": "1"},
    }  # fmt: skip


def xgboost(trees: Sequence[object] = (), **learner: object) -> bytes:
    """Return a model of two classes with other trees."""
    model = json.loads((DATA / "xgboost_binary.json").read_bytes())
    if trees:
        inner = model["learner"]["gradient_booster"]["model"]
        inner["trees"] = list(trees)
        inner["tree_info"] = [0] * len(trees)
        inner["iteration_indptr"] = list(range(len(trees) + 1))
        inner["gbtree_model_param"]["num_trees"] = str(len(trees))
    for key, value in learner.items():
        model["learner"]["learner_model_param"][key] = value
    return json.dumps(model).encode()


def _chain_of_trees(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = stump()
    n = 2 * depth + 1
    tree["left_children"] = [i + 1 if i % 2 == 0 and i < n - 1 else -1 for i in range(n)]
    tree["right_children"] = [i + 2 if i % 2 == 0 and i < n - 1 else -1 for i in range(n)]
    tree["parents"] = [2147483647, *(i - 1 if i % 2 else i - 2 for i in range(1, n))]
    for key in ("base_weights", "loss_changes", "sum_hessian", "default_left", "split_type"):
        tree[key] = [0] * n
    tree["split_conditions"] = [i / n for i in range(n)]
    tree["split_indices"] = [0] * n
    tree["tree_param"]["num_nodes"] = str(n)
    return tree


ABSURD: tuple[Maker, ...] = (
    lambda _: xgboost(num_feature="1000000"),
    lambda _: xgboost(num_feature=str(HUGE)),
    lambda _: xgboost(num_class=str(HUGE)),
    lambda _: xgboost([stump()] * 20_000),
    lambda _: xgboost([_chain_of_trees(5000)]),
    lambda _: xgboost([stump(2**70)]),
    lambda _: xgboost([json.dumps(stump())]),
    lambda _: b"[" * DEEP,
    lambda _: b'{"learner":' * DEEP,
)
ABSURD_UBJSON: tuple[Maker, ...] = tuple(
    lambda _, data=data: data
    for data in (
        b"{L" + (1).to_bytes(8, "big") + b"x" + b"[" * DEEP,
        b"{U\x01x" * DEEP,
        b"{U\x01x[$D#L" + (2**60).to_bytes(8, "big"),
        b"{U\x01x[#L" + (2**60).to_bytes(8, "big") + b"Z" * 1_000_000,
        b"{#L" + (2**60).to_bytes(8, "big") + b"U\x00Z" * 100_000,
        b"{U\x01xS" + b"L" + (2**62).to_bytes(8, "big"),
        b"{U\x01x" + b"N" * 2_000_000,
        codecs.ubjson_bytes(json.loads(xgboost(num_class=str(HUGE)))),
        codecs.ubjson_bytes(json.loads(xgboost([stump()] * 20_000))),
    )
)


JSONS = files(*(DATA / f"xgboost_{name}.json" for name in ("binary", "multi")))
UBJSONS = files(*(DATA / f"xgboost/{name}.ubj" for name in ("logistic", "softprob_stop")))
FORMATS = (
    Format("xgboost", "f.json", JSONS, reading("f.json"), JSON, ABSURD),
    Format("xgboost-ubj", "f.ubj", UBJSONS, reading("f.ubj"), UBJSON, ABSURD_UBJSON),
)
