"""Mutations of JSON data with arrays among it: lists, objects, scalars, `numpy` arrays."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import numpy as np

from . import values

Path = tuple[Any, ...]


def mutated(rng: Random, tree: Any) -> tuple[Any, str]:
    """Return a changed copy of a tree, and what changed."""
    tree = copy.deepcopy(tree)
    path = _somewhere(rng, tree)
    if not path:
        return values.value(rng), "all of it"
    at = _get(tree, path[:-1])
    what = _change(rng, tree, at, path[-1])
    return tree, f"{'.'.join(map(str, path))[:80]}: {what}"


def _somewhere(rng: Random, tree: Any) -> Path:
    """Return a path: any leaf, or one near the root or with few siblings."""
    if rng.random() < 0.4:
        return rng.choice(_leaves(tree))
    path: Path = ()
    while True:
        here = _get(tree, path)
        if not isinstance(here, (dict, list)) or not here or (path and rng.random() < 0.15):
            return path
        path = (
            *path,
            rng.choice(list(here)) if isinstance(here, dict) else rng.randrange(len(here)),
        )


def _leaves(tree: Any) -> list[Path]:
    leaves: list[Path] = []
    waiting: list[Path] = [()]
    while waiting:
        path = waiting.pop()
        here = _get(tree, path)
        keys = here if isinstance(here, dict) else range(len(here) if isinstance(here, list) else 0)
        waiting += [(*path, key) for key in keys]
        leaves += [] if keys else [path]
    return leaves


def _get(tree: Any, path: Path) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _change(rng: Random, tree: Any, at: Any, key: Any) -> str:
    old = at[key]
    if isinstance(old, np.ndarray) and rng.random() < 0.7:
        at[key], what = values.array(rng, old)
        return what
    how = rng.choice(("value", "value", "near", "near", "delete", "double", "swap", "rename"))
    if how == "delete":
        del at[key]
    elif how == "double" and isinstance(at, list):
        at.insert(key, old)
    elif how == "swap":
        # Deep copies: a tree in itself is no file.
        at[key] = copy.deepcopy(_get(tree, _somewhere(rng, tree)))
    elif how == "rename" and isinstance(at, dict):
        at[rng.choice((f"{key}_", str(key).upper(), "", *map(str, at)))] = old
        if rng.random() < 0.5:
            at.pop(key, None)
    elif how == "near" and not isinstance(old, np.ndarray):
        at[key] = values.near(rng, old)
    else:
        at[key] = values.value(rng)
        how = "value"
    return f"{how} {at[key]!r}"[:80] if how in ("value", "near") else how
