"""Compiled random walk over networks of one function that never grow."""

from __future__ import annotations

from nnlogic.logic.kernel import compiled
from nnlogic.logic.resub.moves import exchange, recluster
from nnlogic.logic.resub.state import arrange, draw, observe, refresh

MOVES_PER_NODE = 4
"""Moves that share one computation of where a node matters."""
RECLUSTER_PERCENT = 40


@compiled()
def walk(net, moves):  # type: ignore[no-untyped-def]
    """Make `moves` moves; return how many LUTs they freed."""
    arrange(net)
    saved = 0
    t = -1
    for move in range(moves):
        if t < 0 or move % MOVES_PER_NODE == 0:
            t = net.order[draw(net.random, net.live[0])]
            observe(net, t)
        if net.size[t] == 0:
            t = -1
            continue
        second = t
        if draw(net.random, 100) < RECLUSTER_PERCENT:
            moved, gain, second = recluster(net, t)
        else:
            moved, gain = exchange(net, t)
        if moved:
            saved += gain
            arrange(net)
            refresh(net, t, second)
            t = -1
            if net.live[0] == 0:
                break
    return saved
