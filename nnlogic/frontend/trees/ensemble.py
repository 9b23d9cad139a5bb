"""Boosted decision trees, and their leaves rounded to a few bits.

Leaf values are rounded to a few bits after TreeLUT (Khataei and Bazargan, FPGA 2025): the smallest
leaf of every tree moves into the bias of its class, all trees share one scale, and the widest tree
fills the bits.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import Problem, UnsupportedModel, UsageError
from nnlogic.core.formats import IntArray

LEAF = -1
MOST_LEAF_BITS = 6
MOST_STEPS = 1 << 31
"""Size of a score in steps of its leaves."""


@dataclass(frozen=True)
class Cut:
    """Where class 1 begins, when one score decides between two classes.

    Attributes
    ----------
    at : float
        The score from which on a row is of class 1.
    strict : bool
        The score `at` itself is of class 0.
    slack : float
        Float scores up to ``at + slack`` are of class 0 as well, since the library compares what it
        made of them, in float32. Rounded scores are far coarser.
    """

    at: float = 0.0
    strict: bool = False
    slack: float = 0.0

    def decide(self, scores: NDArray) -> NDArray[np.bool_]:
        """Return where float scores mean class 1."""
        return scores > self.at + self.slack if self.strict else scores >= self.at


@dataclass(frozen=True)
class Rounds:
    """How many rounds of boosting count, of how many a file holds.

    Attributes
    ----------
    used, held : int
    best : int or None
        The round that early stopping found best, from 0.
    """

    used: int
    held: int
    best: int | None = None

    def __str__(self) -> str:
        if self.used < self.held:
            return f"{self.used} of {self.held}, up to the best_iteration of early stopping"
        if self.best is not None and self.best + 1 < self.used:
            return f"all {self.held}, also those after best_iteration {self.best}"
        return f"all {self.held}"


@dataclass(frozen=True, eq=False)
class Tree:
    """A binary tree of one output; a row goes right at a node when its feature is >= the bound.

    Attributes
    ----------
    output : int
        The class score it adds to.
    feature : int64 array, shape (nodes,)
    bound : float32 array, shape (nodes,)
    left, right : int64 arrays, shape (nodes,)
        Children, behind their parent; `LEAF` at leaves.
    value : float64 array, shape (nodes,)
        Used at leaves.
    """

    output: int
    feature: IntArray
    bound: NDArray[np.float32]
    left: IntArray
    right: IntArray
    value: NDArray[np.float64]

    @property
    def leaves(self) -> NDArray[np.bool_]:
        """Which nodes are leaves."""
        return self.left == LEAF

    def arrive(self, rows: NDArray) -> IntArray:
        """Return the leaf each float32 row falls into, shape (samples,)."""
        at = np.zeros(len(rows), dtype=np.int64)
        waiting = np.flatnonzero(~self.leaves[at])
        while waiting.size:
            node = at[waiting]
            right = rows[waiting, self.feature[node]] >= self.bound[node]
            at[waiting] = np.where(right, self.right[node], self.left[node])
            waiting = waiting[~self.leaves[at[waiting]]]
        return at

    def problems(self, features: int, outputs: int) -> list[str]:
        """Return what breaks the rules of a tree."""
        n = len(self.feature)
        inner = np.flatnonzero(~self.leaves)
        out = []
        if not 0 <= self.output < outputs:
            out.append(f"adds to score {self.output} of {outputs}")
        if np.any((self.right == LEAF) != self.leaves):
            out.append("a node with one child")
        children = np.concatenate([self.left[inner], self.right[inner]])
        if np.any(children <= np.tile(inner, 2)) or np.any(children >= n):
            out.append("a child that does not lie behind its parent")
        elif len(np.unique(children)) != len(children):
            out.append("a node with two parents")
        if np.any(self.feature[inner] < 0) or np.any(self.feature[inner] >= features):
            out.append(f"splits on a feature beyond the {features} there are")
        if not np.isfinite(self.bound[inner]).all() or not np.isfinite(self.value).all():
            out.append("a bound or a leaf is NaN or infinite")
        return out


@dataclass(frozen=True, eq=False)
class TreeEnsemble:
    """A sum of trees per class, or one sum whose sign decides between two classes.

    Attributes
    ----------
    name : str
    features, classes : tuple of str
    trees : tuple of Tree
    base : float64 array, shape (scores,)
        Starting values. One score decides between two classes, several are compared.
    cut : Cut
        Of one score.
    single : bool
        The library adds in float32, in the order of the trees, which `scores` then does as well.
    link : str
        ``"softmax"`` or ``"sigmoid"`` where the library compares probabilities, in the precision
        of its scores: close scores may be equal there. Empty where it compares scores.
    averaged : int
        The library divides scores by this number of trees before it compares them.
    rounds : Rounds or None
        Of boosting, where the file tells.
    """

    name: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    trees: tuple[Tree, ...]
    base: NDArray[np.float64]
    cut: Cut = Cut()
    single: bool = False
    link: str = ""
    averaged: int = 1
    rounds: Rounds | None = None

    def verify(self, where: str = "") -> None:
        """Raise UnsupportedModel, with all problems, when the trees make no classifier."""
        problems = [
            Problem(f"tree {i}", why)
            for i, tree in enumerate(self.trees)
            for why in tree.problems(len(self.features), len(self.base))
        ]
        if not self.trees:
            problems.append(Problem("trees", "there are none"))
        if not np.isfinite(self.base).all():
            problems.append(Problem("base score", "NaN or infinite"))
        scores, classes = len(self.base), len(self.classes)
        if classes < 2 or scores not in ((1, 2) if classes == 2 else (classes,)):
            problems.append(Problem("classes", f"{scores} scores for {classes} classes"))
        for name, times in Counter(self.features).items():
            if times > 1:
                problems.append(Problem("features", f"{times} are called {name!r}"))
        if problems:
            raise UnsupportedModel("trees make no classifier", where=where, problems=problems)

    def scores(self, rows: NDArray) -> NDArray[np.floating]:
        """Return the float scores, shape (samples, scores), as the library adds them."""
        rows = np.asarray(rows, dtype=np.float32)
        kind = np.float32 if self.single else np.float64
        out = np.tile(self.base.astype(kind), (len(rows), 1))
        for tree in self.trees:
            out[:, tree.output] += tree.value.astype(kind)[tree.arrive(rows)]
        return out

    def predict(self, rows: NDArray) -> IntArray:
        """Return the class of each row as the library does, by float scores; shape (samples,)."""
        scores = self.scores(rows) / self.averaged
        if scores.shape[1] == 1:
            return self.cut.decide(scores[:, 0].astype(np.float64)).astype(np.int64)
        if self.link == "softmax":
            below = (scores - scores.max(axis=1, keepdims=True)).astype(np.float64)
            parts = np.exp(below).astype(scores.dtype)
            scores = parts / parts.sum(axis=1, keepdims=True)
        elif self.link == "sigmoid":
            with np.errstate(over="ignore"):
                scores = 1 / (1 + np.exp(-scores))
        return np.argmax(scores, axis=1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Leaves:
    """Rounded leaves.

    Attributes
    ----------
    values : tuple of int64 arrays
        Per tree and node, 0 to ``2 ** bits - 1``; used at leaves.
    bias : int64 array, shape (scores,)
    step : float
        What one integer step stands for.
    """

    values: tuple[IntArray, ...]
    bias: IntArray
    step: float

    def scores(self, ensemble: TreeEnsemble, rows: NDArray) -> IntArray:
        """Return the integer scores by walking the trees, shape (samples, scores)."""
        rows = np.asarray(rows, dtype=np.float32)
        out = np.tile(self.bias, (len(rows), 1))
        for tree, values in zip(ensemble.trees, self.values, strict=True):
            out[:, tree.output] += values[tree.arrive(rows)]
        return out


def decide(scores: IntArray, cut: Cut = Cut()) -> IntArray:
    """Return the winning class by rounded scores; of one, the cut is in the bias already."""
    if scores.shape[1] == 1:
        return (scores[:, 0] >= int(cut.strict)).astype(np.int64)
    return np.argmax(scores, axis=1).astype(np.int64)


def quantize_leaves(ensemble: TreeEnsemble, bits: int) -> Leaves:
    """Round the leaves to `bits` bits, see the module.

    Raises
    ------
    UsageError
        `bits` is not 1 to `MOST_LEAF_BITS`.
    UnsupportedModel
        Scores are too large to be counted in steps of the leaves.
    """
    if not 1 <= bits <= MOST_LEAF_BITS:
        raise UsageError("leaf bits out of range", why=f"{bits}, allowed 1 to {MOST_LEAF_BITS}")
    lows = [float(t.value[t.leaves].min()) for t in ensemble.trees]
    spans = [
        float(t.value[t.leaves].max()) - low for t, low in zip(ensemble.trees, lows, strict=True)
    ]
    step = max(spans) / ((1 << bits) - 1) or 1.0
    base = ensemble.base.astype(np.float64).copy()
    if len(base) == 1:
        base -= ensemble.cut.at
    if not np.isfinite(step):
        why = f"leaves differ by {max(spans):g} at most"
        raise UnsupportedModel("scores too large for rounded leaves", where=ensemble.name, why=why)
    values = []
    for tree, low in zip(ensemble.trees, lows, strict=True):
        base[tree.output] += low
        codes = np.zeros(len(tree.value), np.int64)
        codes[tree.leaves] = np.rint((tree.value[tree.leaves] - low) / step)
        values.append(codes)
    largest = float(np.abs(base).max())
    if not largest / MOST_STEPS < step:
        raise UnsupportedModel(
            "scores too large for rounded leaves",
            where=ensemble.name,
            why=f"they begin at {largest:g}, and leaves differ by {max(spans):g} at most",
        )
    return Leaves(tuple(values), np.rint(base / step).astype(np.int64), step)
