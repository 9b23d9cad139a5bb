"""Mutations of JSON data with arrays among it: lists, objects, scalars, `numpy` arrays."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import numpy as np

from . import values

Place = tuple[Any, ...]


def mutated(rng: Random, tree: Any) -> tuple[Any, str]:
    """Return a changed copy of a tree, and what changed."""
    tree = copy.deepcopy(tree)
    path = _somewhere(rng, tree)
    if not path:
        return values.value(rng), "all of it"
    at = inside(tree, path[:-1])
    what = _change(rng, tree, at, path[-1])
    return tree, f"{'.'.join(map(str, path))[:80]}: {what}"


def _somewhere(rng: Random, tree: Any) -> Place:
    """Return a path: any leaf, or one near the root or with few siblings."""
    if rng.random() < 0.4:
        return rng.choice(leaves(tree))
    path: Place = ()
    while True:
        here = inside(tree, path)
        if not isinstance(here, (dict, list)) or not here or (path and rng.random() < 0.15):
            return path
        path = (
            *path,
            rng.choice(list(here)) if isinstance(here, dict) else rng.randrange(len(here)),
        )


def leaves(tree: Any) -> list[Place]:
    """Return the places of all that holds nothing else."""
    found: list[Place] = []
    waiting: list[Place] = [()]
    while waiting:
        path = waiting.pop()
        here = inside(tree, path)
        keys = here if isinstance(here, dict) else range(len(here) if isinstance(here, list) else 0)
        waiting += [(*path, key) for key in keys]
        found += [] if keys else [path]
    return found


def inside(tree: Any, path: Place) -> Any:
    """Return what stands in a place."""
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
        at[key] = copy.deepcopy(inside(tree, _somewhere(rng, tree)))
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
