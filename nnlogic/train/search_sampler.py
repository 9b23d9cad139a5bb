"""Cluster-based tree-structured Parzen estimator for integer choices, as an Optuna sampler.

After Azizi et al. 2023 (arXiv 2308.06422): finished trials are split by k-means instead of at a
fixed quantile. The best cluster models good points and the worst one bad points; what lies
between says nothing and is left out, so two thresholds replace the one of plain TPE. Here the two
objectives are joined by random weights for each proposal (as ParEGO does), so that good points
are found along the whole front; and a kernel over neighbouring choices joins all parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

CLUSTERS = 6
CANDIDATES = 64
TRIES = 50
NEIGHBOUR = 0.35
"""Weight of a choice next to the one seen, falling by this factor per step."""
UNIFORM = 0.1
"""Share of the uniform distribution in every kernel."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def split_by_clusters(values: Floats, clusters: int = CLUSTERS) -> tuple[Indices, Indices]:
    """Return the members of the best (lowest) and of the worst cluster of some values.

    k-means in one dimension, exactly: the split of the sorted values with the least sum of
    squared distances.
    """
    order = np.argsort(values, kind="stable")
    n = len(values)
    clusters = min(clusters, n)
    sums = np.concatenate([[0.0], np.cumsum(values[order])])
    squares = np.concatenate([[0.0], np.cumsum(values[order] ** 2)])

    def spread(start: Indices, end: int) -> Floats:
        size = np.maximum(end - start, 1)
        return squares[end] - squares[start] - (sums[end] - sums[start]) ** 2 / size

    # best[k][e]: cost of the first e values in k clusters; cut[k][e]: where the last one starts.
    best = np.full((clusters + 1, n + 1), np.inf)
    cut = np.zeros((clusters + 1, n + 1), np.int64)
    best[0, 0] = 0.0
    for k in range(1, clusters + 1):
        for end in range(k, n + 1):
            start = np.arange(k - 1, end)
            cost = best[k - 1, start] + spread(start, end)
            at = int(cost.argmin())
            best[k, end], cut[k, end] = cost[at], start[at]
    last = int(cut[clusters, n])
    first = n
    for k in range(clusters, 1, -1):
        first = int(cut[k, first])
    return order[:first], order[last:]


def log_density(points: Indices, centers: Indices, sizes: Indices) -> Floats:
    """Return the log of a mean of kernels over `centers`, shape (points,).

    Parameters
    ----------
    points, centers : int arrays, shape (n, parameters)
        Indices of choices.
    sizes : int array, shape (parameters,)
        Number of choices.
    """
    total = np.zeros((len(points), len(centers)))
    for d, size in enumerate(sizes):
        total += np.log(_kernel(int(size)))[points[:, d][:, None], centers[:, d][None, :]]
    return np.logaddexp.reduce(total, axis=1) - np.log(len(centers))


def _kernel(size: int) -> Floats:
    """Return the chance of a choice (rows) around a center (columns)."""
    distance = np.abs(np.arange(size)[:, None] - np.arange(size)[None, :])
    weight = NEIGHBOUR ** distance.astype(np.float64)
    near = weight / weight.sum(axis=0, keepdims=True)
    return (1 - UNIFORM) * near + UNIFORM / size


def joined(losses: Floats, rng: np.random.Generator) -> Floats:
    """Return one value per trial: the ranks of its two losses, under random weights."""
    # Ranks: one network that is far too large must not squeeze all others into one cluster.
    ranks = losses.argsort(axis=0, kind="stable").argsort(axis=0) / max(1, len(losses) - 1)
    share = rng.random()
    weighted = ranks * np.array([share, 1 - share])
    # The largest term decides, the sum breaks ties: also reaches points in hollows of the front.
    return np.asarray(weighted.max(axis=1) + 0.05 * weighted.sum(axis=1))


class ClusterSampler(BaseSampler):
    """Proposes points for two objectives: the first is maximized, the second minimized.

    A proposal depends on the seed and on the finished trials alone, so that a search that was
    interrupted goes on as if it had not been.

    Parameters
    ----------
    space : mapping of str to CategoricalDistribution
        Choices in increasing order.
    seed : sequence of int
    accept : callable
        Whether a point may be tried at all.
    startup : int
        Finished trials before which points are drawn uniformly.
    guided : bool
        When off, all points are drawn uniformly.
    """

    def __init__(
        self,
        space: Mapping[str, CategoricalDistribution],
        seed: Sequence[int],
        accept: Callable[[Mapping[str, int]], bool],
        *,
        startup: int = 10,
        guided: bool = True,
    ) -> None:
        self.space, self.seed, self.accept = dict(space), tuple(seed), accept
        self.startup, self.guided = startup, guided
        self.sizes = np.array([len(d.choices) for d in self.space.values()], np.int64)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the whole space: parameters are chosen together."""
        return dict(self.space)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the next point: new and accepted where such a one can be found."""
        trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        known = [t for t in trials if set(self.space) <= set(t.params)]
        rng = np.random.default_rng([*self.seed, len(known)])
        seen = self._indices(known)
        if self.guided and len(known) >= self.startup:
            losses = np.array([[-t.values[0], t.values[1]] for t in known])
            point = self._guided(seen, losses, rng)
        else:
            point = self._new(seen, rng, lambda: rng.integers(0, self.sizes))
        return self._params(point)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw uniformly; only for parameters that are not part of the space."""
        rng = np.random.default_rng([*self.seed, trial.number])
        if not isinstance(param_distribution, CategoricalDistribution):
            raise ValueError(f"{param_name} is not a choice")
        return param_distribution.choices[int(rng.integers(len(param_distribution.choices)))]

    def _indices(self, trials: Sequence[FrozenTrial]) -> Indices:
        rows = [[d.choices.index(t.params[n]) for n, d in self.space.items()] for t in trials]
        return np.array(rows, np.int64).reshape(len(trials), len(self.space))

    def _params(self, point: Indices) -> dict[str, Any]:
        items = zip(self.space.items(), point, strict=True)
        return {name: d.choices[int(i)] for (name, d), i in items}

    def _new(self, seen: Indices, rng: np.random.Generator, draw: Callable[[], Indices]) -> Indices:
        """Draw until a point is new and accepted; the last accepted one when none is new."""
        last = draw()
        for _ in range(TRIES):
            point = draw()
            if not self.accept(self._params(point)):
                continue
            last = point
            if not (seen == point).all(axis=1).any():
                break
        return last

    def _guided(self, seen: Indices, losses: Floats, rng: np.random.Generator) -> Indices:
        good, bad = split_by_clusters(joined(losses, rng))
        kernels = [_kernel(int(size)) for size in self.sizes]

        def draw() -> Indices:
            center = seen[rng.choice(good)]
            picks = [rng.choice(len(k), p=k[:, c]) for k, c in zip(kernels, center, strict=True)]
            return np.array(picks, np.int64)

        points = np.stack([self._new(seen, rng, draw) for _ in range(CANDIDATES)])
        gain = log_density(points, seen[good], self.sizes)
        gain -= log_density(points, seen[bad], self.sizes)
        return np.asarray(points[int(gain.argmax())])
