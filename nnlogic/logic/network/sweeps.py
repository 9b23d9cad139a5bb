"""Windows of a network replaced by smaller ones, sweep after sweep."""

from __future__ import annotations

import random

from nnlogic.logic.cone import Cone, mismatches
from nnlogic.logic.network.windows import Finder, Window, replaced, tabulated
from nnlogic.logic.portfolio import OBJECTIVES
from nnlogic.logic.resub.improve import improve
from nnlogic.tools.budget import budget

LEAST_NODES = 3


def polish(
    cone: Cone,
    *,
    k: int,
    objective: str,
    leaves: int,
    nodes: int,
    moves: int,
    windows: int,
    seed: int,
) -> Cone:
    """Resubstitute inside windows with complete don't-cares, one window after the other.

    Results of equal cost are kept, so that later windows find other structures.

    Parameters
    ----------
    cone : Cone
    k, objective
        See `nnlogic.logic.build.minimize`.
    leaves, nodes : int
        Largest window; `leaves` at most 16.
    moves : int
        Work spent on one window.
    windows : int
        How many.
    """
    cost = OBJECTIVES[objective]
    rng = random.Random(seed)
    finder = Finder(cone, leaves, nodes)
    for _ in range(windows):
        if budget().spent:
            break
        pivots = [i for i, fanin in enumerate(cone.fanins, cone.n_inputs) if len(fanin) > 1]
        if len(pivots) < LEAST_NODES:
            break
        window = finder.around(rng.choice(pivots), rng.randrange(1 << 30))
        new = improved(cone, window, k, moves, rng.randrange(1 << 30))
        if new is not None and cost(new) <= cost(cone):
            cone = new
            finder = Finder(cone, leaves, nodes)
    return cone


def improved(cone: Cone, window: Window, k: int, moves: int, seed: int) -> Cone | None:
    """Return the network with a smaller window, or None."""
    if len(window.nodes) < LEAST_NODES:
        return None
    old = window.cone(cone)
    function = tabulated(old)
    new = improve(old, function, k=k, moves=moves, seed=seed)
    if new.luts > old.luts or new == old or new.problems(k) or mismatches(new, function):
        return None
    return replaced(cone, window, new)
