"""Remove nodes that drive nothing."""

from __future__ import annotations

from nnlogic.logic.cone import Cone
from nnlogic.logic.rewrite import Rewrite, compacted


def remove_dead(cone: Cone, protected: frozenset[int] = frozenset()) -> Rewrite:
    """Keep only nodes on a path to an output; protected signals are no outputs and may go."""
    return compacted(cone, range(cone.n_inputs + cone.n_nodes), cone.fanins, cone.tables)
