"""Figures of the compiled logic of a network, predicted from its tables in a fraction of a second.

What is measured of the tables (`features`) gives rough guesses; boosted trees correct them. They
learned from small networks of all families (``python -m benchmarks.surrogate``), at effort fast,
and stand in ``surrogate.npz`` with how many these were, and the errors on networks that took no
part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.predict.whole.features import NAMES, features
from nnlogic.predict.whole.trees import PARTS, Trees
from nnlogic.tables.ir import TableNet

TARGETS = ("luts", "ffs", "depth", "segment", "seconds")
AS_FOUND, AS_STARTED = "found", "start"
BASES = {"luts": "luts", "ffs": "registers", "depth": "depth", "segment": "segment", "seconds": ""}
"""The rough guess among the features that each prediction corrects; none: from nothing."""
RATIOS = (
    ("narrow", "luts"), ("choice", "luts"), ("wide_seen_luts", "luts"), ("sum_entering", "luts"),
    ("threshold_entering", "luts"), ("compared", "luts"), ("full", "narrow"), ("depth", "stages"),
    ("layer_bits", "registers"), ("registers", "luts"), ("wide_luts", "wide_seen_luts"),
    ("wide_share", "distinct_wide"), ("equal", "narrow"), ("luts", "tables"),
)  # fmt: skip
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """What a network is predicted to take, for LUTs of six inputs.

    Attributes
    ----------
    luts, ffs : float
        LUT6, and flip-flops of a pipeline with as many stages as layers.
    depth : float
        LUT levels from inputs to outputs.
    segment : float
        LUT levels of the deepest pipeline stage; with a target's delay model, its clock.
    seconds : float
        CPU time to minimize it at effort fast, on the machine the surrogate learned on.
    """

    luts: float
    ffs: float
    depth: float
    segment: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Surrogate:
    """The trees of each target, and what is known of their errors.

    Attributes
    ----------
    trees : mapping of str to Trees
    facts : mapping
        ``"target"`` whose delay model makes a clock of the deepest segment (one of LUTs of six
        inputs), ``"networks"`` learned from, and ``"error"`` by what is predicted: ``"p50"``,
        ``"p90"``, as shares.
    """

    trees: Mapping[str, Trees]
    facts: Mapping[str, Any]

    def predict(self, measured: Floats) -> dict[str, float]:
        """Return the targets for one row of `features`."""
        x = inputs_of(measured[None])
        return {
            name: float(np.exp(trees.predict(x)[0] + base_of(measured[None], name)[0]) - 1)
            for name, trees in self.trees.items()
        }


def predict(tables: TableNet, *, trained: bool = True) -> Prediction:
    """Predict what minimization at effort fast makes of tables.

    Parameters
    ----------
    tables : TableNet
        As enumerated, arithmetic blocks where neurons are too wide.
    trained : bool
        False for a network that was not trained yet: what it will be once trained.
    """
    found = surrogate(AS_FOUND if trained else AS_STARTED).predict(features(tables))
    return Prediction(**{name: max(0.0, value) for name, value in found.items()})


@cache
def surrogate(kind: str = AS_FOUND) -> Surrogate:
    """Return the surrogate for networks as they are (`AS_FOUND`), or before training."""
    with (resources.files("nnlogic.predict.whole") / "surrogate.npz").open("rb") as file:
        data = np.load(file, allow_pickle=False)
        trees = {
            target: Trees(*(_part(data[f"{kind}.{target}.{part}"]) for part in PARTS))
            for target in TARGETS
        }
        return Surrogate(trees, json.loads(str(data["facts"]))[kind])


def _part(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)


def inputs_of(measured: Floats) -> Floats:
    """Return what the trees see of rows of features: logarithms, and ratios of some."""
    at = {name: measured[:, i] for i, name in enumerate(NAMES)}
    ratios = [at[a] / (1 + at[b]) for a, b in RATIOS]
    # Trees are stored with 32-bit bounds: what they compare has as many.
    found = np.column_stack([np.log1p(measured), *ratios]).astype(np.float32)
    return found.astype(np.float64)


def base_of(measured: Floats, target: str) -> Floats:
    """Return the logarithm of one and the rough guess of a target, shape (rows,)."""
    name = BASES[target]
    if not name:
        return np.zeros(len(measured))
    return np.asarray(np.log1p(measured[:, NAMES.index(name)]))
