"""Boosted trees and forests of LightGBM, as text."""

from __future__ import annotations

from pathlib import Path

from .. import texts
from ..format import Format, Maker
from ..kit import files, reading
from ..values import HUGE

DATA = Path(__file__).parents[3] / "frontend/data/lightgbm"
RIGHT = (
    "binary", "multi", "ova", "forest", "forest_multi", "missing", "zeros", "stop", "stumps",
    "regression", "categories", "linear",
)  # fmt: skip


def _tree(splits: int, decision: int = 2, feature: str = "0") -> dict[str, str]:
    """A chain of splits, as LightGBM numbers them."""

    def many(of: object) -> str:
        return " ".join([str(of)] * splits)

    return {
        "num_leaves": str(splits + 1), "num_cat": "0", "split_feature": many(feature),
        "split_gain": many(1), "threshold": " ".join(str(i / 7) for i in range(splits)),
        "decision_type": many(decision),
        "left_child": " ".join(str(~i) for i in range(splits)),
        "right_child": " ".join(str(i + 1) for i in range(splits - 1)) + f" {~splits}",
        "leaf_value": " ".join(str(i % 5 - 2) for i in range(splits + 1)), "shrinkage": "1",
    }  # fmt: skip


def _model(*trees: dict[str, str], **fields: str) -> bytes:
    """A model of two classes and two features."""
    head = {
        "version": "v4", "num_class": "1", "num_tree_per_iteration": "1", "label_index": "0",
        "max_feature_idx": "1", "objective": "binary sigmoid:1", "feature_names": "a b",
        "feature_infos": "[0:1] [0:1]", "tree_sizes": " ".join(["100"] * len(trees)), **fields,
    }  # fmt: skip
    lines = ["tree", *(f"{name}={value}" for name, value in head.items()), ""]
    for number, tree in enumerate(trees):
        lines += [f"Tree={number}", *(f"{name}={value}" for name, value in tree.items()), ""]
    return "\n".join([*lines, "end of trees", ""]).encode()


ABSURD: tuple[Maker, ...] = (
    lambda _: _model(_tree(1), max_feature_idx=str(HUGE)),
    lambda _: _model(_tree(1), max_feature_idx="65535", feature_names=" ".join(["f"] * 65_536)),
    lambda _: _model(_tree(1), num_class=str(HUGE)),
    lambda _: _model(*[_tree(1)] * 20_000),
    lambda _: _model(_tree(5_000)),
    lambda _: _model(_tree(200_000)),
    lambda _: _model(_tree(60, decision=6)),
    lambda _: _model(_tree(5_000, decision=6)),
    lambda _: _model(_tree(1, feature=str(2**70))),
    lambda _: _model(_tree(1), objective="binary sigmoid:1e-300"),
    lambda _: _model(_tree(1), objective="x" * 1_000_000),
    lambda _: _model(_tree(1)) + b"\n" * 20_000_000,
    lambda _: _model({**_tree(1), "leaf_value": "1e308 -1e308"}),
    lambda _: _model({**_tree(1), "threshold": "9" * 5_000}),
    lambda _: _model({**_tree(1), "left_child": "0"}),
)
FORMATS = (
    Format(
        "lightgbm", "f.txt", files(*(DATA / f"{name}.txt" for name in RIGHT)), reading("f.txt"),
        texts.TEXT, ABSURD,
    ),
)  # fmt: skip
