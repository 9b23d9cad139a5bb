"""Networks of operations with three inputs, what one instruction of a vector unit computes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from nnlogic.core.errors import ToolFailed
from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.cone import Cone
from nnlogic.logic.network.tidy import tidied
from nnlogic.logic.rewrite import cone_of
from nnlogic.tools.abc import transform_blif

if TYPE_CHECKING:
    from nnlogic.logic.ir import LogicNet

INPUTS = 3
SCRIPT = "strash; &get -n; &syn3; &if -K 3 -a; &put"
"""Of the scripts tried on the zoo, the one that is nearly smallest in a tenth of the time."""
ONES = 0xFF
PROJECTIONS = {0xAA: "a", 0xCC: "b", 0xF0: "c"}


def ternary(net: LogicNet, *, timeout: float = 600) -> Cone:
    """Return a network of nodes with at most three inputs that computes the same.

    Nobody has to believe it: whoever writes it to a file compares the file.

    Parameters
    ----------
    net : LogicNet
    timeout : float
        Seconds.

    Raises
    ------
    ToolFailed, ToolTimeout
        ABC did not map the network.
    """
    cone = tidied(cone_of(net))
    if not cone.n_nodes:
        return cone
    out = read_blif(transform_blif(write_blif(cone), SCRIPT, timeout=timeout))
    if out.n_inputs != cone.n_inputs or len(out.outputs) != len(cone.outputs):
        raise ToolFailed("abc lost ports", where=net.name, why=f"{out.n_inputs} inputs are left")
    if out.widest > INPUTS:
        raise ToolFailed("abc did not map", where=net.name, why=f"a node of {out.widest} inputs")
    return out


def widened(table: int, count: int) -> int:
    """Return a table of `count` inputs as one of three that does not read the others."""
    for n in range(count, INPUTS):
        table |= table << (1 << n)
    return table


@cache
def expressions() -> dict[int, str]:
    """Return for each of the 256 tables an expression of ``a``, ``b``, ``c`` in ``~ & ^ |``.

    Of all expressions that read any input any number of times, one with the fewest operations;
    every operation of two operands stands in parentheses.
    """
    best = dict(PROJECTIONS)
    cost: list[list[int]] = [list(PROJECTIONS)]
    while len(best) < ONES - 1:  # all but the two constants
        found: dict[int, str] = {}
        for f in cost[-1]:
            found.setdefault(f ^ ONES, f"~{best[f]}")
        for i, lefts in enumerate(cost):
            for f in lefts:
                for g in cost[len(cost) - 1 - i]:
                    for table, sign in ((f & g, "&"), (f ^ g, "^"), (f | g, "|")):
                        found.setdefault(table, f"({best[f]} {sign} {best[g]})")
        fresh = [t for t in found if t not in best and 0 < t < ONES]
        best |= {t: found[t] for t in fresh}
        cost.append(fresh)
    return best
