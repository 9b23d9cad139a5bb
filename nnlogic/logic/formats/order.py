"""Order named nodes so that each stands behind what it reads."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def topological(
    known: Iterable[Key], reads: Mapping[Key, Sequence[Key]]
) -> tuple[list[Key], list[Key]]:
    """Sort nodes by what they read.

    Parameters
    ----------
    known : iterable
        Signals that need no node.
    reads : mapping
        Per node, what it reads; signals without a node count as known.

    Returns
    -------
    order : list
        All nodes; meaningless when there is a cycle.
    cycle : list
        The nodes of one cycle, each read by the one before it; empty when there is none.
    """
    order: list[Key] = []
    done = set(known)
    for root in reads:
        stack: list[tuple[Key, int]] = [(root, 0)]
        path: dict[Key, None] = {}
        while stack:
            key, at = stack.pop()
            if at == 0:
                if key in done or key not in reads:
                    continue
                if key in path:
                    walk = list(path)
                    return order, walk[walk.index(key) :]
                path[key] = None
            if at < len(reads[key]):
                stack += [(key, at + 1), (reads[key][at], 0)]
            else:
                del path[key]
                done.add(key)
                order.append(key)
    return order, []
