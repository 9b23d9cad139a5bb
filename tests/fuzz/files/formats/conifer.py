"""Boosted trees in the JSON of conifer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..format import Format, Maker
from ..kit import JSON, files, reading
from ..values import DEEP, HUGE

DATA = Path(__file__).parents[3] / "frontend/data/conifer"


def _stump(feature: int = 0) -> dict[str, list[Any]]:
    return {
        "feature": [feature, -2, -2], "threshold": [0.25, -2.0, -2.0], "value": [0.0, -1.0, 1.0],
        "children_left": [1, -1, -1], "children_right": [2, -1, -1],
    }  # fmt: skip


def _chain(depth: int) -> dict[str, list[Any]]:
    """A tree whose right children are splits down to a depth."""
    n = 2 * depth + 1
    inner = [i % 2 == 0 and i < n - 1 for i in range(n)]
    return {
        "feature": [0 if split else -2 for split in inner],
        "threshold": [i / n if split else -2.0 for i, split in enumerate(inner)],
        "value": [0.0 if split else float(i % 3) for i, split in enumerate(inner)],
        "children_left": [i + 1 if split else -1 for i, split in enumerate(inner)],
        "children_right": [i + 2 if split else -1 for i, split in enumerate(inner)],
    }


def _model(*trees: Any, **fields: Any) -> bytes:
    """A model of two classes and two features."""
    document = {
        "n_classes": 2, "n_features": 2, "n_trees": len(trees), "max_depth": 3,
        "init_predict": [0.0], "norm": 1.0, "library": "xgboost", "splitting_convention": "<",
        "trees": [[tree] for tree in trees], **fields,
    }  # fmt: skip
    return json.dumps(document).encode()


ABSURD: tuple[Maker, ...] = (
    lambda _: _model(_stump(), n_features=HUGE),
    lambda _: _model(_stump(), n_classes=HUGE),
    lambda _: _model(_stump(), n_trees=HUGE),
    lambda _: _model(_stump(), n_features=65_536),
    lambda _: _model(_stump(), n_classes=4_096, init_predict=[0.0] * 4_096),
    lambda _: _model(*[_stump()] * 20_000),
    lambda _: _model(_chain(5_000)),
    lambda _: _model(_chain(200_000)),
    lambda _: _model(_stump(2**70)),
    lambda _: _model(_stump(), norm=1e300),
    lambda _: _model(_stump(), feature_map={"a": "0", "b": 1}),
    lambda _: _model(_stump(), feature_map={"a": "\u0660", "b": 1}),
    lambda _: _model({**_stump(), "weight": [[1.0] * 200_000] * 3}),
    lambda _: _model(json.dumps(_stump())),
    lambda _: _model(_stump()) + b" " * 20_000_000,
    lambda _: _model(_stump())[:-2] + b', "x": ' + b"[" * DEEP,
)
FORMATS = (
    Format(
        "conifer", "f.json",
        files(*(DATA / f"{name}.json" for name in ("binary", "multi", "tmva", "forest"))),
        reading("f.json"), JSON, ABSURD,
    ),
)  # fmt: skip
