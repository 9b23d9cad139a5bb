"""Constants, buffers, inverters, equal nodes and dead nodes out of a network."""

from __future__ import annotations

from nnlogic.logic.cone import Cone
from nnlogic.logic.passes.absorb_inverters import absorb_inverters
from nnlogic.logic.passes.merge_equal import merge_equal
from nnlogic.logic.passes.propagate_constants import propagate_constants

MAX_ROUNDS = 8


def tidied(cone: Cone) -> Cone:
    """Repeat the clean-up passes until nothing changes."""
    for _ in range(MAX_ROUNDS):
        old = cone
        for rewrite in (propagate_constants, absorb_inverters, merge_equal):
            cone = rewrite(cone, frozenset()).cone
        if cone == old:
            break
    return cone
