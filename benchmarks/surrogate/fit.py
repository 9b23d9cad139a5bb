"""Boosted trees from what was collected, and their errors on networks held out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor

from benchmarks.surrogate.networks import EPOCHS
from nnlogic.flows.targets import Target
from nnlogic.predict.whole.surrogate import (
    AS_FOUND,
    AS_STARTED,
    TARGETS,
    Surrogate,
    base_of,
    inputs_of,
)
from nnlogic.predict.whole.trees import LEAF, PARTS, Trees

HELD_OUT = 5
"""Every fifth network takes no part."""
LEAST_LUTS = 5
"""Networks of fewer compiled LUT6 are left out: one LUT would be a fifth."""
TREES = 160
TARGET = "xcup"
"""Whose delay model makes a clock of the deepest segment; its LUTs have six inputs."""
Floats = np.ndarray


def load(paths: list[Path]) -> dict[str, np.ndarray]:
    """Return what some files hold, networks that collapsed left out."""
    parts = [np.load(path, allow_pickle=False) for path in paths]
    names = ("number", "kind", "start", "found", "targets")
    out = {name: np.concatenate([part[name] for part in parts]) for name in names}
    kept = out["targets"][:, 0] >= LEAST_LUTS
    return {name: values[kept] for name, values in out.items()}


def fit(
    samples: dict[str, np.ndarray], kind: str, zoo: dict[str, np.ndarray] | None = None
) -> Surrogate:
    """Return the surrogate learned from four fifths of the samples, with errors on the others."""
    measured = samples[kind].astype(np.float64)
    targets = samples["targets"].astype(np.float64)
    test = samples["number"] % HELD_OUT == 0
    x, trees, errors = inputs_of(measured), {}, {}
    for i, name in enumerate(TARGETS):
        wanted = np.log1p(targets[:, i]) - base_of(measured, name)
        model = GradientBoostingRegressor(
            loss="huber", alpha=0.85, n_estimators=TREES, max_depth=4, learning_rate=0.08,
            subsample=0.6, min_samples_leaf=8, max_features=0.4, random_state=0,
        )  # fmt: skip
        model.fit(x[~test], wanted[~test])
        trees[name] = trees_of(model)
        errors[name] = quantiles(predicted(trees[name], measured[test], name), targets[test, i])
        said = model.predict(x[test])
        if not np.allclose(trees[name].predict(x[test]), said, atol=1e-4):
            raise ValueError(f"the trees of {name} say something else than scikit-learn's")
    delay, at = Target.named(TARGET).delay, TARGETS.index("segment")
    guess = predicted(trees["segment"], measured[test], "segment")
    clock = np.array([1000 / delay.segment_ns(round(n)) for n in guess])
    errors["fmax"] = quantiles(
        clock, np.array([1000 / delay.segment_ns(n) for n in targets[test, at]])
    )
    facts: dict[str, Any] = {
        "target": TARGET,
        "networks": int((~test).sum()),
        "held_out": int(test.sum()),
        "error": errors,
        "kinds": by_kind(samples["kind"][test], trees["luts"], measured[test], targets[test, 0]),
    }
    if zoo is not None:
        guess = predicted(trees["luts"], zoo["found"].astype(np.float64), "luts")
        pairs = zip(zoo["targets"][:, 0].tolist(), guess.tolist(), strict=True)
        facts["zoo"] = {
            name: [truth, round(luts, 1)]
            for name, (truth, luts) in zip(zoo["kind"].tolist(), pairs, strict=True)
        }
    return Surrogate(trees, facts)


def by_kind(kinds: Floats, trees: Trees, measured: Floats, luts: Floats) -> dict[str, Any]:
    """Return LUT errors of the networks in which a family stands, by family."""
    guess = predicted(trees, measured, "luts")
    out: dict[str, Any] = {}
    for family in sorted({part for kind in kinds for part in str(kind).split("+")}):
        used = np.array([family in str(kind).split("+") for kind in kinds])
        out[family] = {**quantiles(guess[used], luts[used]), "count": int(used.sum())}
    return out


def predicted(trees: Trees, measured: Floats, target: str) -> Floats:
    """Return a target for rows of features."""
    return np.exp(trees.predict(inputs_of(measured)) + base_of(measured, target)) - 1


def quantiles(found: Floats, truth: Floats) -> dict[str, float]:
    """Return percentiles of relative errors."""
    errors = np.abs(found / np.maximum(truth, 1e-9) - 1)
    return {f"p{q}": round(float(np.quantile(errors, q / 100)), 4) for q in (50, 75, 90, 95)}


def trees_of(model: GradientBoostingRegressor) -> Trees:
    """Return a model of scikit-learn as arrays; its first guess is a tree of one leaf."""
    first = float(np.ravel(model._raw_predict_init(np.zeros((1, model.n_features_in_))))[0])
    roots, start = [0], 1
    rows: list[list[tuple[Any, ...]]] = [[(LEAF, 0.0, 0, 0, first)]]
    for estimator in model.estimators_[:, 0]:
        tree = estimator.tree_
        roots.append(start)
        leaf = tree.children_left < 0
        rows.append(
            [
                (LEAF, 0.0, 0, 0, model.learning_rate * tree.value[i, 0, 0])
                if leaf[i]
                else (tree.feature[i], tree.threshold[i], tree.children_left[i] + start,
                      tree.children_right[i] + start, 0.0)
                for i in range(tree.node_count)
            ]
        )  # fmt: skip
        start += tree.node_count
    columns = list(zip(*(row for part in rows for row in part), strict=True))
    feature, bound, left, right, value = (np.array(column) for column in columns)
    # Rounded down, so that 32-bit features fall on the same side.
    low = bound.astype(np.float32)
    low = np.where(low > bound, np.nextafter(low, np.float32(-np.inf)), low)
    return Trees(np.array(roots), feature, low.astype(np.float64), left, right, value)


def write(path: Path, found: dict[str, Surrogate]) -> None:
    """Write the surrogates as one file of arrays."""
    arrays: dict[str, np.ndarray] = {}
    for kind, surrogate in found.items():
        for target, trees in surrogate.trees.items():
            for part in PARTS:
                values = getattr(trees, part)
                small = np.float32 if values.dtype.kind == "f" else np.int32
                arrays[f"{kind}.{target}.{part}"] = values.astype(small)
    facts = json.dumps({kind: surrogate.facts for kind, surrogate in found.items()})
    np.savez_compressed(path, facts=np.array(facts), **arrays)


def fit_all(
    samples: dict[str, np.ndarray], zoo: dict[str, np.ndarray] | None = None
) -> dict[str, Surrogate]:
    """Return the surrogate of networks as they are, and of networks before training."""
    trained = np.array(EPOCHS)[samples["number"] % len(EPOCHS)] > 0
    later = {name: values[trained] for name, values in samples.items()}
    return {AS_FOUND: fit(samples, AS_FOUND, zoo), AS_STARTED: fit(later, AS_STARTED)}
